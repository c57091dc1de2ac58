package salesiqbolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// The bounds of a group of jobs that are one commit.
const (
	maxGroup      = 4096
	maxGroupBytes = 8 << 20
)

// How often it is tried to write what must be written.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = time.Second
)

// job is a change of the file. A change that is made twice is made once.
type job struct {
	apply func(*change) error
	bytes int
	owed  bool   // It is tried until it succeeds.
	after func() // Called after the commit; may be nil.
	told  bool   // Whether err is known.
	err   error  // Of the first try. It may be read once that of its group has ended.
}

// sends reports whether a job brings something new. Marks come when they come.
func (j *job) sends() bool { return !j.owed && j.bytes > 0 }

// group is the jobs of one commit.
type group struct {
	jobs    []*job
	bytes   int
	senders int           // How many of the jobs bring something new.
	ended   chan struct{} // Closed when all of them have been tried.
}

// change is what a group of jobs does to the file, and to what is known of it.
type change struct {
	progress

	file      *File
	tx        *bbolt.Tx
	now       time.Time
	marks     map[fingerprint]mark // Of events that have come, or were handled.
	handled   []fingerprint        // Events that were handled.
	forgotten []record
}

// newChange returns a change that changes nothing yet.
func (f *File) newChange(tx *bbolt.Tx, jobs int) *change {
	c := &change{file: f, tx: tx, now: time.Now(), progress: f.index.now(), marks: make(map[fingerprint]mark, jobs)}
	c.running = maps.Clone(c.running)
	return c
}

func (c *change) bucket(name []byte) *bbolt.Bucket { return c.tx.Bucket(name) }

// appendTo returns a bucket whose keys only grow.
func (c *change) appendTo(name []byte) *bbolt.Bucket {
	bucket := c.tx.Bucket(name)
	bucket.FillPercent = 0.95
	return bucket
}

// committer makes one commit of all jobs that wait.
type committer struct {
	wake  chan struct{}
	ended chan struct{}

	mu       sync.Mutex // Guards what follows.
	queue    []*group   // Others join the last one, until it is full.
	senders  int        // How many jobs of the queue bring something new.
	closing  bool
	expected int           // All is closed, and forgotten, when so many senders wait.
	all      chan struct{} // Nil if nobody waits for that.
	trouble  error         // Why jobs that are owed could not be done; nil if none is owed.
	owed     int
}

