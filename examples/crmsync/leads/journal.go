package leads

import (
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/statefile"
)

// The states of an e-mail address.
const (
	stateCreating = "creating" // A lead was about to be created.
	stateRefused  = "refused"  // The CRM would not have one.
	stateDone     = "done"     // There is a lead.
)

// Entry is what was done about an e-mail address.
type Entry struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// Journal remembers what was done, by e-mail address. Each step is on the disk
// before the next begins.
type Journal = statefile.Map[Entry]

// journalMemory is how long an address is remembered: longer than visitors are
// looked back for.
const journalMemory = 30 * 24 * time.Hour

// OpenJournal opens the journal in a file, or makes it. No other process may have
// it open.
func OpenJournal(path string, now time.Time) (*Journal, error) {
	return statefile.Open(path, func(e Entry) bool { return now.Sub(e.At) < journalMemory })
}

// NewJournal returns a journal that is kept nowhere.
func NewJournal() *Journal { return statefile.Memory[Entry]() }
