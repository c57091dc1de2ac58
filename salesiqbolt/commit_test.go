package salesiqbolt

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Senders that had the last commit come back one by one. They share the next one, and
// nobody waits for who does not come.
func TestCommitBeginsOnceThoseOfTheLastOneAreBack(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		last   lastCommit
		come   int           // Jobs that come, one each 100 µs.
		jobs   int           // Those that are there when the commit begins.
		within time.Duration // That is after so long at most.
	}{
		"all come back":          {lastCommit{20, 100 * time.Millisecond}, 20, 20, 3 * time.Millisecond},
		"most come back":         {lastCommit{20, 100 * time.Millisecond}, 15, 15, 3 * time.Millisecond},
		"more come":              {lastCommit{20, 100 * time.Millisecond}, 50, 20, 3 * time.Millisecond},
		"one comes":              {lastCommit{20, 100 * time.Millisecond}, 1, 1, gatherStep},
		"one came alone":         {lastCommit{1, 100 * time.Millisecond}, 20, 1, 0},
		"the first":              {lastCommit{}, 20, 1, 0},
		"a commit takes no time": {lastCommit{200, time.Millisecond}, 200, 6, 600 * time.Microsecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &committer{queue: []*job{{}}}
			go func() {
				for range row.come - 1 {
					time.Sleep(100 * time.Microsecond)
					c.mu.Lock()
					c.queue = append(c.queue, &job{})
					c.mu.Unlock()
				}
			}()
			began := time.Now()
			c.gather(row.last)
			assert.InDelta(t, row.jobs, c.waiting(), 2, name)
			assert.LessOrEqual(t, time.Since(began), row.within, name)
			time.Sleep(time.Second)
		})
	}
}
