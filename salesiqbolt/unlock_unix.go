//go:build !windows && !plan9 && !solaris && !aix && !android

package salesiqbolt

import (
	"errors"
	"os"
	"syscall"
)

// unlock ends the lock of a file before it is closed. Otherwise it would last as long as
// the file is mapped into memory, or a child process that was started meanwhile has it.
func unlock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
}

// isRunning tells whether there is a process.
func isRunning(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
