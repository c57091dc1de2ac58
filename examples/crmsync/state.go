package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/examples/internal/statefile"
)

// The states of an e-mail address.
const (
	stateCreating = "creating" // A lead was about to be created.
	stateRefused  = "refused"  // The CRM would not have one.
	stateDone     = "done"     // There is a lead.
)

// entry is what was done about an e-mail address.
type entry struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// journal remembers what was done, by e-mail address. Each step is on the disk
// before the next begins.
type journal = statefile.Map[entry]

// journalMemory is how long an address is remembered: longer than visitors are
// looked back for.
const journalMemory = 30 * 24 * time.Hour

func loadJournal(path string, now time.Time) (*journal, error) {
	return statefile.Open(path, func(e entry) bool { return now.Sub(e.At) < journalMemory })
}

// openJournal returns the journal of the settings, or one that does not outlive
// this run.
func openJournal(c config, client *account.Account, crm string) (*journal, error) {
	switch {
	case c.dryRun, client.Emulator != nil && c.state == "":
		return statefile.Memory[entry](), nil
	case c.state != "":
		return loadJournal(c.state, time.Now())
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return loadJournal(filepath.Join(folder, "salesiq-crmsync", fileName(crm)), time.Now())
}

// fileName names a journal by the CRM that it is about.
func fileName(crm string) string {
	sum := sha256.Sum256([]byte(crm))
	return hex.EncodeToString(sum[:8]) + ".jsonl"
}
