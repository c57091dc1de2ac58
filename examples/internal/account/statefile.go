package account

import (
	"fmt"
	"os"
)

// CheckStateFile refuses what is there but is no regular file: a program that
// replaces its state file would put a file in the place of a device.
func CheckStateFile(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file that could be replaced", path)
	}
	return nil
}
