package salesiqbolt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
)

// FileError tells what is wrong with a file. Err is one of the errors of this
// package, an [*InUseError], or what the file system says.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return "salesiqbolt: " + e.Path + " " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// What can be wrong with a file.
var (
	// ErrNotRegular means that the path leads to a directory, a device, or a symbolic
	// link. A link is refused so that the file has one name.
	ErrNotRegular = errors.New("is not a regular file: name a file, or the one that the link leads to")
	// ErrForeign means that somebody else's content is in the file. It is left alone.
	ErrForeign = errors.New("was not written by this package: it is left alone; name another file")
	// ErrDamaged means that the file cannot be read. It is left alone.
	ErrDamaged = errors.New("is damaged: bring a copy back, or move it away to begin a new one")
	// ErrGone means that the file was deleted, moved or replaced while it was open.
	// What it held is not in the file of that name. Nothing is taken any more.
	ErrGone = errors.New("was deleted, moved or replaced while it was in use: put it back, or start the program again to begin a new one")
	// ErrFull means that the disk is full, or that the file has reached its
	// [WithMaxSize]. What was taken before is kept, and work goes on once there is room.
	ErrFull = errors.New("has no room left")
	// ErrUncertain means that the system could not write to the disk, and does not
	// say what is on it. The file must be opened anew.
	ErrUncertain = errors.New("may not be on disk as it was written: start the program again to read what is there")
	// ErrClosed means that the file was closed.
	ErrClosed = errors.New("is closed")
)

// InUseError means that another program has the file, or this one has it twice.
type InUseError struct {
	Holder Holder // Zero where it is not known.
}

// Holder is the program that has a file.
type Holder struct {
	Program string    `json:"program"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
}

func (e *InUseError) Error() string {
	if e.Holder.PID == 0 {
		return "is in use by another program"
	}
	return fmt.Sprintf("is in use by %s, process %d on %s, since %s",
		cmp.Or(e.Holder.Program, "a program"), e.Holder.PID, cmp.Or(e.Holder.Host, "some host"), e.Holder.Since.Format(time.RFC3339))
}

func (f *File) fail(err error) error { return fileError(f.path, err) }

func fileError(path string, err error) error {
	if _, ok := errors.AsType[*FileError](err); ok || err == nil {
		return err
	}
	return &FileError{Path: path, Err: withoutPath(err)}
}

// withoutPath returns the cause of an error about a path, for a text that names
// the path already.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("cannot be used (%s): %w", p.Op, p.Err)
	}
	return err
}

// cannotGrow begins the error of bbolt where the file could not be made longer. It
// has no other sign.
const cannotGrow = "file resize error: "

// explainCommit says what a failed commit means. Where writing has failed, nothing
// has changed, and a later commit may succeed. Where the disk did not confirm what
// was written, nobody knows what is on it ([ErrUncertain]).
func explainCommit(err error) error {
	p, ok := errors.AsType[*fs.PathError](err)
	switch {
	case ok && p.Op == "write" && isFull(p.Err), strings.HasPrefix(err.Error(), cannotGrow):
		return fmt.Errorf("%w: %w", ErrFull, withoutPath(err))
	case ok && p.Op == "write":
		return err
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func inputError(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
}
