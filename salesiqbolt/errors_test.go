package salesiqbolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bbolt keeps no more than the text of some errors.
func TestErrorOfACommitSaysWhetherAnythingWasWritten(t *testing.T) {
	t.Parallel()
	kinds := []error{ErrFull, ErrReadOnly, ErrUncertain, errUnmapped}
	failed := func(op string, err error) error { return &fs.PathError{Op: op, Path: "events.db", Err: err} }
	for _, row := range []struct {
		err  error
		kind error // Nil for none of them.
	}{
		{failed("write", syscall.ENOSPC), ErrFull},
		{failed("write", syscall.EDQUOT), ErrFull},
		{failed("write", syscall.EFBIG), ErrFull},
		{failed("write", syscall.EROFS), ErrReadOnly},
		{failed("write", syscall.EIO), nil},
		{errors.New("file resize error: truncate events.db: " + syscall.ENOSPC.Error()), ErrFull},
		{errors.New("file resize error: truncate events.db: " + syscall.EROFS.Error()), ErrReadOnly},
		{errors.New("file resize error: truncate events.db: " + syscall.EIO.Error()), nil},
		{errors.New("mmap allocate error: " + syscall.ENOMEM.Error()), errUnmapped},
		{failed("sync", syscall.EIO), ErrUncertain},
		{failed("sync", syscall.ENOSPC), ErrUncertain},
		{errors.New("something else"), ErrUncertain},
	} {
		said := explainCommit(row.err)
		require.ErrorContains(t, said, row.err.Error()[strings.LastIndex(row.err.Error(), ":")+1:])
		for _, kind := range kinds {
			assert.Equal(t, errors.Is(row.kind, kind), errors.Is(said, kind), "%v: %v", row.err, said)
		}
	}
}

func TestErrorOfAFileNamesItsPathOnce(t *testing.T) {
	t.Parallel()
	err := fileError("events.db", &fs.PathError{Op: "open", Path: "events.db", Err: syscall.EACCES})
	require.EqualError(t, err, "salesiqbolt: events.db cannot be used (open): "+syscall.EACCES.Error())
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.Equal(t, err, fileError("other.db", err), "it names one already")
	assert.NoError(t, fileError("events.db", nil))
}

func TestSecondOpenerIsToldWhatIsKnown(t *testing.T) {
	t.Parallel()
	for text, holder := range map[string]Holder{
		"is in use by another program":                                           {},
		"is in use by a program, process 7 on some host":                         {PID: 7},
		"is in use by hooks, process 7 on web1":                                  {PID: 7, Program: "hooks", Host: "web1"},
		"is in use by hooks, process 7 on some host, since 2026-03-05T09:41:07Z": {PID: 7, Program: "hooks", Since: time.Date(2026, 3, 5, 9, 41, 7, 0, time.UTC)},
		"is in use by a program, process 1 on web1, since 2026-03-05T09:41:07Z":  {PID: 1, Host: "web1", Since: time.Date(2026, 3, 5, 9, 41, 7, 0, time.UTC)},
	} {
		assert.EqualError(t, &InUseError{Holder: holder}, text)
	}
}

// The note may lie on a disk that machines share.
func TestNoteOfAnotherMachineIsBelieved(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	openAt(t, path)
	ended := startChild(t, "nothing", path)
	ended.stop(t)
	note := []byte(holderBegins + fmt.Sprintf(`{"program":"hooks","pid":%d,"host":"not this one"}`, ended.command.Process.Pid))
	require.NoError(t, os.WriteFile(holderPath(path), note, 0o600))
	_, err := Open(path, WithOpenWait(0))
	require.ErrorContains(t, err, "is in use by hooks, process ")
}
