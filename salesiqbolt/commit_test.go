package salesiqbolt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/salesiq-go/salesiq/webhook"
)

// Senders that had the last commit come back one by one. They share the next one, and
// nobody waits for who does not come.
func TestCommitBeginsOnceThoseOfTheLastOneAreBack(t *testing.T) { // Others would have the processor.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, row := range map[string]struct {
		last        lastCommit
		come        int // Jobs that come, one after the other.
		least, most int // Those that are there when the commit begins.
	}{
		"all come back":          {lastCommit{20, time.Hour}, 20, 20, 20},
		"most come back":         {lastCommit{21, time.Hour}, 20, 20, 20},
		"nobody comes back":      {lastCommit{20, time.Hour}, 1, 1, 1},
		"more come":              {lastCommit{20, time.Hour}, 50, 20, 50},
		"one came alone":         {lastCommit{1, time.Hour}, 1, 1, 1},
		"two came":               {lastCommit{2, time.Hour}, 2, 2, 2},
		"a commit takes no time": {lastCommit{20, 0}, 20, 1, 20},
	} {
		c := &committer{}
		c.add(&job{bytes: 1})
		c.add(&job{bytes: 1, owed: true})
		c.add(&job{})
		var coming sync.WaitGroup
		coming.Go(func() {
			for range row.come - 1 {
				runtime.Gosched()
				c.add(&job{bytes: 1})
			}
		})
		ended := make(chan int)
		go func() { c.gather(row.last); ended <- c.waiting() }()
		select {
		case n := <-ended:
			assert.GreaterOrEqual(t, n, row.least, name)
			assert.LessOrEqual(t, n, row.most, name)
		case <-time.After(patience):
			assert.Fail(t, "it waits for who does not come", name)
		}
		coming.Wait()
	}
}

// A commit that waits for others is late for those who wait for it.
func TestCommitWaitsForOthersForAShortTime(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		last  lastCommit
		every time.Duration // Somebody comes.
		waits time.Duration
		have  int // Come in that time, at least.
	}{
		"as long as half a commit": {lastCommit{100, 20 * time.Millisecond}, 900 * time.Microsecond, 15 * time.Millisecond, 16},
		"until enough have come":   {lastCommit{1000, time.Hour}, 500 * time.Microsecond, 64 * time.Millisecond, 128},
		"not at all for one alone": {lastCommit{1, time.Hour}, time.Hour, 0, 0},
		"until nobody comes":       {lastCommit{100, time.Hour}, time.Hour, time.Millisecond, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &committer{}
			ctx, stop := context.WithCancel(t.Context())
			go func() {
				for ctx.Err() == nil {
					time.Sleep(row.every)
					c.add(&job{bytes: 1})
				}
			}()
			began := time.Now()
			c.gather(row.last)
			assert.Equal(t, row.waits, time.Since(began), name)
			assert.InDelta(t, row.have, c.waiting(), 1, name)
			stop()
			time.Sleep(time.Hour)
		})
	}
}

func TestGroupOfJobsIsBounded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ jobs, bytes int }{"by jobs": {4096, 1}, "by bytes": {8, 1 << 20}} {
		c := &committer{}
		first := c.add(&job{bytes: row.bytes})
		for range row.jobs - 1 {
			assert.Same(t, first, c.add(&job{bytes: row.bytes}), name)
		}
		assert.NotSame(t, first, c.add(&job{bytes: row.bytes}), name)
	}
}

// holdCommits makes a commit that ends when release is called.
func holdCommits(t *testing.T, f *File) (release func()) {
	t.Helper()
	held, hold := make(chan struct{}), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		assert.NoError(t, f.do(context.Background(), &job{apply: func(*change) error { close(held); <-hold; return nil }}))
	})
	<-held
	return sync.OnceFunc(func() { close(hold); running.Wait() })
}

// addJob has a job done, and returns how it ends.
func addJob(t *testing.T, f *File, j *job) (ended func() error) {
	t.Helper()
	g := f.commits.add(j)
	require.NotNil(t, g)
	return func() error {
		select {
		case <-g.ended:
			return j.err
		case <-time.After(patience):
			return errors.New("it does not end")
		}
	}
}

// All that was begun is done before the file is closed, be it several commits.
func TestCloseMakesAllCommitsThatWait(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	release := holdCommits(t, f)
	before := f.tx.Load()
	var ends []func() error
	for range 3 {
		ends = append(ends, addJob(t, f, &job{bytes: maxGroupBytes, apply: func(*change) error { return nil }}))
	}
	closed := make(chan error, 1)
	go func() { closed <- f.Close() }()
	eventually(t, func() bool { f.commits.mu.Lock(); defer f.commits.mu.Unlock(); return f.commits.closing }, "it is to be closed")
	require.ErrorIs(t, f.do(t.Context(), &job{}), ErrClosed, "no more is begun")
	release()
	for _, ended := range ends {
		require.NoError(t, ended())
	}
	require.NoError(t, <-closed)
	assert.Equal(t, before+4, f.tx.Load(), "each has its own commit")
	assert.Zero(t, f.commits.waiting())
}

