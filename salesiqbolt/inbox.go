package salesiqbolt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.etcd.io/bbolt"

	"github.com/salesiq-go/salesiq/webhook"
)

// Inbox is a [webhook.Sink] that keeps events in a file until they have been
// handled; see [Inbox.Run].
//
// An event that is enqueued again is the same, as long as its mark is remembered
// ([WithMaxAge], [WithMaxEvents]), which is always the case before it was handled.
//
// An event is handled at least once. It is handled again if its handler fails, or
// if the process ends, or the disk is full, between the end of the handler and the
// commit that follows. A handler for which that matters can use
// [webhook.EventInfo.EventID] as a key of its own.
//
// A try that the end of the process cut short counts. An event with three of them may
// be what ends the process, or have been beside that. So it is handled while no other
// such event is, and its tenth try that is cut short is the last.
//
// No event is dropped to make room, and no dead letter.
type Inbox struct {
	file *File

	workers      int
	timeout      time.Duration
	tries        int
	retryFor     time.Duration // Zero if the tries are given.
	firstPause   time.Duration
	longestPause time.Duration
}

// Inbox returns the inbox of a file, for [webhook.WithSink] and for [Inbox.Run].
// All inboxes of a file have the same events.
//
// Errors: a [salesiq.InputError] that names the option whose argument is no good,
// or a file that was not opened by Open.
func (f *File) Inbox(opts ...InboxOption) (*Inbox, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	i := &Inbox{
		file:         f,
		workers:      10,
		timeout:      30 * time.Second,
		retryFor:     48 * time.Hour,
		firstPause:   time.Second,
		longestPause: 5 * time.Minute,
	}
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(i); err != nil {
			return nil, err
		}
	}
	if i.retryFor > 0 {
		i.tries = i.triesWithin(i.retryFor)
	}
	return i, nil
}

// triesWithin returns how many tries an event has if the pauses between them add up to
// a time.
func (i *Inbox) triesWithin(d time.Duration) int {
	tries := int64(1)
	for pause := i.firstPause; d > 0 && pause > 0 && pause < i.longestPause; pause *= 2 {
		d -= pause
		tries++
	}
	if d > 0 {
		tries += min(int64((d-1)/i.longestPause), maxTries) + 1
	}
	return int(min(tries, maxTries))
}

const (
	// maxTries is how many tries an entry can count, beside its cuts.
	maxTries = 1<<24 - 1
	// maxCuts is how many tries of an event the process may cut short. A handler that
	// ends the process would do so for days otherwise.
	maxCuts = 10
	// suspectCuts is after how many of them an event is handled while no other such
	// event is, so that those cuts are not counted that another event has caused.
	suspectCuts = 3
)

// check refuses an inbox that nobody made.
func (i *Inbox) check() error {
	if i == nil || i.file == nil {
		return inputError("inbox", "must be made by File.Inbox")
	}
	return i.file.check()
}

// MaxAge returns how long handled events are remembered; see [webhook.WithTolerance].
func (i *Inbox) MaxAge() time.Duration {
	if i.check() != nil {
		return 0
	}
	return i.file.maxAge
}

// overhead is about what an entry takes beside its body, in bytes.
const overhead = 256

// Enqueue implements [webhook.Sink]. It returns once the event is in the file.
// Events that are enqueued at the same time share a commit.
//
// Errors: a [FileError], such as for [ErrFull]; a [salesiq.InputError] for no
// event.
func (i *Inbox) Enqueue(ctx context.Context, event webhook.Event) error {
	if err := cmp.Or(i.check(), given("event", event)); err != nil {
		return err
	}
	f, info := i.file, event.Info()
	if err := checkID(info.EventID); err != nil {
		return err
	}
	if len(info.Body) == 0 {
		return inputError("event", "must have a body: read it with webhook.Parse")
	}
	size := len(info.Body) + overhead
	if f.used.Load()+int64(size) > f.maxSize {
		return f.fail(fmt.Errorf("%w: it has reached its size of %d bytes", ErrFull, f.maxSize))
	}
	return f.do(ctx, &job{
		apply: func(c *change) error { return c.enqueue(info) },
		after: func() { f.claims.advance(info.EventID, stored) },
		bytes: size,
	})
}

// enqueue puts an event into the inbox, unless it is known.
func (c *change) enqueue(info *webhook.EventInfo) error {
	id := []byte(info.EventID)
	if markOf(c.tx, id).counts(c.now, c.file.maxAge) {
		return nil
	}
	inbox := c.appendTo(inboxBucket)
	number, err := inbox.NextSequence()
	if err != nil {
		return err
	}
	entry := Entry{EventID: info.EventID, Body: info.Body, Trace: shortTrace(info.Trace), At: c.now, number: number}
	return errors.Join(
		inbox.Put(key(number), entry.encode()),
		c.bucket(marksBucket).Put(id, mark{state: markInbox, number: number}.encode()),
		c.wait(entry),
	)
}

// wait lets an entry wait until it is due.
func (c *change) wait(e Entry) error {
	c.delta.due++
	return c.bucket(dueBucket).Put(e.dueKey(), e.suspicion())
}

// suspicion is what stands beside an entry that waits or is handled: something for one
// that may be what ends the process.
func (e Entry) suspicion() []byte {
	if e.cuts < suspectCuts {
		return nil
	}
	return []byte{1}
}

// suspectRuns tells whether an entry is handled that may be what ends the process.
func (c *change) suspectRuns() bool {
	cursor := c.bucket(takenBucket).Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		if len(v) > 0 {
			return true
		}
	}
	return false
}

