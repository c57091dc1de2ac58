package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startServer runs this program as a server in a process of its own.
func startServer(ctx context.Context) (base string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(ctx, self, serverRole) //nolint:gosec // This program.
	command.Stderr = os.Stderr
	leash, err := command.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		leash.Close()  //nolint:errcheck // It ends with us in any case.
		command.Wait() //nolint:errcheck // Likewise.
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the server did not start: %w", err)
	}
	return "http://" + strings.TrimSpace(address), stop, nil
}

// serve answers until its standard input ends. Under /delay/50ms it takes its
// time.
func serve() error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // It ends with the process.
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // However it ends.
	return nil
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", api(1))
	mux.HandleFunc("/lab/{delay}/{pages}/", func(w http.ResponseWriter, r *http.Request) {
		delay, err := time.ParseDuration(r.PathValue("delay"))
		count, err2 := strconv.Atoi(r.PathValue("pages"))
		if err = errors.Join(err, err2); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(delay) //nolint:forbidigo // As a slow service does.
		http.StripPrefix(lab(delay, count), api(count)).ServeHTTP(w, r)
	})
	return mux
}

// lab is the path to a service that takes its time and has so many pages of
// chats.
func lab(delay time.Duration, pages int) string { return fmt.Sprintf("/lab/%s/%d", delay, pages) }

var serverChat, serverTranscript, serverPage = objectJSON(), transcriptJSON(), newPage()

func api(pages int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/chats", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.FormValue("page"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, serverPage.parts(number, pages)...)
	})
	mux.HandleFunc("GET /api/v2/chats/{id}", func(w http.ResponseWriter, _ *http.Request) { answer(w, serverChat) })
	mux.HandleFunc("GET /api/v2/chats/{id}/transcript", func(w http.ResponseWriter, _ *http.Request) { answer(w, serverTranscript) })
	return mux
}

func answer(w http.ResponseWriter, parts ...[]byte) {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(length))
	header.Set("X-RateLimit-Limit", strconv.Itoa(plenty))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(plenty-1))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	for _, part := range parts {
		w.Write(part)
	}
}

// page is a page of a list, of which any number can be had: they differ in the
// chats' ids.
type page struct {
	text []byte // Up to the pagination.
	ids  []int  // Where in text the page's number is in an id.
}

func newPage() page {
	text, _, _ := bytes.Cut(listJSON(1, chatsPerPage), []byte(`"pagination":`))
	p := page{text: text}
	for at := 0; ; {
		next := bytes.Index(text[at:], []byte(`{"id":"chat-`))
		if next < 0 {
			return p
		}
		at += next + len(`{"id":"chat-`)
		p.ids = append(p.ids, at)
	}
}

func (p page) parts(number, pages int) [][]byte {
	text := bytes.Clone(p.text)
	for _, at := range p.ids {
		copy(text[at:], fmt.Sprintf("%05d", number-1)) // The last two digits tell a page's chats apart.
	}
	tail := fmt.Appendf(nil, `"pagination":{"page":%d,"per_page":%d,"total":%d}}`, number, chatsPerPage, pages*chatsPerPage)
	return [][]byte{text, tail}
}
