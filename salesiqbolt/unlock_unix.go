//go:build !windows && !plan9 && !solaris && !aix && !android

package salesiqbolt

import (
	"errors"
	"os"
	"syscall"
)

// letGo closes a file that bbolt cannot close any more. Its lock would last as long
// as it is mapped into memory.
func letGo(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

// isRunning tells whether there is a process.
func isRunning(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
