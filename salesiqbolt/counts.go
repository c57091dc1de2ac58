package salesiqbolt

import (
	"sync"

	"go.etcd.io/bbolt"
)

// tally counts what is in the buckets.
type tally struct{ marks, due, taken, dead int }

// counts keeps the tally of a file, so that nobody has to count it.
type counts struct {
	mu sync.Mutex // Guards what follows.
	tally

	changed chan struct{} // Closed when an entry may have become due.
}

// load counts what is in a file.
func (c *counts) load(tx *bbolt.Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, n := range map[*int][]byte{&c.marks: orderBucket, &c.due: dueBucket, &c.taken: takenBucket, &c.dead: deadBucket} {
		cursor := tx.Bucket(n).Cursor()
		*name = 0
		for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
			*name++
		}
	}
	return nil
}

func (c *counts) add(delta tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks += delta.marks
	c.due += delta.due
	c.taken += delta.taken
	c.dead += delta.dead
	if delta.due > 0 || delta.taken < 0 && c.due > 0 { // It may have waited for one that was handled.
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

func (c *counts) now() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally
}

// wait returns a channel that is closed when an entry may have become due.
func (c *counts) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}
