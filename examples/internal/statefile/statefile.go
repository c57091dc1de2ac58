// Package statefile remembers what a program has done, in a file, so that the
// program may be killed at any moment and started again.
package statefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Map is what a file holds: values by key, each line of it a change. A change is
// on the disk when the method that makes it returns; one that was cut off in the
// middle of its line was not made. A Map is for one goroutine.
type Map[V any] struct {
	values map[string]V
	path   string
	file   *os.File // Nil if nothing is kept.
	lock   *flock.Flock
	lines  int  // Of the file.
	torn   bool // The last line may be incomplete.
}

// line is one line of a file.
type line[V any] struct {
	Key   string `json:"key"`
	Value V      `json:"value"`
}

// Memory returns a Map that is kept nowhere.
func Memory[V any]() *Map[V] { return &Map[V]{values: map[string]V{}} }

// Open reads a file, or makes it, and forgets the values that keep does not want.
// No other process may have it open.
func Open[V any](path string, keep func(V) bool) (*Map[V], error) {
	// In the place of a device, there would be a file afterwards.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file that could be replaced", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	m := Memory[V]()
	m.path, m.lock = path, flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := m.lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("%s is in use: is this program running already?", path)
	}
	if err = m.read(); err == nil {
		m.drop(keep)
		err = m.rewrite()
	}
	if err != nil {
		return nil, errors.Join(err, m.lock.Unlock())
	}
	return m, nil
}

// Get returns a value, or a zero value if there is none.
func (m *Map[V]) Get(key string) V { return m.values[key] }

// Put notes a value. It holds in memory also if the file cannot be written.
func (m *Map[V]) Put(key string, value V) error {
	m.values[key] = value
	if m.file == nil {
		return nil
	}
	if m.torn || m.lines > 1000+2*len(m.values) {
		return m.rewrite()
	}
	if err := m.append(line[V]{key, value}); err != nil {
		m.torn = true
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}

func (m *Map[V]) append(l line[V]) error {
	m.lines++
	if err := json.NewEncoder(m.file).Encode(l); err != nil {
		return err
	}
	return m.file.Sync()
}

// Keep forgets the values that keep does not want.
func (m *Map[V]) Keep(keep func(V) bool) error {
	if !m.drop(keep) || m.file == nil {
		return nil
	}
	return m.rewrite()
}

func (m *Map[V]) drop(keep func(V) bool) (dropped bool) {
	for key, value := range m.values {
		if !keep(value) {
			delete(m.values, key)
			dropped = true
		}
	}
	return dropped
}

// Close lets another process open the file.
func (m *Map[V]) Close() {
	if m.file != nil {
		m.file.Close()  //nolint:errcheck // Each line was synchronized.
		m.lock.Unlock() //nolint:errcheck // It ends with the process anyway.
	}
}

// read reads all whole lines, and passes over one that was cut off. A file of
// anything else is somebody's, and is left alone.
func (m *Map[V]) read() error {
	content, err := os.ReadFile(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for text := range bytes.Lines(content) {
		var l line[V]
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		switch err := decoder.Decode(&l); {
		case err == nil && text[len(text)-1] == '\n':
			m.values[l.Key] = l.Value
		case text[len(text)-1] == '\n', !bytes.HasPrefix(text, beginning[:min(len(beginning), len(text))]):
			return fmt.Errorf("%s is no state of this program", m.path)
		}
	}
	return nil
}

// beginning is what every line begins with.
var beginning = []byte(`{"key":"`)

// rewrite replaces the file by one with the values alone, by way of a temporary
// one, and leaves it open for what comes.
func (m *Map[V]) rewrite() error {
	file, err := os.CreateTemp(filepath.Dir(m.path), filepath.Base(m.path)+".*") // Made with mode 0600.
	if err != nil {
		return err
	}
	old := m.file
	m.file, m.lines = file, 0
	lines := bufio.NewWriter(file)
	for key, value := range m.values {
		m.lines++
		err = errors.Join(err, json.NewEncoder(lines).Encode(line[V]{key, value}))
	}
	if err = errors.Join(err, lines.Flush(), file.Sync()); err == nil {
		err = os.Rename(file.Name(), m.path)
	}
	if err != nil {
		m.file = old
		return fmt.Errorf("state file: %w", errors.Join(err, file.Close(), os.Remove(file.Name())))
	}
	m.torn = false
	if old != nil {
		return old.Close()
	}
	return nil
}
