//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const emulator = core + "/cmd/salesiq-emulator"

// patience is how long the emulator may take to answer, and to end.
const patience = 10 * time.Second

// runEmulator runs the emulator in a folder where there is nothing, asks it for a
// chat, and stops it.
func (w *workshop) runEmulator(ctx context.Context, version string) error {
	command := w.command(ctx, w.path(elsewhere), "go", "run", emulator+"@"+version, "-quiet")
	// An interrupt reaches the emulator with its group: the go command passes none on.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = patience
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	err = askEmulator(ctx, stdout)
	ended := errors.Join(command.Cancel(), command.Wait())
	// An interrupted go command always fails. It tells if what it runs fails.
	if err != nil || bytes.Contains(stderr.Bytes(), []byte("exit status")) {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), errors.Join(err, ended), &stderr)
	}
	return nil
}

// askEmulator reads where the emulator is and how to sign in, signs in, and asks
// for a chat.
func askEmulator(ctx context.Context, stdout io.Reader) error {
	settings, err := readSettings(stdout, "ZOHO_REFRESH_TOKEN")
	if err != nil {
		return err
	}
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {settings["ZOHO_CLIENT_ID"]},
		"client_secret": {settings["ZOHO_CLIENT_SECRET"]},
		"refresh_token": {settings["ZOHO_REFRESH_TOKEN"]},
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	signIn := settings["SALESIQ_ACCOUNTS_URL"] + "/oauth/v2/token?" + form.Encode()
	if err := ask(ctx, http.MethodPost, signIn, "", &token); err != nil {
		return err
	}
	var answer struct {
		Data struct{ ID, Status string }
	}
	chat := settings["SALESIQ_BASE_URL"] + "/api/v2/chats/chat123"
	if err := ask(ctx, http.MethodGet, chat, token.AccessToken, &answer); err != nil {
		return err
	}
	show(fmt.Sprintf("GET %s: %s is %s", chat, answer.Data.ID, answer.Data.Status))
	return nil
}

// readSettings reads lines of NAME=value until it has one of the last name.
func readSettings(lines io.Reader, last string) (map[string]string, error) {
	settings := map[string]string{}
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		name, value, _ := strings.Cut(scanner.Text(), "=")
		settings[name] = value
		if name == last {
			return settings, nil
		}
	}
	return nil, errors.New("the emulator did not say where it is")
}

// ask makes a request and decodes the answer.
func ask(ctx context.Context, method, address, token string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Zoho-oauthtoken "+token)
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
