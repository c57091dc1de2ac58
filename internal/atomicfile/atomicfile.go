// Package atomicfile replaces files as a whole, so that no reader and no crash
// meets half of one.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrNotRegular means that a path leads to a directory, a link or a device.
var ErrNotRegular = errors.New("is not a regular file")

// Write replaces a file by way of a temporary one beside it. Only its owner can
// read it.
func Write(path string, content []byte) error {
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, "."+filepath.Base(path)+".*") // Made with mode 0600.
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDirectory(directory)
}

// syncDirectory makes a rename durable, where the system can do that.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// WithoutPath returns the cause of an error about a path, for a text that names
// the path already.
func WithoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
