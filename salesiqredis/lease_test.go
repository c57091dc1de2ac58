package salesiqredis

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
)

// distant is an Evaler whose Redis lives outside of the bubble of a test with virtual time,
// and has the time of the bubble. What waits for it holds the virtual time up.
type distant struct {
	server *miniredis.Miniredis

	mu      sync.Mutex // Guards what follows.
	asked   chan func(Evaler)
	replied chan struct{}
	away    bool // Nothing arrives.
}

// virtually runs a test in virtual time, with an Evaler.
func virtually(t *testing.T, test func(t *testing.T, d *distant)) {
	t.Helper()
	server := miniredis.RunT(t)
	d := &distant{server: server, asked: make(chan func(Evaler)), replied: make(chan struct{})}
	evaler := dial(t, server)
	go func() {
		for ask := range d.asked {
			ask(evaler)
			d.replied <- struct{}{}
		}
	}()
	defer close(d.asked)
	synctest.Test(t, func(t *testing.T) {
		test(t, d)
		time.Sleep(2 * linger)
	})
}

func (d *distant) Eval(_ context.Context, script string, keys, args []string) (reply any, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return nil, io.ErrUnexpectedEOF
	}
	now := time.Now()
	d.asked <- func(e Evaler) {
		d.server.SetTime(now)
		reply, err = e.Eval(context.Background(), script, keys, args)
	}
	<-d.replied
	return reply, err
}

// setAway cuts Redis off, or has it back.
func (d *distant) setAway(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = away
}

// leases returns how many calls are under way, as Redis knows them.
func (d *distant) leases(t *testing.T) int {
	t.Helper()
	if !d.server.Exists("salesiq:{acme}:leases") {
		return 0
	}
	leases, err := d.server.ZMembers("salesiq:{acme}:leases")
	require.NoError(t, err)
	return len(leases)
}

// refreshed is an OAuth source that takes its time.
type refreshed time.Duration

func (r refreshed) Token() (*oauth2.Token, error) {
	time.Sleep(time.Duration(r))
	return &oauth2.Token{AccessToken: "token", Expiry: time.Now().Add(time.Hour)}, nil
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCallHasItsSlotForAsLongAsItIsUnderWay(t *testing.T) {
	t.Parallel()
	virtually(t, func(t *testing.T, d *distant) {
		here, there := join(t, d, WithMaxInFlight(1)), join(t, d, WithMaxInFlight(1))
		service := tripper(func(r *http.Request) (*http.Response, error) {
			assert.Equal(t, 1, d.leases(t), "it has waited for its token")
			time.Sleep(25 * time.Second)
			answer := success(100, 0)
			answer.Header.Set("Content-Type", "application/json")
			body := io.NopCloser(strings.NewReader(`{"status":"success","data":{"id":"c1"}}`))
			return &http.Response{StatusCode: 200, Header: answer.Header, Body: body, Request: r}, nil
		})
		client, err := salesiq.NewClient(salesiq.TokenSource(refreshed(50*time.Second)), salesiq.WithLimiter(here.Limiter()),
			salesiq.WithHTTPClient(&http.Client{Transport: service}))
		require.NoError(t, err)
		began := time.Now()
		var call sync.WaitGroup
		defer call.Wait()
		call.Go(func() {
			_, err := client.Chats.Get(t.Context(), "c1")
			assert.NoError(t, err)
		})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		_, err = there.Limiter().Acquire(ctx)
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded, "the answer has told that the window is spent")
		assert.Equal(t, 75, int(time.Since(began).Seconds()))
		call.Wait()
		assert.Zero(t, d.leases(t))
	})
}

func TestSlotOfAProcessThatIsCutOffComesBack(t *testing.T) {
	t.Parallel()
	virtually(t, func(t *testing.T, d *distant) {
		here, there := join(t, d).Limiter(), join(t, d).Limiter()
		lease := acquire(t, here)
		lives := func() int {
			acquire(t, there).Done(success(100, 99))
			return d.leases(t)
		}
		time.Sleep(10 * time.Minute)
		assert.Equal(t, 1, lives())
		d.setAway(true)
		time.Sleep(time.Minute)
		d.setAway(false)
		assert.Zero(t, lives())
		time.Sleep(time.Minute)
		assert.Zero(t, lives(), "it is not renewed any more")
		lease.Done(success(100, 98))
	})
}

func TestLeasesAreRenewedByOneMessageAndOnlyWhileCallsGoOn(t *testing.T) {
	t.Parallel()
	virtually(t, func(t *testing.T, d *distant) {
		w := &wire{Evaler: d}
		l := join(t, w).Limiter()
		acquire(t, l).Done(success(1000, 999))
		var leases []salesiq.Lease
		for range 5 {
			leases = append(leases, acquire(t, l))
		}
		before := w.trips.Load()
		time.Sleep(45*time.Second - 1)
		assert.EqualValues(t, 2, w.trips.Load()-before)
		for _, lease := range leases {
			lease.Done(success(1000, 990))
		}
		time.Sleep(time.Minute)
		before = w.trips.Load()
		time.Sleep(time.Hour)
		assert.Equal(t, before, w.trips.Load())
	})
}
