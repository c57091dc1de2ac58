package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// The states of an e-mail address.
const (
	stateCreating = "creating" // A lead was about to be created.
	stateRefused  = "refused"  // The CRM would not have one.
	stateDone     = "done"     // There is a lead.
)

// entry is one line of the journal.
type entry struct {
	Email string    `json:"email"`
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// journal remembers what was done. Each step is on the disk before the next
// begins, and one that was cut off in the middle of a line is as if it had not
// been written.
type journal struct {
	entries map[string]entry
	file    *os.File // Nil if nothing is kept.
	lock    *flock.Flock
}

// newJournal returns a journal that is kept nowhere.
func newJournal() *journal { return &journal{entries: map[string]entry{}} }

// journalMemory is how long an address is remembered: longer than visitors are
// looked back for.
const journalMemory = 30 * 24 * time.Hour

// loadJournal opens a journal, which no other process may have open.
func loadJournal(path string, now time.Time) (*journal, error) {
	if err := account.CheckStateFile(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	j := newJournal()
	j.lock = flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := j.lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("%s is in use: is another crmsync running?", path)
	}
	if err = j.read(path, now); err == nil {
		err = j.rewrite(path)
	}
	if err != nil {
		return nil, errors.Join(err, j.lock.Unlock())
	}
	return j, nil
}

func (j *journal) read(path string, now time.Time) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil && now.Sub(e.At) < journalMemory {
			j.entries[e.Email] = e
		}
	}
	return lines.Err()
}

// rewrite replaces the file by one without what is old or half written, by way
// of a temporary one, and leaves it open for what comes.
func (j *journal) rewrite(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // Made with mode 0600.
	if err != nil {
		return err
	}
	j.file = file
	lines := json.NewEncoder(file)
	for _, e := range j.entries {
		err = errors.Join(err, lines.Encode(e))
	}
	if err = errors.Join(err, file.Sync()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return nil
}

// note writes a state down.
func (j *journal) note(email, state string) error {
	e := entry{Email: email, State: state, At: time.Now()}
	j.entries[email] = e
	if j.file == nil {
		return nil
	}
	if err := json.NewEncoder(j.file).Encode(e); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()  //nolint:errcheck // Each line was synchronized.
		j.lock.Unlock() //nolint:errcheck // It ends with the process anyway.
	}
}

// fileName names a journal by the CRM that it is about.
func fileName(crm string) string {
	sum := sha256.Sum256([]byte(crm))
	return hex.EncodeToString(sum[:8]) + ".jsonl"
}