// do has a job done, and waits for the commit or the end of ctx.
func (f *File) do(ctx context.Context, j *job) error {
	if err := f.check(); err != nil {
		return err
	}
	g := f.commits.add(j)
	if g == nil {
		return f.fail(ErrClosed)
	}
	select {
	case <-g.ended:
		return j.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// add has a job done with the next commit, and returns its group. That is nil if no
// more commits are made.
func (c *committer) add(j *job) *group {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	if n := len(c.queue); n == 0 || c.queue[n-1].isFull() {
		c.queue = append(c.queue, &group{ended: make(chan struct{})})
		c.signal()
	}
	g := c.queue[len(c.queue)-1]
	g.jobs = append(g.jobs, j)
	g.bytes += j.bytes
	if j.sends() {
		g.senders++
		c.senders++
		c.tellIfAll()
	}
	return g
}

func (c *committer) tellIfAll() {
	if c.senders >= c.expected && c.all != nil {
		close(c.all)
		c.all = nil
	}
}

func (g *group) isFull() bool { return len(g.jobs) >= maxGroup || g.bytes >= maxGroupBytes }

func (c *committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// inTrouble returns why a mark that was made now might be lost.
func (c *committer) inTrouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// next returns the next group, which is empty if no job waits, and whether the file is
// to be closed after it.
func (c *committer) next() (g *group, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return &group{ended: make(chan struct{})}, c.closing
	}
	g, c.queue = c.queue[0], c.queue[1:]
	c.senders -= g.senders
	if len(c.queue) > 0 {
		c.signal()
	}
	return g, c.closing && len(c.queue) == 0
}

// commit commits groups of jobs, one after the other, until the file is closed.
func (f *File) commit() {
	defer close(f.commits.ended)
	var owed []*job
	var last lastCommit
	for pause := firstRetry; ; {
		var retry <-chan time.Time
		if len(owed) > 0 {
			retry = time.After(pause)
		}
		select {
		case <-f.commits.wake:
			f.commits.gather(last)
		case <-retry:
		}
		g, closing := f.commits.next()
		began := time.Now()
		owed = f.commitGroup(append(owed, g.jobs...))
		close(g.ended)
		last = lastCommit{g.senders, time.Since(began)}
		pause = min(2*pause, lastRetry)
		if retry == nil { // None was owed before.
			pause = firstRetry
		}
		if closing {
			return
		}
	}
}

// lastCommit is how many senders a commit had, and how long it took.
type lastCommit struct {
	senders int
	took    time.Duration
}

// A commit waits for other senders for half as long as the last one took, and gatherTime.
// It does not wait for more than enough of them, since others then prepare the next commit
// meanwhile, nor when nobody has come for gatherPause.
const (
	gatherTime  = 5 * time.Millisecond
	gatherPause = time.Millisecond
	enough      = 128
)

// gather lets other senders come, so that they need not wait for the commit after the next one.
// Those who had the last commit come back one by one, and so it waits until they and those
// who came in the meantime are there. Who comes alone does not wait.
func (c *committer) gather(last lastCommit) {
	if last.senders < 2 {
		return
	}
	all, latest := c.expect(last.senders), time.After(last.took/2+gatherTime)
	for before, n := -1, c.waiting(); n > before; before, n = n, c.waiting() {
		select {
		case <-all:
			return
		case <-latest:
			return
		case <-time.After(gatherPause):
		}
	}
}

// expect returns a channel that is closed as soon as so many more senders wait, or enough.
// To look again and again would take the processor from those who come.
func (c *committer) expect(more int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(chan struct{})
	c.all, c.expected = all, min(c.senders+more, enough)
	c.tellIfAll()
	return all
}

// waiting returns how many senders wait.
func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.senders
}

// stopCommits waits until the jobs are done, or have failed.
func (f *File) stopCommits() error {
	f.commits.mu.Lock()
	f.commits.closing = true
	f.commits.mu.Unlock()
	f.commits.signal()
	<-f.commits.ended
	if f.commits.owed == 0 {
		return nil
	}
	cause := f.commits.trouble
	if failure, ok := errors.AsType[*FileError](cause); ok {
		cause = failure.Err // The path is told before.
	}
	return fmt.Errorf("lacks the marks of %d events that were handled, which are handled again: it %w", f.commits.owed, cause)
}

// commitGroup makes one commit of a group. If that fails, the jobs that are owed
// are tried without the others, which may need the room that there is not. It
// returns those that are still owed.
func (f *File) commitGroup(group []*job) (owed []*job) {
	if len(group) == 0 {
		return nil
	}
	err := f.apply(group)
	var rest []*job
	if first := err; first != nil {
		for _, j := range group {
			if j.owed {
				owed = append(owed, j)
			} else {
				rest = append(rest, j)
			}
		}
		defer end(rest, first)
		if group = owed; len(owed) > 0 && len(rest) > 0 {
			err = f.apply(owed)
		}
	}
	if err == nil {
		owed = nil
	}
	f.noteTrouble(len(owed), err)
	end(group, err)
	return owed
}

// noteTrouble remembers that jobs are owed, and logs when that begins and ends.
func (f *File) noteTrouble(owed int, err error) {
	if owed == 0 {
		err = nil
	}
	f.commits.mu.Lock()
	before := f.commits.trouble
	f.commits.owed, f.commits.trouble = owed, err
	f.commits.mu.Unlock()
	switch {
	case before == nil && err != nil:
		f.logger.LogAttrs(context.Background(), slog.LevelWarn, "salesiq events cannot be marked as handled", slog.String("cause", err.Error()))
	case before != nil && err == nil:
		f.logger.LogAttrs(context.Background(), slog.LevelWarn, "salesiq events are marked again")
	}
}

// end notes how jobs have ended, if that was not noted before.
func end(jobs []*job, err error) {
	for _, j := range jobs {
		if err == nil && j.after != nil {
			j.after()
		}
		if !j.told {
			j.told, j.err = true, err
		}
	}
}

// apply makes one commit of jobs: all of them are done, or none.
func (f *File) apply(jobs []*job) error {
	if err := f.usable(); err != nil {
		return err
	}
	err := guard(func() error { return f.write(jobs) })
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrUncertain), errors.Is(err, errUnmapped), errors.Is(err, errReplaced):
		return f.breakDown(err)
	case err != nil:
		return f.fail(err)
	}
	return f.usable() // Its name may have gone while it was written.
}

func (f *File) write(jobs []*job) error {
	tx, err := f.db.Begin(true)
	if err != nil {
		return err
	}
	if int64(tx.ID()) != f.tx.Load()+1 {
		return errors.Join(errReplaced, tx.Rollback())
	}
	c := f.newChange(tx, len(jobs))
	if err := c.make(jobs); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return explainCommit(err)
	}
	f.index.follow(c)
	return f.db.View(f.measure)
}

// make makes the change that jobs ask for.
func (c *change) make(jobs []*job) error {
	before := c.next
	for _, j := range jobs {
		if err := j.apply(c); err != nil {
			return err
		}
	}
	if c.next != before {
		if err := c.bucket(formatBucket).Put(nextKey, key(c.next)); err != nil {
			return err
		}
	}
	return errors.Join(c.remember(), c.forget())
}

// measure notes how large the file is, and which commit was the last.
func (f *File) measure(tx *bbolt.Tx) error {
	free := int64(f.db.Stats().FreeAlloc)
	f.tx.Store(int64(tx.ID()))
	f.size.Store(tx.Size())
	f.used.Store(tx.Size() - free)
	return nil
}
