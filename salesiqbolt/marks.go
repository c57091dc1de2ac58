package salesiqbolt

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// maxForgotten bounds how many marks a commit forgets, so that none takes long.
const maxForgotten = 1000

// mark is what is known of an event: that it was handled, and when, or that it is
// in the inbox.
type mark struct {
	state  byte
	at     time.Time // When it was handled.
	number uint64    // Its key in the order of handled events, or in the inbox.
}

const (
	markDone  = 1
	markInbox = 2
)

func (m mark) encode() []byte {
	b := make([]byte, 0, 17)
	b = binary.BigEndian.AppendUint64(append(b, m.state), m.number)
	return binary.BigEndian.AppendUint64(b, uint64(m.at.UnixNano()))
}

// markOf returns the mark of an event, or none.
func markOf(tx *bbolt.Tx, id []byte) (m mark) {
	b := tx.Bucket(marksBucket).Get(id)
	if len(b) != 17 {
		return mark{}
	}
	return mark{state: b[0], number: binary.BigEndian.Uint64(b[1:]), at: readTime(b[9:])}
}

func readTime(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))) //nolint:gosec // Back and forth, it stays the same.
}

// counts reports whether a mark says that an event is not to be handled.
func (m mark) counts(now time.Time, maxAge time.Duration) bool {
	return m.state == markInbox || m.state == markDone && now.Sub(m.at) <= maxAge
}

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// markHandled notes that an event was handled, unless that is known.
func (c *change) markHandled(id []byte) error {
	if known := markOf(c.tx, id); known.state == markDone && known.counts(c.now, c.file.maxAge) {
		return nil
	}
	order := c.appendTo(orderBucket)
	number, err := order.NextSequence()
	if err != nil {
		return err
	}
	m := mark{state: markDone, at: c.now, number: number}
	if err := order.Put(key(number), append(m.encode()[9:], id...)); err != nil {
		return err
	}
	c.delta.marks++
	return c.bucket(marksBucket).Put(id, m.encode())
}

// forget drops the marks that are too old, or too many, the oldest first.
func (c *change) forget() error {
	tooMany := c.file.counts.now().marks + c.delta.marks - c.file.maxEvents
	for range maxForgotten {
		k, v := c.bucket(orderBucket).Cursor().First()
		if k == nil || tooMany <= 0 && c.now.Sub(readTime(v)) <= c.file.maxAge {
			break
		}
		if err := c.forgetMark(bytes.Clone(k), bytes.Clone(v[8:])); err != nil {
			return err
		}
		tooMany--
	}
	return nil
}

// forgetMark drops a mark, unless the event was marked again after that.
func (c *change) forgetMark(k, id []byte) error {
	if m := markOf(c.tx, id); m.state == markDone && bytes.Equal(key(m.number), k) {
		if err := c.bucket(marksBucket).Delete(id); err != nil {
			return err
		}
	}
	c.delta.marks--
	return c.bucket(orderBucket).Delete(k)
}
