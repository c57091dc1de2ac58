package transport_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// limited is a pipeline with a queue in it.
func limited(service http.RoundTripper) *transport.Pipeline {
	c := config(service)
	c.Limiter = newQueue(quota.Limits{InFlight: 10})
	return transport.New(c)
}

// When a call that met a 429 is sent again, and when the next one is.
func TestWaitAfterARefusal(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // When a bubble's clock starts.
	window := func(remaining, reset string) map[string]string {
		return map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
	}
	at := func(d time.Duration) string { return strconv.FormatInt(epoch.Add(d).Unix(), 10) }
	skewed := func(skew time.Duration) map[string]string {
		h := window("0", at(skew+40*time.Second))
		h["Date"] = epoch.Add(skew).Format(http.TimeFormat)
		return h
	}
	undated := window("0", at(40*time.Second))
	undated["Date"] = ""
	const second = time.Second
	tests := []struct {
		name   string
		header map[string]string
		least  time.Duration
		most   time.Duration
	}{
		{"R1: reset in 40 seconds", window("0", at(40*second)), 40 * second, 41 * second},
		{"R2: reset in the past", window("0", at(-40*second)), second, 2 * second},
		{"R3: no reset, but Retry-After", map[string]string{"Retry-After": "7"}, 7 * second, 8 * second},
		{"R3: no reset, no Retry-After", nil, second, 2 * second},
		{"R4: reset in the year 2100", window("0", "4102444800"), second, 2 * second},
		{"R4: reset in milliseconds", window("0", at(40*second)+"000"), second, 2 * second},
		{"R4: negative reset", window("0", "-5"), second, 2 * second},
		{"R4: reset that overflows", window("0", "99999999999999999999"), second, 2 * second},
		{"R4: fractional reset", window("0", "946684840.5"), second, 2 * second},
		{"R4: garbage", window("0", "soon"), second, 2 * second},
		{"R4: garbage everywhere", map[string]string{"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "-3", "X-RateLimit-Reset": "NaN"}, second, 2 * second},
		{"R5: our clock is five minutes ahead", skewed(-5 * time.Minute), 40 * second, 41 * second},
		{"R5: our clock is five minutes behind", skewed(5 * time.Minute), 40 * second, 41 * second},
		{"R5: our clock is a day ahead", skewed(-24 * time.Hour), 40 * second, 41 * second},
		{"R5: our clock is a day behind", skewed(24 * time.Hour), 40 * second, 41 * second},
		{"R5: no Date: a window is over after a minute", undated, 40 * second, 60 * second},
		{"R6: Retry-After as a date", map[string]string{"Retry-After": epoch.Add(9 * second).Format(http.TimeFormat)}, 9 * second, 10 * second},
		{"R6: Retry-After in the past", map[string]string{"Retry-After": epoch.Add(-9 * second).Format(http.TimeFormat)}, 0, second},
		{"R8: calls remain: too many at once", window("5", at(40*second)), 0, second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{steps: []step{{status: 429, header: tt.header, body: tooMany.body}, good}}
				pipeline := limited(service)
				answer, err := pipeline.Do(t.Context(), request("POST")) // R13: it was not processed.
				require.NoError(t, err)
				assert.Equal(t, 2, answer.Attempts)
				pause := service.times[1].Sub(service.times[0])
				assert.GreaterOrEqual(t, pause, tt.least)
				assert.LessOrEqual(t, pause, tt.most)
				_, err = pipeline.Do(t.Context(), request("GET"))
				require.NoError(t, err)
				assert.Less(t, service.times[2].Sub(service.times[1]), second, "the refusal is over")
			})
		})
	}
}

// R5: a reset without a Date may be of a clock that is minutes ahead.
func TestResetByAnUnknownClockHoldsNobodyUpForLongerThanAWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		header := map[string]string{
			"Date": "", "X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0",
			"X-RateLimit-Reset": strconv.FormatInt(time.Now().Add(10*time.Minute+30*time.Second).Unix(), 10),
		}
		service := &script{steps: []step{{status: 429, header: header, body: tooMany.body}, good}}
		pipeline := limited(service)
		_, err := pipeline.Do(t.Context(), request("GET"))
		require.NoError(t, err, "a pause of ten minutes would not be begun")
		assert.LessOrEqual(t, service.times[1].Sub(service.times[0]), time.Minute)
	})
}

