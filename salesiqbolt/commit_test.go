package salesiqbolt

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
		"a commit takes no time": {lastCommit{20, 0}, 20, 1, 20},
	} {
		c := &committer{}
		c.add(&job{bytes: 1})
		c.add(&job{bytes: 1, owed: true})
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