// entryOf reads an entry, if it is in a bucket.
func (c *change) entryOf(bucket []byte, number uint64) (e Entry, found bool, err error) {
	b := c.bucket(bucket).Get(key(number))
	if b == nil {
		return Entry{}, false, nil
	}
	e, err = decodeEntry(key(number), b)
	return e, err == nil, err
}

// removeFrom deletes a key, and counts that.
func (c *change) removeFrom(bucket, k []byte, count *int) (found bool, err error) {
	b := c.bucket(bucket)
	if existing, _ := b.Cursor().Seek(k); string(existing) != string(k) {
		return false, nil
	}
	*count--
	return true, b.Delete(k)
}

// take hands out entries that are due: first those that failed before, which are
// few, and then the others in their order. Entries that have had their tries
// become dead letters.
func (c *change) take(n, tries int, latest time.Time) (taken []Entry, dead []Entry, err error) {
	keys, _ := c.dueKeys(n, latest)
	for _, k := range keys {
		if _, err := c.removeFrom(dueBucket, k, &c.delta.due); err != nil {
			return nil, nil, err
		}
		e, found, err := c.entryOf(inboxBucket, readNumber(k[8:]))
		switch {
		case err != nil:
			return nil, nil, err
		case !found:
			continue
		case e.Tries >= tries, e.cuts >= maxCuts:
			dead = append(dead, e)
			err = c.bury(e)
		default:
			e.Tries++
			taken = append(taken, e)
			c.delta.taken++
			err = c.bucket(takenBucket).Put(key(e.number), e.suspicion())
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return taken, dead, nil
}

// dueKeys returns the keys of entries that are due, and when the next one will be. A
// time beyond the longest pause comes from a clock that was wrong, and has come, too.
func (c *change) dueKeys(n int, latest time.Time) (keys [][]byte, next time.Time) {
	cursor := c.bucket(dueBucket).Cursor()
	suspect, known := false, false // Whether one is handled, or is among the keys.
	from := func(first []byte, until func(k []byte) bool) {
		for k, v := cursor.Seek(first); k != nil && len(keys) < n && until(k); k, v = cursor.Next() {
			if len(v) > 0 {
				if !known {
					suspect, known = c.suspectRuns(), true
				}
				if suspect {
					continue
				}
				suspect = true
			}
			keys = append(keys, bytes.Clone(k))
		}
	}
	tried := key(1)
	from(tried, func(k []byte) bool { return !readTime(k).After(c.now) })
	from(key(writeTime(latest)+1), func([]byte) bool { return true })
	from(nil, func(k []byte) bool { return string(k) < string(tried) })
	if k, _ := cursor.Seek(key(writeTime(c.now) + 1)); k != nil {
		next = readTime(k)
	}
	return keys, next
}

// nextDue returns how many entries are due, up to one, and when the next one is.
func (i *Inbox) nextDue() (due bool, next time.Time, err error) {
	if i.file.counts.now().due == 0 {
		return false, time.Time{}, i.file.usable()
	}
	err = i.file.view(func(tx *bbolt.Tx) error {
		c := &change{tx: tx, file: i.file, now: time.Now()}
		keys, at := c.dueKeys(1, c.now.Add(2*i.longestPause))
		due, next = len(keys) > 0, at
		return nil
	})
	return due, next, err
}

// finish removes an entry that was handled.
func (c *change) finish(e Entry) error {
	if _, err := c.removeFrom(takenBucket, key(e.number), &c.delta.taken); err != nil {
		return err
	}
	return errors.Join(c.bucket(inboxBucket).Delete(key(e.number)), c.markHandled([]byte(e.EventID)))
}

// putBack lets an entry that failed wait for its next try, or makes it a dead
// letter.
func (c *change) putBack(e Entry, tries int) error {
	found, err := c.removeFrom(takenBucket, key(e.number), &c.delta.taken)
	switch {
	case err != nil || !found: // It was put back before.
		return err
	case e.Tries >= tries:
		return c.bury(e)
	}
	return errors.Join(c.bucket(inboxBucket).Put(key(e.number), e.encode()), c.wait(e))
}

// bury makes an entry a dead letter.
func (c *change) bury(e Entry) error {
	c.delta.dead++
	e.Due = time.Time{}
	return errors.Join(c.bucket(inboxBucket).Delete(key(e.number)), c.appendTo(deadBucket).Put(key(e.number), e.encode()))
}

// returnTaken lets the entries wait that the last process was handling. That was
// a try.
func returnTaken(c *change) error {
	var numbers []uint64
	cursor := c.bucket(takenBucket).Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		numbers = append(numbers, readNumber(k))
	}
	for _, number := range numbers {
		if _, err := c.removeFrom(takenBucket, key(number), &c.delta.taken); err != nil {
			return err
		}
		e, found, err := c.entryOf(inboxBucket, number)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		e.Tries++
		e.cuts++
		e.Due = c.now
		e.LastError = "the process ended while it was handled"
		if err := errors.Join(c.bucket(inboxBucket).Put(key(number), e.encode()), c.wait(e)); err != nil {
			return err
		}
	}
	return nil
}

// pause returns how long an entry waits after a try.
func (i *Inbox) pause(try int) time.Duration {
	pause := i.firstPause
	for range try - 1 {
		if pause *= 2; pause >= i.longestPause || pause <= 0 {
			pause = i.longestPause
			break
		}
	}
	return pause - pause/4 + rand.N(pause/2+1) //nolint:gosec // It is no secret.
}