// R3: the live service locks the client's address, and no header says so.
func TestLockOfTheLiveServiceHoldsAllCallsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{steps: []step{{status: 400, body: `{"error":{"code":1023,"message":"m"}}`}, good}}
		c := config(service)
		c.MaxAttempts = 1
		c.Limiter = newQueue(quota.Limits{InFlight: 10})
		pipeline := transport.New(c)
		_, err := pipeline.Do(t.Context(), request("GET"))
		require.Error(t, err)
		_, err = pipeline.Do(t.Context(), request("GET"))
		require.NoError(t, err)
		assert.Equal(t, time.Minute, service.times[1].Sub(service.times[0]))
	})
}

// R2, R3, R4: whatever a broken service says, nobody runs in a loop.
func TestRefusalsWithoutEndAreNoHotLoop(t *testing.T) {
	t.Parallel()
	for name, reset := range map[string]string{"absent": "", "past": "1", "huge": "4102444800", "zero": "0", "garbage": "x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				header := map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
				service := &script{steps: []step{{status: 429, header: header, body: tooMany.body}}}
				pipeline := limited(service)
				start := time.Now()
				for range 10 {
					_, err := pipeline.Do(t.Context(), request("GET"))
					require.Error(t, err)
				}
				requests := len(service.times)
				assert.LessOrEqual(t, requests, 50, "a few more than attempts, which refusals do not count as")
				assert.GreaterOrEqual(t, time.Since(start), 30*time.Minute, "up to a minute each")
				assert.LessOrEqual(t, time.Since(start), 42*time.Minute)
			})
		})
	}
}

// A refusal by the limiter is final: it has looked further ahead than the retry
// could.
func TestRefusalByTheLimiterIsNotRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{steps: []step{good}}
		c := config(service)
		queue := newQueue(quota.Limits{PerDay: 1})
		c.Limiter = queue
		pipeline := transport.New(c)
		_, err := pipeline.Do(t.Context(), request("POST"))
		require.NoError(t, err)
		start := time.Now()
		answer, err := pipeline.Do(t.Context(), request("POST"))
		require.ErrorIs(t, err, transport.ErrDailyLimit)
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, answer.Attempts)
		var f *transport.Failure
		require.ErrorAs(t, err, &f)
		assert.False(t, f.MaybeProcessed)
		assert.Equal(t, start.Add(24*time.Hour), f.RetryAt)
		assert.Len(t, service.times, 1)
	})
}

func TestRefusalForWaitingTooLongIsNotRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config(&script{steps: []step{good}})
		queue := newQueue(quota.Limits{InFlight: 1})
		c.Limiter = queue
		held := acquire(t, queue)
		start := time.Now()
		answer, err := transport.New(c).Do(t.Context(), request("GET"))
		require.Error(t, err)
		assert.Equal(t, maxWait, time.Since(start))
		assert.Equal(t, 1, answer.Attempts)
		held.Done(fine(nil))
	})
}

// A slot and its quota come back even from a transport that panics.
func TestPanicGivesTheSlotBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config(panicking{})
		queue := newQueue(quota.Limits{InFlight: 1})
		c.Limiter = queue
		require.Panics(t, func() { transport.New(c).Do(t.Context(), request("GET")) }) //nolint:errcheck // It does not return.
		acquire(t, queue)
	})
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("out of order") }

// S5
func FuzzRateHeaders(f *testing.F) {
	f.Add("10", "3", "946684840", "Sat, 01 Jan 2000 00:00:00 GMT", "7")
	f.Add("-1", "99999999999999999999", "1e9", "yesterday", "Sat, 01 Jan 2000 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, limit, remaining, reset, date, retryAfter string) {
		synctest.Test(t, func(t *testing.T) {
			header := http.Header{
				"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset},
				"Date": {date}, "Retry-After": {retryAfter},
			}
			w := transport.ParseWindow(header, time.Now())
			assert.GreaterOrEqual(t, w.ResetIn, time.Duration(0))
			assert.LessOrEqual(t, w.ResetIn, time.Hour)
			assert.GreaterOrEqual(t, w.Limit, 0)
			assert.GreaterOrEqual(t, w.Remaining, 0)

			queue := transport.NewQueue(transport.QueueConfig{MaxWait: 48 * time.Hour})
			acquire(t, queue).Done(throttled(header))
			acquire := func() {
				lease, err := queue.Acquire(t.Context())
				require.NoError(t, err, "there is always a time at which it goes on")
				lease.Done(fine(header))
			}
			acquire()
			acquire()
		})
	})
}
