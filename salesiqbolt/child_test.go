package salesiqbolt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// childVariable names the program that a test starts this one as. pathVariable is
// where its file is.
const (
	childVariable = "SALESIQBOLT_TEST_CHILD"
	pathVariable  = "SALESIQBOLT_TEST_PATH"
)

var children = map[string]func() error{"server": serverChild, "descriptors": descriptorsChild, "nothing": func() error { return nil }}

const hookSecret = "a secret of some length"

// child is a program that a test has started.
type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	stderr  bytes.Buffer
}

func startChild(t *testing.T, name, path string) *child {
	t.Helper()
	c := &child{command: exec.CommandContext(t.Context(), os.Args[0])}
	c.command.Env = append(os.Environ(), childVariable+"="+name, pathVariable+"="+path)
	c.command.Stderr = &c.stderr
	var err error
	c.stdin, err = c.command.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.command.StdoutPipe()
	require.NoError(t, err)
	c.stdout = bufio.NewReader(stdout)
	require.NoError(t, c.command.Start())
	return c
}

// line reads a line that the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		c.command.Wait() //nolint:errcheck // The other error matters.
		require.NoError(t, err, c.stderr.String())
	}
	return strings.TrimSpace(line)
}

// kill ends the child as kill -9 does.
func (c *child) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, c.command.Process.Kill())
	require.Error(t, c.command.Wait())
}

// stop asks the child to end.
func (c *child) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, c.stdin.Close())
	require.NoError(t, c.command.Wait(), c.stderr.String())
}

// journal says what has happened, and survives the process.
type journal struct{ file *os.File }

func openJournal(path string) (journal, error) {
	file, err := os.OpenFile(path+".journal", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return journal{file}, err
}

func (j journal) note(what, id string) error {
	_, err := j.file.WriteString(what + " " + id + "\n") // In one piece.
	return err
}

// marks is a logger that notes which events are marked as handled.
type marks struct {
	slog.Handler

	journal journal
}

// Enabled implements [slog.Handler].
func (m marks) Enabled(context.Context, slog.Level) bool { return true }

func (m marks) Handle(_ context.Context, record slog.Record) (err error) {
	if record.Message == "salesiq event handled" {
		record.Attrs(func(a slog.Attr) bool {
			if a.Key == "event_id" {
				err = m.journal.note("marked", a.Value.String())
			}
			return true
		})
	}
	return err
}

// unlucky says that some tries of some events fail.
func unlucky(id string, try int) bool {
	hash := fnv.New32a()
	fmt.Fprint(hash, id, try) //nolint:errcheck // A hash takes all.
	return hash.Sum32()%20 == 0
}

// serverChild receives events over HTTP and handles them, until its input ends.
func serverChild() error {
	path := os.Getenv(pathVariable)
	journal, err := openJournal(path)
	if err != nil {
		return err
	}
	f, err := Open(path, WithLogger(slog.New(marks{slog.DiscardHandler, journal})))
	if err != nil {
		return err
	}
	inbox, err := f.Inbox(WithWorkers(32), WithMaxTries(1_000_000), WithPauses(time.Millisecond, 10*time.Millisecond))
	if err != nil {
		return err
	}
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(f.DedupStore()), webhook.WithSink(inbox))
	if err != nil {
		return err
	}
	var tries sync.Map
	err = webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		id := event.Info().EventID
		before, _ := tries.Swap(id, 1)
		if before == nil && unlucky(id, os.Getpid()) {
			return errors.New("not this time")
		}
		return journal.note("handled", id)
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { err = inbox.Run(ctx, receiver.Dispatch) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /", receiver)
	mux.HandleFunc("GET /", inbox.Health)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // It is closed below.
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // It ends.
	closed := server.Shutdown(context.Background())
	cancel()
	running.Wait()
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(closed, f.Close())
}
