package salesiqbolt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Stats tells what is in an [Inbox].
type Stats struct {
	Waiting     int       // Events that wait to be handled, or to be tried again.
	Running     int       // Events that are being handled.
	DeadLetters int       // Events that have had their tries.
	Oldest      time.Time // When the oldest event was taken that waits or is handled. Zero for none.
	Bytes       int64     // What the file holds.
	MaxBytes    int64     // What it may hold, by WithMaxSize.
}

// Age returns for how long the oldest event has been waiting.
func (s Stats) Age() time.Duration {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(s.Oldest)) // The clock may have been set back.
}

// Health answers with the [Stats] of the inbox as JSON, for a probe or a person:
//
//	mux.HandleFunc("GET /healthz", inbox.Health)
//
// Its status is 503 while the file cannot be read, and 200 otherwise: dead letters are
// worth an alert, but a restart does not help them.
func (i *Inbox) Health(w http.ResponseWriter, _ *http.Request) {
	stats, err := i.Stats()
	if err != nil {
		http.Error(w, "the inbox cannot be read", http.StatusServiceUnavailable) // The cause has a path.
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{ //nolint:errcheck // Whoever asked has gone.
		"waiting": stats.Waiting, "running": stats.Running, "dead_letters": stats.DeadLetters,
		"oldest_seconds": int64(stats.Age().Seconds()), "bytes": stats.Bytes, "max_bytes": stats.MaxBytes,
	})
}

// Stats returns how many events there are, and how old they are. It costs little.
func (i *Inbox) Stats() (Stats, error) {
	if err := i.check(); err != nil {
		return Stats{}, err
	}
	f := i.file
	p := f.index.now()
	stats := Stats{Waiting: p.waiting(), Running: len(p.running), DeadLetters: p.dead, Bytes: f.used.Load(), MaxBytes: f.maxSize}
	err := f.view(func(tx *bbolt.Tx) error {
		k, b := tx.Bucket(inboxBucket).Cursor().First()
		if k == nil {
			return nil
		}
		e, err := decodeEntry(k, b)
		stats.Oldest = e.At
		return err
	})
	if err != nil {
		return Stats{}, err
	}
	return stats, nil
}

// Entries yields the events that wait or are being handled, the oldest first.
func (i *Inbox) Entries(ctx context.Context) iter.Seq2[Entry, error] { return i.list(ctx, inboxBucket) }

// DeadLetters yields the events that have had their tries, the oldest first.
func (i *Inbox) DeadLetters(ctx context.Context) iter.Seq2[Entry, error] {
	return i.list(ctx, deadBucket)
}

// chunk is how many entries are read or changed at once, so that a list of any
// length holds nobody up.
const chunk = 100

func (i *Inbox) list(ctx context.Context, bucket []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := i.check(); err != nil {
			yield(Entry{}, err)
			return
		}
		for from, more := uint64(0), true; more; {
			entries, err := i.read(ctx, bucket, from, chunk)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if more = len(entries) == chunk; more {
				from = entries[chunk-1].number + 1
			}
			if slices.ContainsFunc(entries, func(e Entry) bool { return !yield(e, nil) }) {
				return
			}
		}
	}
}

// read returns the next entries from a number on.
func (i *Inbox) read(ctx context.Context, bucket []byte, from uint64, n int) (entries []Entry, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err = i.file.view(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucket).Cursor()
		for k, b := cursor.Seek(key(from)); k != nil && len(entries) < n; k, b = cursor.Next() {
			e, err := decodeEntry(k, b)
			if err != nil {
				return err
			}
			e.Body = bytes.Clone(e.Body)
			entries = append(entries, e)
		}
		return nil
	})
	if len(entries) == n && entries[n-1].number < from {
		err = i.file.fail(errCut) // The list would go round in circles.
	}
	return entries, err
}

// Replay lets dead letters be handled again, with all their tries, and returns how
// many of the ids are of one.
func (i *Inbox) Replay(ctx context.Context, eventIDs ...string) (int, error) {
	return i.eachOf(ctx, eventIDs, (*change).revive)
}

// ReplayAll lets all dead letters be handled again.
func (i *Inbox) ReplayAll(ctx context.Context) (int, error) { return i.all(ctx, (*change).revive) }

// Purge deletes dead letters, and returns how many of the ids are of one. The
// events count as handled.
func (i *Inbox) Purge(ctx context.Context, eventIDs ...string) (int, error) {
	return i.eachOf(ctx, eventIDs, (*change).purge)
}

// PurgeAll deletes all dead letters.
func (i *Inbox) PurgeAll(ctx context.Context) (int, error) { return i.all(ctx, (*change).purge) }

// eachOf does something to the dead letters of some events.
func (i *Inbox) eachOf(ctx context.Context, eventIDs []string, do func(*change, Entry) error) (int, error) {
	if err := i.check(); err != nil {
		return 0, err
	}
	var numbers []uint64
	for _, id := range eventIDs {
		numbers = append(numbers, i.file.index.markOf(fingerprintOf(id)).number)
	}
	return i.each(ctx, numbers, do)
}

// each does something to the dead letters of some numbers.
func (i *Inbox) each(ctx context.Context, numbers []uint64, do func(*change, Entry) error) (done int, err error) {
	err = i.file.do(ctx, &job{apply: func(c *change) error {
		for _, number := range numbers {
			e, found, err := c.entryOf(deadBucket, number)
			if err == nil && found {
				done++
				err = do(c, e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return 0, err
	}
	return done, nil
}

// all does something to all dead letters.
func (i *Inbox) all(ctx context.Context, do func(*change, Entry) error) (done int, err error) {
	var numbers []uint64
	for e, err := range i.DeadLetters(ctx) {
		if err != nil {
			return 0, err
		}
		numbers = append(numbers, e.number)
	}
	for part := range slices.Chunk(numbers, chunk) {
		n, err := i.each(ctx, part, do)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// revive lets a dead letter wait to be handled.
func (c *change) revive(e Entry) error {
	e.Tries, e.cuts = 0, 0
	return errors.Join(c.exhume(e), c.wait(e))
}

// purge deletes a dead letter.
func (c *change) purge(e Entry) error {
	c.markHandled(fingerprintOf(e.EventID))
	return c.exhume(e)
}

// exhume takes an entry from the dead letters.
func (c *change) exhume(e Entry) error {
	c.dead--
	return c.bucket(deadBucket).Delete(key(e.number))
}
