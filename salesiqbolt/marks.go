package salesiqbolt

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// fingerprint stands for an event's id, which may be long. Those of different ids differ.
type fingerprint [16]byte

func fingerprintOf(id string) fingerprint {
	sum := sha256.Sum256([]byte(id))
	return fingerprint(sum[:16])
}

// mark is what is known of an event: where it is in the inbox, or when it was handled.
type mark struct {
	number uint64 // Of its entry, be that a dead letter. Zero for an event that was handled.
	at     int64  // When it was handled, in nanoseconds of Unix time.
}

// record is what a commit has written of events that were handled.
type record struct {
	key    uint64
	at     int64 // In nanoseconds of Unix time.
	events []fingerprint
}

func (r record) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.at)) //nolint:gosec // Back and forth, it stays the same.
	for _, event := range r.events {
		b = append(b, event[:]...)
	}
	return b
}

// decodeRecord reads a record.
func decodeRecord(k, b []byte) (r record, err error) {
	if len(k) != 8 || len(b) < 8 {
		return record{}, errCut
	}
	r.key, r.at = readNumber(k), int64(readNumber(b)) //nolint:gosec // Back and forth, it stays the same.
	for event := range slices.Chunk(b[8:], len(fingerprint{})) {
		r.events = append(r.events, fingerprint(event))
	}
	return r, nil
}

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// knows reports whether an event is in the inbox, or was handled and is remembered.
func (f *File) knows(event fingerprint) bool {
	m := f.index.markOf(event)
	return m.number > 0 || m.at > 0 && !f.isOld(m.at)
}

// isOld reports whether what was handled at a time is to be forgotten.
func (f *File) isOld(at int64) bool { return time.Now().UnixNano()-at > int64(f.maxAge) }

// knows reports the same, and minds what the change does.
func (c *change) knows(event fingerprint) bool {
	_, changed := c.marks[event]
	return changed || c.file.knows(event)
}

// markHandled notes that an event was handled.
func (c *change) markHandled(event fingerprint) {
	c.marks[event] = mark{at: c.now.UnixNano()}
	c.handled = append(c.handled, event)
}

// remember writes which events were handled.
func (c *change) remember() error {
	if len(c.handled) == 0 {
		return nil
	}
	bucket := c.appendTo(handledBucket)
	number, err := bucket.NextSequence()
	r := record{key: number, at: c.now.UnixNano(), events: c.handled}
	c.records, c.remembered = append(c.records, r), c.remembered+len(r.events)
	return errors.Join(err, bucket.Put(key(number), r.encode()))
}

// maxForgotten bounds how many records a commit forgets, so that none takes long.
const maxForgotten = 1000

// forget drops the oldest records, if they are too old, or the others are of as many
// events as are to be remembered.
func (c *change) forget() error {
	for len(c.records) > 0 && len(c.forgotten) < maxForgotten {
		oldest := c.records[0]
		left := c.remembered - len(oldest.events)
		if left < c.file.maxEvents && !c.file.isOld(oldest.at) {
			break
		}
		if err := c.bucket(handledBucket).Delete(key(oldest.key)); err != nil {
			return err
		}
		c.records, c.remembered, c.forgotten = c.records[1:], left, append(c.forgotten, oldest)
	}
	return nil
}
