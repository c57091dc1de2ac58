package salesiqbolt

import (
	"errors"
	"maps"
	"sync"

	"go.etcd.io/bbolt"
)

// index is what is known of a file without reading it: which events are there, and how
// far the inbox was worked off. It is read when the file is opened, and changes with each
// commit.
type index struct {
	mu    sync.Mutex           // Guards what follows.
	marks map[fingerprint]mark // Of events.
	progress

	changed chan struct{} // Closed when an entry may have become due.
}

// progress is how far an inbox was worked off. A change has a copy of its own.
type progress struct {
	fresh      int             // Entries that were never handed out.
	due        int             // Entries that wait for another try.
	dead       int             // Entries that have had their tries.
	next       uint64          // All entries with a lower number were handed out.
	running    map[uint64]bool // Entries that are handled. True for one that may be what ends the process.
	records    []record        // Of handled events, the oldest first.
	remembered int             // How many events are in them.
}

func (p progress) waiting() int { return p.fresh + p.due }

// load reads a file. An entry that was handed out, and does not wait, was being handled
// when the last process ended.
func (i *index) load(tx *bbolt.Tx) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.marks, i.progress = map[fingerprint]mark{}, progress{running: map[uint64]bool{}}
	if k := tx.Bucket(formatBucket).Get(nextKey); len(k) == 8 {
		i.next = readNumber(k)
	}
	waits := map[uint64]bool{}
	return errors.Join(
		tx.Bucket(handledBucket).ForEach(func(k, b []byte) error {
			r, err := decodeRecord(k, b)
			for _, event := range r.events {
				i.marks[event] = mark{at: r.at}
			}
			i.records, i.remembered = append(i.records, r), i.remembered+len(r.events)
			return err
		}),
		tx.Bucket(dueBucket).ForEach(func(k, _ []byte) error {
			waits[readNumber(k[8:])] = true
			i.due++
			return nil
		}),
		tx.Bucket(inboxBucket).ForEach(func(k, b []byte) error {
			e, err := decodeEntry(k, b)
			i.marks[fingerprintOf(e.EventID)] = mark{number: e.number}
			if e.number >= i.next {
				i.fresh++
			} else if !waits[e.number] {
				i.running[e.number] = e.suspect()
			}
			return err
		}),
		tx.Bucket(deadBucket).ForEach(func(k, b []byte) error {
			e, err := decodeEntry(k, b)
			i.marks[fingerprintOf(e.EventID)] = mark{number: e.number}
			i.dead++
			return err
		}),
	)
}

// follow remembers what a commit has changed.
func (i *index) follow(c *change) {
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.Copy(i.marks, c.marks)
	for _, r := range c.forgotten {
		for _, event := range r.events {
			if i.marks[event] == (mark{at: r.at}) { // It was not marked again.
				delete(i.marks, event)
			}
		}
	}
	before := i.progress
	i.progress = c.progress
	if i.waiting() > before.waiting() || i.due > 0 && len(i.running) < len(before.running) { // It may have waited for one that was handled.
		close(i.changed)
		i.changed = make(chan struct{})
	}
}

// now returns how far the inbox was worked off. The caller must not write to its map.
func (i *index) now() progress {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.progress
}

// markOf returns the mark of an event, or none.
func (i *index) markOf(event fingerprint) mark {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.marks[event]
}

// wait returns a channel that is closed when an entry may have become due.
func (i *index) wait() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.changed
}
