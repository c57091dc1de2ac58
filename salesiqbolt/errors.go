package salesiqbolt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	// ErrReadOnly means that the disk takes no more writes, such as after a failure of
	// its own. What was taken before is kept.
	ErrReadOnly = errors.New("is on a disk that has become read-only: mend that, and start the program again if it does not go on")
	// ErrUncertain means that the system could not write to the disk, and does not
	// say what is on it. The file must be opened anew.
	ErrUncertain = errors.New("may not be on disk as it was written: start the program again to read what is there")
	// ErrClosed means that the file was closed.
	ErrClosed = errors.New("is closed")
)

// ErrHandlerStuck means that [Inbox.Run] has ended without handlers that do not return
// although their time is over. Their events are handled again once the file is opened
// anew.
var ErrHandlerStuck = errors.New("salesiqbolt: handlers do not return though their time is over")

// InUseError means that another program has the file, or this one has it twice.
type InUseError struct {
	Holder Holder // Zero where it is not known.
}

// Holder is the program that has a file.
type Holder struct {
	Program string    `json:"program"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"` // Zero where it is not known.
}

func (e *InUseError) Error() string {
	if e.Holder.PID == 0 {
		return "is in use by another program"
	}
	text := fmt.Sprintf("is in use by %s, process %d on %s", cmp.Or(e.Holder.Program, "a program"), e.Holder.PID, cmp.Or(e.Holder.Host, "some host"))
	if !e.Holder.Since.IsZero() {
		text += ", since " + e.Holder.Since.Format(time.RFC3339)
	}
	return text
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

// How errors of bbolt begin that have no other sign. Nothing was written then.
const (
	cannotGrow = "file resize error: " // The file could not be made longer.
	cannotMap  = "mmap "               // Nor mapped into memory anew: it cannot be read any more.
)

// errUnmapped means that bbolt cannot go on with a file that is as it was.
var errUnmapped = errors.New("cannot be read any more: start the program again")

// errReplaced means that somebody has written other content into the file.
var errReplaced = fmt.Errorf("%w (its content was replaced)", ErrGone)

// explainCommit says what a failed commit means. Where writing has failed, nothing
// has changed, and a later commit may succeed. Where the disk did not confirm what
// was written, nobody knows what is on it ([ErrUncertain]).
func explainCommit(err error) error {
	p, ok := errors.AsType[*fs.PathError](err)
	switch {
	case ok && p.Op == "write", strings.HasPrefix(err.Error(), cannotGrow):
		return nameCause(err)
	case strings.HasPrefix(err.Error(), cannotMap):
		return fmt.Errorf("%w: %w", errUnmapped, nameCause(err))
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

// nameCause says what an error that has changed nothing comes from. bbolt keeps no
// more than the text of some.
func nameCause(err error) error {
	comesFrom := func(cause syscall.Errno) bool {
		return errors.Is(err, cause) || strings.HasSuffix(err.Error(), cause.Error())
	}
	switch {
	case slices.ContainsFunc(noRoom, comesFrom):
		return fmt.Errorf("%w: %w", ErrFull, withoutPath(err))
	case comesFrom(syscall.EROFS):
		return fmt.Errorf("%w: %w", ErrReadOnly, withoutPath(err))
	}
	return err
}

// noRoom is what a file system says that has no room: for anybody, for this user, or
// in this file.
var noRoom = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

func isFull(err error) bool {
	return slices.ContainsFunc(noRoom, func(cause syscall.Errno) bool { return errors.Is(err, cause) })
}

func inputError(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
}