func TestCommitsThatWaitNeedNobodyElse(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	release := holdCommits(t, f)
	first := addJob(t, f, &job{bytes: maxGroupBytes, apply: func(*change) error { return nil }})
	second := addJob(t, f, &job{bytes: 1, apply: func(*change) error { return nil }})
	release()
	require.NoError(t, first())
	require.NoError(t, second())
}

// A mark needs less room than an event that shares its commit.
func TestMarkIsWrittenThoughTheEventBesideItCannotBe(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	failure, called := errors.New("no room"), 0
	release := holdCommits(t, f)
	event := addJob(t, f, &job{apply: func(*change) error { return failure }, after: func() { assert.Fail(t, "it was not done") }})
	mark := addJob(t, f, &job{apply: func(c *change) error { c.markHandled(fingerprintOf("a")); return nil }, owed: true, after: func() { called++ }})
	release()
	require.ErrorIs(t, event(), failure)
	require.NoError(t, mark())
	f.commits.mu.Lock()
	assert.Zero(t, f.commits.owed)
	f.commits.mu.Unlock()
	require.NoError(t, f.commits.inTrouble())
	assert.True(t, f.knows(fingerprintOf("a")))
	assert.Equal(t, 1, f.index.now().remembered)
	assert.Equal(t, 1, called)
}

// It is written as soon as that is possible, and Begin fails until then.
func TestMarkThatCannotBeWrittenIsTriedAgainAfterGrowingPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		path := newPath(t)
		f := openAt(t, path, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		failure, events := errors.New("no room"), 0
		for range 2 { // The pauses are short again after a success.
			var tries []int64
			began := time.Now()
			mark := &job{owed: true, apply: func(*change) error {
				if tries = append(tries, time.Since(began).Milliseconds()); len(tries) < 8 {
					return failure
				}
				return nil
			}}
			require.ErrorIs(t, f.do(t.Context(), mark), failure)
			require.ErrorIs(t, f.commits.inTrouble(), failure)
			_, err := f.DedupStore().Begin(t.Context(), "a", 1)
			require.ErrorIs(t, err, failure)
			events++
			time.Sleep(time.Minute)
			require.NoError(t, f.commits.inTrouble())
			assert.Equal(t, []int64{0, 50, 150, 350, 750, 1550, 2550, 3550}, tries)
		}
		require.ErrorIs(t, f.do(t.Context(), &job{apply: func(*change) error { return failure }}), failure)
		require.NoError(t, f.commits.inTrouble(), "nothing is owed")
		assert.Equal(t, webhook.DedupFree, begin(t, f.DedupStore(), "a"))
		require.NoError(t, f.Close())
		assert.Equal(t, events, strings.Count(log.String(), `level=WARN msg="salesiq events cannot be marked as handled" cause="salesiqbolt: `))
		assert.Equal(t, events, strings.Count(log.String(), `level=WARN msg="salesiq events are marked again"`))
		assert.Equal(t, 2*events, strings.Count(log.String(), "\n"))
	})
}

// What is written to a file that has lost its name is found by nobody.
func TestFileThatGoesDuringACommitIsAnError(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	path := newPath(t)
	f := openAt(t, path)
	require.ErrorIs(t, f.do(t.Context(), &job{apply: func(*change) error { return os.Rename(path, path+".away") }}), ErrGone)
}

// Nobody knows what a later commit would do to it.
func TestFileThatCannotBeUsedIsNotWritten(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	f := openNew(t)
	never := &job{apply: func(*change) error { assert.Fail(t, "it is not even tried"); return nil }}
	require.NoError(t, os.Rename(f.Path(), f.Path()+".away"))
	require.ErrorIs(t, f.do(t.Context(), never), ErrGone)
	require.NoError(t, os.Rename(f.Path()+".away", f.Path()))
	never.told = false
	require.ErrorIs(t, f.breakDown(ErrUncertain), ErrUncertain)
	require.ErrorIs(t, f.breakDown(ErrDamaged), ErrUncertain, "what comes first counts")
	require.ErrorIs(t, f.do(t.Context(), never), ErrUncertain)
}

// An error that changes nothing is not taken for damage.
func TestCommitThatCannotBeginIsAnErrorAndNoDamage(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	require.NoError(t, f.db.Close())
	err := f.do(t.Context(), &job{apply: func(*change) error { return nil }})
	require.ErrorIs(t, err, berrors.ErrDatabaseNotOpen)
	require.NotErrorIs(t, err, ErrDamaged)
}
