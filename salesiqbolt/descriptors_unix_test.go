//go:build unix

package salesiqbolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

func TestEventsNeedNoDescriptor(t *testing.T) {
	t.Parallel()
	c := startChild(t, "descriptors", newPath(t))
	said := c.line(t)
	assert.Equal(t, "200 taken without descriptors, 200 handled", said)
	t.Log(said)
	c.stop(t)
}

// descriptorsChild takes and handles events while the process can open no file.
func descriptorsChild() (err error) {
	const events = 200
	path := os.Getenv(pathVariable)
	f, err := Open(path)
	if err != nil {
		return err
	}
	inbox, err := f.Inbox()
	if err != nil {
		return err
	}
	spent, err := spendDescriptors()
	if err != nil {
		return err
	}
	if _, err := Open(path + ".other"); !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), path) {
		return fmt.Errorf("without descriptors, opening a file gave: %w", err)
	}
	store := f.DedupStore()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var p tape
	var running sync.WaitGroup
	running.Go(func() { inbox.Run(ctx, p.handle) }) //nolint:errcheck // It ends with its context.
	for n := range events {
		event, err := webhook.Parse(eventBody(n))
		if err != nil {
			return err
		}
		if _, err := store.Begin(ctx, event.Info().EventID, 1); err != nil {
			return err
		}
		if err := errors.Join(inbox.Enqueue(ctx, event), store.Done(ctx, event.Info().EventID, 1)); err != nil {
			return err
		}
	}
	for latest := time.Now().Add(patience); p.count() < events && time.Now().Before(latest); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	running.Wait()
	for _, file := range spent {
		file.Close() //nolint:errcheck // Nothing was written.
	}
	other, err := Open(path + ".other")
	if err != nil {
		return err
	}
	fmt.Printf("%d taken without descriptors, %d handled\n", events, p.count())
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // It ends.
	return errors.Join(other.Close(), f.Close())
}

// spendDescriptors opens files until no more can be opened.
func spendDescriptors() (spent []*os.File, err error) {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		return nil, err
	}
	for {
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			return spent, nil
		}
		if err != nil {
			return nil, err
		}
		spent = append(spent, file)
	}
}

func makePipe(at string) error { return syscall.Mkfifo(at, 0o600) }

// A child process has the descriptors of its parent until it runs its program. One that
// is started while a file is opened must not keep it from its parent.
func TestFileIsOpenedWhileChildProcessesStart(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, openAt(t, path).Close())
	info, err := os.Lstat(path)
	require.NoError(t, err)
	o := &opening{path: path, found: info}
	db, err := o.openBolt(true)
	require.NoError(t, err)
	inherited, err := syscall.Dup(int(o.file.Fd()))
	require.NoError(t, err)
	defer syscall.Close(inherited) //nolint:errcheck // Nothing was written.
	require.NoError(t, o.closeReader(db))
	openAt(t, path)
}
