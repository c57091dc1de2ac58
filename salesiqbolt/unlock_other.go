//go:build windows || plan9 || solaris || aix || android

package salesiqbolt

import "os"

// letGo closes a file that bbolt cannot close any more, and with it the lock.
func letGo(file *os.File) error { return file.Close() }
