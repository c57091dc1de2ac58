//go:build windows || plan9 || solaris || aix || android

package salesiqbolt

import "os"

// unlock does nothing: the lock ends when the file is closed.
func unlock(*os.File) error { return nil }

// isRunning tells whether there is a process, as far as that can be known.
func isRunning(pid int) bool {
	process, err := os.FindProcess(pid)
	if err == nil {
		process.Release() //nolint:errcheck // It was only looked for.
	}
	return err == nil
}
