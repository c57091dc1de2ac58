//go:build windows || plan9 || solaris || aix || android

package salesiqbolt

import "os"

// letGo closes a file that bbolt cannot close any more, and with it the lock.
func letGo(file *os.File) error { return file.Close() }

// isRunning tells whether there is a process, as far as that can be known.
func isRunning(pid int) bool {
	process, err := os.FindProcess(pid)
	if err == nil {
		process.Release() //nolint:errcheck // It was only looked for.
	}
	return err == nil
}
