package salesiqtest_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// window reads the three headers.
func window(t *testing.T, a answer) (limit, remaining int, reset time.Time) {
	t.Helper()
	limit, err := strconv.Atoi(a.header.Get("X-Ratelimit-Limit"))
	require.NoError(t, err)
	remaining, err = strconv.Atoi(a.header.Get("X-Ratelimit-Remaining"))
	require.NoError(t, err)
	seconds, err := strconv.ParseInt(a.header.Get("X-Ratelimit-Reset"), 10, 64)
	require.NoError(t, err)
	return limit, remaining, time.Unix(seconds, 0)
}

func TestTheEleventhCallOfAFreeMinuteIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()))
		time.Sleep(20 * time.Second) // Into the minute.
		for i := range 10 {
			a := get(t, s, "/api/v2/chats/chat123")
			require.Equal(t, http.StatusOK, a.status)
			limit, remaining, reset := window(t, a)
			assert.Equal(t, []int{10, 9 - i}, []int{limit, remaining})
			assert.True(t, reset.Equal(began.Add(time.Minute)), "the end of the clock's minute")
		}
		a := get(t, s, "/api/v2/chats/chat123")
		assert.Equal(t, http.StatusTooManyRequests, a.status)
		assert.Equal(t, "RATE_LIMIT_EXCEEDED", a.refusal(t).Code)
		assert.Equal(t, "minute", a.refusal(t).Details["limit"])
		_, remaining, reset := window(t, a)
		assert.Zero(t, remaining)
		assert.True(t, reset.After(time.Now()))

		time.Sleep(time.Until(reset) - time.Second)
		assert.Equal(t, http.StatusTooManyRequests, get(t, s, "/api/v2/chats/chat123").status, "too early")
		time.Sleep(time.Until(reset))
		a = get(t, s, "/api/v2/chats/chat123")
		assert.Equal(t, http.StatusOK, a.status)
		_, remaining, _ = window(t, a)
		assert.Equal(t, 9, remaining)
		assert.Equal(t, 2, s.Stats().Refused["RATE_LIMIT_EXCEEDED"])
		assert.Equal(t, 11, s.Stats().Processed)
	})
}

func TestAWindowMayBeginWithTheFirstCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()),
			salesiqtest.WithWindow(salesiqtest.OpenedWindow, 30*time.Second))
		time.Sleep(50 * time.Second)
		for range 10 {
			require.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
			time.Sleep(time.Second)
		}
		a := get(t, s, "/api/v2/brands")
		require.Equal(t, http.StatusTooManyRequests, a.status)
		_, _, reset := window(t, a)
		assert.Equal(t, 20*time.Second, time.Until(reset))
		time.Sleep(time.Until(reset))
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
	})
}

func TestTheDayEndsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Plan{CallsPerMinute: 10, CallsPerDay: 25}))
		for range 25 {
			require.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
			time.Sleep(10 * time.Second)
		}
		a := get(t, s, "/api/v2/brands")
		assert.Equal(t, http.StatusTooManyRequests, a.status)
		assert.Equal(t, "day", a.refusal(t).Details["limit"])
		time.Sleep(24 * time.Hour)
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
	})
}

func TestEveryAnswerOfTheAPICarriesTheWindow(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithMaxInFlight(1), salesiqtest.WithPlan(salesiq.Enterprise()))
	token := s.AccessToken()
	for name, a := range map[string]answer{
		"success":    get(t, s, "/api/v2/chats"),
		"no token":   do(t, s, "", "GET", "/api/v2/chats", ""),
		"no scope":   do(t, s, s.AccessToken("x"), "GET", "/api/v2/chats", ""),
		"not found":  get(t, s, "/api/v2/chats/none"),
		"no path":    get(t, s, "/api/v2/none"),
		"bad method": do(t, s, token, "PUT", "/api/v2/chats", ""),
		"bad JSON":   do(t, s, token, "POST", "/api/v2/operators", "{"),
		"no content": do(t, s, token, "DELETE", "/api/v2/webhooks/webhook123", ""),
		"too big":    do(t, s, token, "POST", "/api/v2/operators", string(make([]byte, 2<<20))),
	} {
		limit, _, reset := window(t, a)
		assert.Equal(t, 100, limit, name)
		assert.True(t, reset.After(time.Now().Add(-time.Second)), name)
		assert.NotEmpty(t, a.header.Get("Date"), name)
	}
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 503}))
	a := get(t, s, "/api/v2/chats")
	assert.Equal(t, 503, a.status)
	window(t, a)
}

func TestTheEleventhCallAtOnceIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		require.NoError(t, s.Inject(salesiqtest.Fault{Latency: time.Second, Times: 10}))
		var group sync.WaitGroup
		token := s.AccessToken()
		for range 10 {
			group.Go(func() {
				a, err := try(t, s, token, "GET", "/api/v2/chats/chat123", "")
				assert.NoError(t, err)
				assert.Equal(t, http.StatusOK, a.status)
			})
		}
		synctest.Wait()
		a := get(t, s, "/api/v2/chats/chat123")
		assert.Equal(t, http.StatusTooManyRequests, a.status)
		assert.Equal(t, "concurrency", a.refusal(t).Details["limit"])
		_, remaining, _ := window(t, a)
		assert.Positive(t, remaining, "the minute is not the reason")
		group.Wait()
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/chats/chat123").status)
		assert.Equal(t, 11, s.Stats().InFlightPeak)
	})
}

// A caller who has an answer in hand may call again, whatever the server's
// goroutine is still at.
func TestASlotIsFreeOnceTheAnswerIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithMaxInFlight(1))
		require.NoError(t, s.Inject(salesiqtest.Fault{Effect: salesiqtest.TrickleBody, Pause: time.Hour}))
		token := s.AccessToken()
		go try(t, s, token, "GET", "/api/v2/chats", "") //nolint:errcheck // It is cut off in the end.
		synctest.Wait()
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/chats").status)
		assert.Equal(t, 1, s.Stats().InFlightPeak)
	})
}

func TestOnlyWhatIsLetInCostsQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()))
		for range 20 {
			do(t, s, "", "GET", "/api/v2/chats", "")                     // Whose call would it be?
			do(t, s, "", "POST", "/oauth/v2/token", "")                  // Another server, in truth.
			do(t, s, s.AccessToken(), "GET", "/crm/v8/Leads/search", "") // Another product.
			do(t, s, "", "GET", "/_emulator/stats", "")
		}
		_, remaining, _ := window(t, get(t, s, "/api/v2/chats"))
		assert.Equal(t, 9, remaining)
		_, remaining, _ = window(t, get(t, s, "/api/v2/chats/none"))
		assert.Equal(t, 8, remaining, "an error is an answer")
		_, remaining, _ = window(t, do(t, s, s.AccessToken("x"), "GET", "/api/v2/chats", ""))
		assert.Equal(t, 7, remaining, "a token without scope is somebody's")
	})
}

func TestAWrongClockIsWrongEverywhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const offset = -26 * time.Hour
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithClockOffset(offset), salesiqtest.WithPlan(salesiq.Free()))
		a := get(t, s, "/api/v2/chats/chat123")
		date, err := http.ParseTime(a.header.Get("Date"))
		require.NoError(t, err)
		assert.Equal(t, offset, date.Sub(time.Now().Truncate(time.Second)))
		_, _, reset := window(t, a)
		assert.Positive(t, reset.Sub(date))
		assert.LessOrEqual(t, reset.Sub(date), time.Minute)
		token := s.AccessToken()
		time.Sleep(59 * time.Minute)
		assert.Equal(t, http.StatusOK, do(t, s, token, "GET", "/api/v2/brands", "").status)
		time.Sleep(time.Minute)
		assert.Equal(t, http.StatusUnauthorized, do(t, s, token, "GET", "/api/v2/brands", "").status)
	})
}
