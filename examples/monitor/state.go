package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// state is what was done, by chat, and when the chat was last seen active.
type state struct {
	Alerted map[string]time.Time `json:"alerted"`
	Moved   map[string]time.Time `json:"moved"`

	path string // Nowhere if empty.
}

// loadState reads what an earlier run has done, if a file is to tell.
func loadState(path string) (*state, error) {
	s := &state{Alerted: map[string]time.Time{}, Moved: map[string]time.Time{}, path: path}
	if path == "" {
		return s, nil
	}
	if err := account.CheckStateFile(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = s.save() // What cannot be written had better be known now.
		return s, err
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, s); err != nil || s.Alerted == nil || s.Moved == nil {
		return nil, fmt.Errorf("%s is no state of this program", path)
	}
	return s, nil
}

// save replaces the file by way of another one, so that it is always whole.
func (s *state) save() error {
	if s.path == "" {
		return nil
	}
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), s.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
