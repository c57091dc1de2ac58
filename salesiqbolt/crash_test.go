package salesiqbolt

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// killsVariable is how often the process is killed. Each kill costs about 0.2 s.
const killsVariable = "SALESIQBOLT_KILLS"

// mill delivers events as the service does: some more than once, and again what
// was not taken.
type mill struct {
	client *http.Client
	work   chan webhook.Event

	address atomic.Pointer[string]
	taken   atomic.Int64
	refused atomic.Int64
	sending sync.WaitGroup
}

// deliver delivers what there is to deliver until all of it is taken.
func (m *mill) deliver() {
	for event := range m.work {
		for !m.post(event.Info().Body) {
			m.refused.Add(1)
			time.Sleep(time.Millisecond)
		}
		m.taken.Add(1)
		m.sending.Done()
	}
}

func (m *mill) post(body []byte) bool {
	request, err := http.NewRequest(http.MethodPost, "http://"+*m.address.Load(), strings.NewReader(string(body))) //nolint:noctx // The client has a limit.
	if err != nil {
		return false
	}
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	answer, err := m.client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body) //nolint:errcheck // It was answered.
	return answer.StatusCode == http.StatusOK
}

// left returns how many events wait or are being handled.
func (m *mill) left(t *testing.T) int {
	t.Helper()
	answer, err := m.client.Get("http://" + *m.address.Load()) //nolint:noctx // The client has a limit.
	require.NoError(t, err)
	defer answer.Body.Close()
	var health struct{ Waiting, Running int }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&health))
	return health.Waiting + health.Running
}

// The process is killed again and again while events are delivered and handled.
// None is lost. None is handled again after it was marked.
func TestKillsLoseNoEventAndHandleNoneTwice(t *testing.T) {
	kills := 12
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	} else if testing.Short() {
		t.Skip("it starts processes")
	}
	deliveries := max(2000, kills*20_000/300)
	events := deliveries * 7 / 10
	const senders = 32
	path := newPath(t)
	random := rand.New(rand.NewPCG(17, 300))
	m := &mill{client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}, work: make(chan webhook.Event, deliveries)}
	var queue []webhook.Event
	for n := range deliveries {
		queue = append(queue, newEvent(t, n%events))
	}
	random.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	var running sync.WaitGroup
	nobody := "127.0.0.1:1"
	m.address.Store(&nobody)
	for range senders {
		running.Go(m.deliver)
	}

	began := time.Now()
	for range kills {
		c := startChild(t, "server", path)
		address := c.line(t)
		m.address.Store(&address)
		assertInUse(t, path, c.command.Process.Pid)
		share := min(len(queue), random.IntN(2*deliveries/max(kills, 1)+1))
		target := m.taken.Load() + int64(random.IntN(share+1))
		m.sending.Add(share)
		for _, event := range queue[:share] {
			m.work <- event
		}
		queue = queue[share:]
		for latest := time.Now().Add(patience); m.taken.Load() < target && time.Now().Before(latest); {
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		c.kill(t)
	}
	c := startChild(t, "server", path)
	address := c.line(t)
	m.address.Store(&address)
	m.sending.Add(len(queue))
	for _, event := range queue {
		m.work <- event
	}
	m.sending.Wait()
	close(m.work)
	running.Wait()
	all := map[string]bool{}
	for n := range events {
		all[newEvent(t, n).Info().EventID] = true
	}
	// However slow the disk is, there is progress until all are handled.
	for before := -1; before < len(all); {
		count := len(readJournal(t, path).handled)
		require.Greater(t, count, before, "nothing was handled for a while")
		before = count
		for latest := time.Now().Add(patience); count == before && count < len(all) && time.Now().Before(latest); {
			time.Sleep(100 * time.Millisecond)
			count = len(readJournal(t, path).handled)
		}
	}
	// Those are handled once more whose marks a kill has cost.
	eventually(t, func() bool { return m.left(t) == 0 }, "nothing waits any more")
	c.stop(t)

	j := readJournal(t, path)
	lost := 0
	for id := range all {
		if j.handled[id] == 0 {
			lost++
		}
	}
	t.Logf("%d deliveries of %d events, %d kills, %d second openers, %d deliveries refused or cut, in %.0f s: %d lost, %d handled again after they were marked, %d handled again in the window between work and mark",
		deliveries, events, kills, kills, m.refused.Load(), time.Since(began).Seconds(), lost, j.twice, j.window)
	assert.Zero(t, lost)
	assert.Zero(t, j.twice)
	s := stats(t, inboxOf(t, openAt(t, path)))
	assert.Zero(t, s.Waiting+s.Running+s.DeadLetters)
}

func assertInUse(t *testing.T, path string, pid int) {
	t.Helper()
	f, err := Open(path, WithOpenWait(0))
	inUse, ok := errors.AsType[*InUseError](err)
	if !assert.True(t, ok, "%v", err) {
		assert.NoError(t, f.Close())
		return
	}
	assert.Equal(t, pid, inUse.Holder.PID)
}

// happened is what a journal says.
type happened struct {
	handled map[string]int
	twice   int // Events that were handled again after they were marked.
	window  int // Others that were handled again.
}

func readJournal(t *testing.T, path string) happened {
	t.Helper()
	content, err := os.ReadFile(path + ".journal")
	require.NoError(t, err)
	h := happened{handled: map[string]int{}}
	marked := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case what == "marked":
			marked[id] = true
		case marked[id]:
			h.twice++
		case h.handled[id] > 0:
			h.window++
		}
		if what == "handled" {
			h.handled[id]++
		}
	}
	return h
}
