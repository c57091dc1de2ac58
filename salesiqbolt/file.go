package salesiqbolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// File is a file that keeps events and tokens for one process at a time. [Open]
// opens it. It is used by any number of goroutines.
type File struct {
	config

	path string // Absolute, so that it stays the same.
	info fs.FileInfo
	file *os.File // What bbolt has opened.
	db   *bbolt.DB
	note []byte // That says who has the file; nil if there is none.

	broken atomic.Pointer[FileError] // Why nothing can be read or written any more.
	size   atomic.Int64              // What is used of the file, and may be read.
	used   atomic.Int64              // That without free pages.
	tx     atomic.Int64              // The number of the last commit.
	closed atomic.Bool
	ended  error // What Close has returned.
	once   sync.Once

	commits committer
	claims  claims
	index   index
	lock    chan struct{} // Held by who renews the token.
}

// Open opens a file, and makes it if there is none. Its directory must exist. Its
// owner alone can read it. While it is open, no other program can open it. The
// caller should call Close.
//
// Events that were being handled when the last process ended wait again.
//
// Errors: a [salesiq.InputError] that names the argument, or the option whose
// argument is no good; a [FileError] for a file that cannot be used.
func Open(path string, opts ...Option) (*File, error) {
	if strings.TrimSpace(path) == "" {
		return nil, inputError("path", "is required")
	}
	c := defaultConfig()
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(&c); err != nil {
			return nil, err
		}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	path = absolute
	db, o, err := openFile(path, c)
	if err != nil {
		return nil, fileError(path, err)
	}
	f := &File{config: c, path: path, info: o.found, file: o.file, db: db, lock: make(chan struct{}, 1)}
	f.commits.wake = make(chan struct{}, 1)
	f.commits.ended = make(chan struct{})
	f.index.changed = make(chan struct{})
	f.claims.states = map[string]claim{}
	if err := f.begin(); err != nil {
		f.release() //nolint:errcheck // The other error says more.
		return nil, f.fail(err)
	}
	f.note = noteHolder(path)
	go f.commit()
	return f, nil
}

// begin finds what the last process has left.
func (f *File) begin() error {
	if err := errors.Join(f.view(f.measure), f.view(f.index.load)); err != nil {
		return err
	}
	if len(f.index.running) == 0 {
		return nil
	}
	return f.apply([]*job{{apply: returnTaken}})
}

// Path returns the absolute path of the file.
func (f *File) Path() string { return f.path }

// Format shows the path, and nothing of what is in the file.
func (f *File) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "salesiqbolt(%s)", f.path) }

// Close writes what is still to be written, and closes the file. Each
// [Inbox.Run] should have returned before.
//
// Errors: a [FileError] where marks of handled events could not be written, so
// that these events are handled again.
func (f *File) Close() error {
	if err := f.check(); err != nil {
		return err
	}
	f.once.Do(func() {
		f.ended = f.fail(f.close())
	})
	return f.ended
}

func (f *File) close() error {
	err := f.stopCommits()
	f.closed.Store(true)
	removeHolder(f.path, f.note)
	return errors.Join(err, f.release())
}

// release gives the file back. One that is broken can only be let go of, since
// bbolt may have stopped while it held its locks.
func (f *File) release() error {
	if f.broken.Load() != nil {
		return letGo(f.file)
	}
	return f.db.Close()
}

// check refuses a file that nobody opened.
func (f *File) check() error {
	if f == nil || f.db == nil {
		return inputError("file", "must be opened by Open")
	}
	return nil
}

// usable returns an error if what is written to the file would not be found after
// a restart.
func (f *File) usable() error {
	if err := f.check(); err != nil {
		return err
	}
	if broken := f.broken.Load(); broken != nil {
		return broken
	}
	if f.closed.Load() {
		return f.fail(ErrClosed)
	}
	size := f.size.Load() // Before the file may grow.
	info, err := os.Lstat(f.path)
	if err != nil || !os.SameFile(info, f.info) {
		return f.fail(ErrGone)
	}
	if info.Size() < size {
		return f.breakDown(fmt.Errorf("%w: it was cut", ErrDamaged))
	}
	return nil
}

// breakDown notes why the file cannot be used any more.
func (f *File) breakDown(err error) error {
	f.broken.CompareAndSwap(nil, &FileError{Path: f.path, Err: err})
	return f.broken.Load()
}

// view reads the file.
func (f *File) view(read func(*bbolt.Tx) error) error {
	if err := f.usable(); err != nil {
		return err
	}
	first := f.tx.Load()
	err := guard(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			if id := int64(tx.ID()); first != 0 && (id < first || id > f.tx.Load()+1) {
				return errReplaced
			}
			return read(tx)
		})
	})
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, errReplaced):
		return f.breakDown(err)
	case f.closed.Load() && err != nil:
		return f.fail(ErrClosed)
	}
	return err
}
