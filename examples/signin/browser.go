package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"time"

	"github.com/salesiq-go/salesiq"
)

// askInBrowser sends the user to the consent page and waits for them to come
// back.
func askInBrowser(ctx context.Context, out io.Writer, oauth *salesiq.OAuth, c config) (salesiq.AuthCode, error) {
	redirect, err := url.Parse(c.redirect)
	if err != nil {
		return salesiq.AuthCode{}, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", redirect.Host)
	if err != nil {
		return salesiq.AuthCode{}, fmt.Errorf("waiting for the callback: %w", err)
	}
	if redirect.Port() == "0" {
		redirect.Host = listener.Addr().String()
	}
	oauth.RedirectURL = redirect.String()
	state := rand.Text()
	back := &callback{oauth: oauth, state: state, result: make(chan result, 1)}
	mux := http.NewServeMux()
	mux.Handle("GET "+redirect.Path, back)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener) //nolint:errcheck // It ends with Shutdown.
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second) // The last page is on its way.
		defer cancel()
		server.Shutdown(ctx) //nolint:errcheck // Whoever still waits sees an error page.
	}()
	address, err := oauth.AuthURL(state)
	if err != nil {
		return salesiq.AuthCode{}, err
	}
	fmt.Fprintf(out, "Please consent at:\n\n\t%s\n\n", address)
	if err := c.browse(address); err != nil {
		fmt.Fprintln(out, "No browser opened; please open the address yourself.")
	}
	return back.wait(ctx)
}

type result struct {
	code salesiq.AuthCode
	err  error
}

// callback is the page that the user comes back to.
type callback struct {
	oauth  *salesiq.OAuth
	state  string
	result chan result
}

func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer") // The address holds the code.
	code, err := c.oauth.ParseCallback(r.URL.Query(), c.state)
	if input := (*salesiq.InputError)(nil); errors.As(err, &input) && input.Field == "state" {
		http.Error(w, "This is not the sign-in that is waited for.", http.StatusBadRequest) // Forged, perhaps; the real one may come.
		return
	}
	select {
	case c.result <- result{code, err}:
	default: // Somebody has reloaded the page.
	}
	if err != nil {
		http.Error(w, "That did not work; the terminal tells why.", http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "Thank you. You may close this page.")
}

var errTooLate = errors.New("nobody came back from the consent page")

func (c *callback) wait(ctx context.Context) (salesiq.AuthCode, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errTooLate)
	defer cancel()
	select {
	case r := <-c.result:
		return r.code, r.err
	case <-ctx.Done():
		return salesiq.AuthCode{}, context.Cause(ctx)
	}
}

// openBrowser shows an address in the user's browser.
func openBrowser(address string) error {
	command := map[string][]string{
		"darwin":  {"open"},
		"windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	return exec.Command(command[0], append(command[1:], address)...).Start() //nolint:gosec,noctx // It outlives this program.
}

// agree takes the place of a browser and its user: the emulator consents at
// once, and redirects.
func agree(ctx context.Context) func(address string) error {
	return func(address string) error {
		_, err := visit(ctx, address)
		return err
	}
}

// visit gets a page, wherever it redirects.
func visit(ctx context.Context, address string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
