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
