package salesiqbolt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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
	return nil
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
	id := fingerprintOf(info.EventID)
	entry := Entry{EventID: info.EventID, Body: info.Body, Trace: shortTrace(info.Trace), At: time.Now()}.encode()
	return f.do(ctx, &job{apply: func(c *change) error { return c.enqueue(id, entry) }, bytes: size})
}

// enqueue puts an event into the inbox, unless it is known.
func (c *change) enqueue(event fingerprint, entry []byte) error {
	if c.knows(event) {
		return nil
	}
	inbox := c.appendTo(inboxBucket)
	number, err := inbox.NextSequence()
	c.fresh++
	c.marks[event] = mark{number: number}
	return errors.Join(err, inbox.Put(key(number), entry))
}

// wait lets an entry wait until it is due.
func (c *change) wait(e Entry) error {
	c.due++
	var suspicion []byte
	if e.suspect() {
		suspicion = []byte{1}
	}
	return errors.Join(c.bucket(inboxBucket).Put(key(e.number), e.encode()), c.bucket(dueBucket).Put(e.dueKey(), suspicion))
}

// suspect reports whether an entry may be what ends the process.
func (e Entry) suspect() bool { return e.cuts >= suspectCuts }

// suspectRuns reports whether such an entry is handled.
func (p progress) suspectRuns() bool {
	for _, suspect := range p.running {
		if suspect {
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
	e.Body = bytes.Clone(e.Body)
	return e, err == nil, err
}

// take hands out entries: first those that failed before and are due, which are few, and
// then those that are fresh, in their order. Entries that have had their tries become
// dead letters.
func (c *change) take(n, tries int, latest time.Time) (taken []Entry, dead []Entry, err error) {
	keys, _ := c.dueKeys(n, latest)
	for _, k := range keys {
		c.due--
		e, found, err := c.entryOf(inboxBucket, readNumber(k[8:]))
		if err := errors.Join(err, c.bucket(dueBucket).Delete(k)); err != nil {
			return nil, nil, err
		}
		switch {
		case !found:
		case e.Tries >= tries, e.cuts >= maxCuts:
			dead = append(dead, e)
			if err := c.bury(e); err != nil {
				return nil, nil, err
			}
		default:
			taken = append(taken, c.handOut(e))
		}
	}
	cursor := c.bucket(inboxBucket).Cursor()
	k, b := cursor.Seek(key(c.next))
	for room := n - len(keys); room > 0 && k != nil; room-- {
		e, err := decodeEntry(k, b)
		if err != nil {
			return nil, nil, err
		}
		e.Body = bytes.Clone(e.Body)
		c.fresh--
		c.next = e.number + 1
		taken = append(taken, c.handOut(e))
		k, b = cursor.Next()
	}
	return taken, dead, nil
}

// handOut returns an entry for its next try.
func (c *change) handOut(e Entry) Entry {
	c.running[e.number] = e.suspect()
	e.Tries++
	return e
}

// dueKeys returns the keys of entries whose next try is due, and when another one will
// be. A time beyond the longest pause comes from a clock that was wrong, and has come, too.
func (c *change) dueKeys(n int, latest time.Time) (keys [][]byte, next time.Time) {
	cursor := c.bucket(dueBucket).Cursor()
	suspect := c.suspectRuns() // Or is among the keys.
	from := func(first, last uint64) {
		for k, v := cursor.Seek(key(first)); k != nil && len(keys) < n && readNumber(k) <= last; k, v = cursor.Next() {
			if len(v) > 0 {
				if suspect {
					continue
				}
				suspect = true
			}
			keys = append(keys, bytes.Clone(k))
		}
	}
	from(0, writeTime(c.now))
	from(writeTime(latest)+1, math.MaxUint64)
	if k, _ := cursor.Seek(key(writeTime(c.now) + 1)); k != nil {
		next = readTime(k)
	}
	return keys, next
}

// nextDue returns how many entries are due, up to one, and when the next one is.
func (i *Inbox) nextDue() (due bool, next time.Time, err error) {
	if p := i.file.index.now(); p.fresh > 0 || p.due == 0 {
		return p.fresh > 0, time.Time{}, i.file.usable()
	}
	err = i.file.view(func(tx *bbolt.Tx) error {
		c := i.file.newChange(tx, 0)
		keys, at := c.dueKeys(1, c.now.Add(2*i.longestPause))
		due, next = len(keys) > 0, at
		return nil
	})
	return due, next, err
}

// endTry notes that an entry is handled no more. That is false if it was noted before.
func (c *change) endTry(number uint64) bool {
	_, running := c.running[number]
	delete(c.running, number)
	return running
}

// finish removes an entry that was handled.
func (c *change) finish(e Entry) error {
	if !c.endTry(e.number) {
		return nil
	}
	c.markHandled(fingerprintOf(e.EventID))
	return c.bucket(inboxBucket).Delete(key(e.number))
}

// putBack lets an entry that failed wait for its next try, or makes it a dead
// letter.
func (c *change) putBack(e Entry, tries int) error {
	switch {
	case !c.endTry(e.number):
		return nil
	case e.Tries >= tries:
		return c.bury(e)
	}
	return c.wait(e)
}

// bury makes an entry a dead letter.
func (c *change) bury(e Entry) error {
	c.dead++
	e.Due = time.Time{}
	return errors.Join(c.bucket(inboxBucket).Delete(key(e.number)), c.appendTo(deadBucket).Put(key(e.number), e.encode()))
}

// returnTaken lets the entries wait that the last process was handling. That was
// a try.
func returnTaken(c *change) (err error) {
	for number := range c.running {
		delete(c.running, number)
		e, _, unreadable := c.entryOf(inboxBucket, number)
		e.Tries++
		e.cuts++
		e.Due = c.now
		e.LastError = "the process ended while it was handled"
		err = errors.Join(err, unreadable, c.wait(e))
	}
	return err
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
