package salesiq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// inBubble runs a test against a service in memory, in virtual time.
func inBubble(t *testing.T, opts []salesiqtest.Option, test func(t *testing.T, s *salesiqtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, append(opts, salesiqtest.InMemory())...)
		test(t, s)
	})
}

// Whoever makes many calls begins some of them ahead, and the smallest plan grants
// ten a minute: whatever the plan, all answers come and no call is refused.
func TestManyCallsKeepToThePlan(t *testing.T) {
	t.Parallel()
	everyChat := func(t *testing.T, client *salesiq.Client) {
		t.Helper()
		count := 0
		for _, err := range client.Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 5}) {
			require.NoError(t, err)
			count++
		}
		assert.Equal(t, 286, count)
	}
	manyTranscripts := func(t *testing.T, client *salesiq.Client) {
		t.Helper()
		for result := range client.Chats.Transcripts(t.Context(), chatsOf(slices.Repeat([]string{"chat123"}, 75)...)) {
			require.NoError(t, result.Err)
		}
	}
	for name, job := range map[string]func(*testing.T, *salesiq.Client){"All": everyChat, "Transcripts": manyTranscripts} {
		for _, plan := range []salesiq.Plan{salesiq.Free(), salesiq.Basic(), salesiq.Enterprise()} {
			for _, kind := range []salesiqtest.WindowKind{salesiqtest.AlignedWindow, salesiqtest.OpenedWindow} {
				for _, offset := range []time.Duration{0, -24 * time.Hour, 17 * time.Second} {
					t.Run(fmt.Sprint(name, plan.CallsPerMinute, kind, offset), func(t *testing.T) {
						t.Parallel()
						opts := []salesiqtest.Option{
							salesiqtest.WithPlan(plan), salesiqtest.WithWindow(kind, time.Minute), salesiqtest.WithClockOffset(offset),
						}
						inBubble(t, opts, func(t *testing.T, s *salesiqtest.Server) {
							start := time.Now()
							job(t, s.Client(t))
							stats := s.Stats()
							assert.Empty(t, stats.Refused)
							assert.LessOrEqual(t, stats.InFlightPeak, 10)
							whole := time.Duration(stats.Processed/plan.CallsPerMinute) * time.Minute
							assert.LessOrEqual(t, time.Since(start), whole+10*time.Second)
						})
					})
				}
			}
		}
	}
}

// R12
func TestDailyLimitIsATypedError(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		client := s.Client(t, salesiq.WithPlan(salesiq.Plan{CallsPerDay: 2}))
		for range 2 {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)
		}
		start := time.Now()
		_, err := client.Chats.SendMessage(t.Context(), "chat123", salesiq.TextMessage("Hello"))
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		assert.NotErrorIs(t, err, salesiq.ErrMaybeProcessed)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.True(t, salesiq.IsRetryable(err))
		var e *salesiq.Error
		require.ErrorAs(t, err, &e)
		assert.Zero(t, e.StatusCode)
		assert.Equal(t, start.UTC().Truncate(24*time.Hour).Add(24*time.Hour), e.RetryAt.UTC())
		assert.Equal(t, "salesiq: Chats.SendMessage: RATE_LIMIT_EXCEEDED: the day's calls are spent; come back at 2000-01-02T00:00:00Z", err.Error())
		time.Sleep(time.Until(e.RetryAt))
		_, err = client.Chats.SendMessage(t.Context(), "chat123", salesiq.TextMessage("Hello"))
		require.NoError(t, err)
	})
}

// R7
func TestWaitBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, s *salesiqtest.Server) {
		client := s.Client(t)
		for range 10 {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.Chats.Get(ctx, "chat123")
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		assert.NotErrorIs(t, err, salesiq.ErrDailyLimit)
		assert.True(t, salesiq.IsRetryable(err))
		var e *salesiq.Error
		require.ErrorAs(t, err, &e)
		time.Sleep(time.Until(e.RetryAt))
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = client.Chats.Get(ctx, "chat123")
		require.NoError(t, err, "the time to come back is right")
		assert.Empty(t, s.Stats().Refused)
	})
}

func TestMaxWaitBoundsTheWaitForTheRateLimit(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, s *salesiqtest.Server) {
		client := s.Client(t, salesiq.WithMaxWait(10*time.Second), salesiq.WithPlan(salesiq.Free()))
		for range 10 {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)
		}
		start := time.Now()
		_, err := client.Chats.Get(t.Context(), "chat123")
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}

// R11: what others use is left to them.
func TestQuotaIsSharedWithStrangers(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Enterprise())}, func(t *testing.T, s *salesiqtest.Server) {
		patient := salesiq.WithMaxWait(time.Hour)
		ours, stranger := s.Client(t, patient), s.Client(t, patient, salesiq.WithMaxInFlight(1))
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				client := ours
				if i%3 == 0 {
					client = stranger
				}
				_, err := client.Chats.Get(t.Context(), "chat123")
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.Less(t, s.Stats().Refused[salesiq.ErrRateLimitExceeded], 30)
	})
}

// A8, beside the limits: tokens that cannot be had cost no quota.
func TestFailedSignInCostsNoQuota(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/oauth/v2/token", Body: `{"error":"invalid_code"}`, Status: 200}))
		client := s.Client(t, salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 3, CallsPerDay: 3}))
		for range 10 {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.ErrorIs(t, err, salesiq.ErrAuth)
		}
	})
}

func TestRateLimitSpreadsCallsWhereTheServiceIsSilent(t *testing.T) {
	t.Parallel()
	silent := map[string]string{"X-RateLimit-Limit": "", "X-RateLimit-Remaining": "", "X-RateLimit-Reset": ""}
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Header: silent, Times: 1000}))
		client := s.Client(t, salesiq.WithRateLimit(2, 1))
		start := time.Now()
		var all sync.WaitGroup
		for range 21 {
			all.Go(func() {
				_, err := client.Chats.Get(t.Context(), "chat123")
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.InDelta(t, 10, time.Since(start).Seconds(), 0.1)
	})
}

// countingLimiter is what a user may write.
type countingLimiter struct {
	mu       sync.Mutex
	err      error
	outcomes []salesiq.Outcome
}

func (l *countingLimiter) Acquire(context.Context) (salesiq.Lease, error) {
	if l.err != nil {
		return nil, l.err
	}
	return l, nil
}

func (l *countingLimiter) Done(o salesiq.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes = append(l.outcomes, o)
}

// narrowLimiter lets one request go after the other, and counts how many ask at
// once, as soon as an answer has told the limit.
type narrowLimiter struct {
	mu            sync.Mutex
	told          bool
	waiting, most int
	slot          chan struct{}
}

func (l *narrowLimiter) Acquire(context.Context) (salesiq.Lease, error) {
	l.ask(1)
	l.slot <- struct{}{}
	time.Sleep(time.Millisecond) // Meanwhile others that begin come to wait.
	return l, nil
}

func (l *narrowLimiter) Done(salesiq.Outcome) {
	l.ask(-1)
	<-l.slot
}

func (l *narrowLimiter) ask(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting += n; l.told {
		l.most = max(l.most, l.waiting)
	}
	l.told = l.told || n < 0 && l.waiting == 0
}

func TestLimiterOfTheUsersIsNotCrowdedWhereTheServiceGrantsLittle(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Basic())}, func(t *testing.T, s *salesiqtest.Server) {
		limiter := &narrowLimiter{slot: make(chan struct{}, 1)}
		count := 0
		for _, err := range s.Client(t, salesiq.WithLimiter(limiter)).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 50}) {
			require.NoError(t, err)
			count++
		}
		assert.Equal(t, 286, count)
		assert.Equal(t, 2, limiter.most, "a tenth of twenty a minute")
	})
}

func TestLimiterOfTheUsersIsAskedForEachAttempt(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, s *salesiqtest.Server) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Status: 503, Path: "/api/"}, salesiqtest.Fault{Status: 429, Path: "/api/"}))
		limiter := &countingLimiter{}
		_, err := s.Client(t, salesiq.WithLimiter(limiter)).Chats.Get(t.Context(), "chat123")
		require.NoError(t, err)
		require.Len(t, limiter.outcomes, 3)
		for i, want := range []salesiq.Outcome{{StatusCode: 503, Sent: true}, {StatusCode: 429, Sent: true, Throttled: true}, {StatusCode: 200, Sent: true}} {
			got := limiter.outcomes[i]
			assert.Equal(t, 10, got.RateWindow().Limit)
			got.Header = nil
			assert.Equal(t, want, got)
		}
	})
}

func TestLimiterOfTheUsersSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		at := time.Now().Add(time.Hour)
		limiter := &countingLimiter{err: &salesiq.Error{RetryAt: at, Err: salesiq.ErrDailyLimit}}
		_, err := s.Client(t, salesiq.WithLimiter(limiter)).Chats.Get(t.Context(), "chat123")
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		var e *salesiq.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, at, e.RetryAt)
		assert.Equal(t, 1, e.Attempts)
		assert.Zero(t, s.Stats().Processed)
	})
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	limiter := salesiq.WithLimiter(&countingLimiter{})
	for name, opts := range map[string][]salesiq.Option{
		"negative calls":              {salesiq.WithPlan(salesiq.Plan{CallsPerMinute: -1})},
		"negative calls a day":        {salesiq.WithPlan(salesiq.Plan{CallsPerDay: -1})},
		"no burst would never begin":  {salesiq.WithRateLimit(1, 0)},
		"no rate would never go on":   {salesiq.WithRateLimit(0, 1)},
		"negative rate":               {salesiq.WithRateLimit(-1, 1)},
		"rate that is no number":      {salesiq.WithRateLimit(rate.Limit(math.NaN()), 1)},
		"nil limiter":                 {salesiq.WithLimiter(nil)},
		"limiter and plan":            {limiter, salesiq.WithPlan(salesiq.Free())},
		"limiter and rate":            {limiter, salesiq.WithRateLimit(1, 1)},
		"limiter and calls in flight": {limiter, salesiq.WithMaxInFlight(3)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := salesiq.NewClient(salesiq.StaticToken("t"), opts...)
			require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		})
	}
	_, err := salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithRateLimit(rate.Inf, 1), salesiq.WithPlan(salesiq.Plan{}))
	require.NoError(t, err)
}

func TestRateWindowOfAnAnswer(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Basic()), salesiqtest.WithClockOffset(24 * time.Hour)}, func(t *testing.T, s *salesiqtest.Server) {
		time.Sleep(20 * time.Second)
		var response salesiq.Response
		_, err := s.Client(t).Chats.Get(t.Context(), "chat123", salesiq.WithResponse(&response))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Equal(t, salesiq.RateWindow{Limit: 20, Remaining: 19, Reset: time.Now().Add(40 * time.Second), Known: true}, response.RateWindow)
	})
}

func TestPlansAreTheSpecifications(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]salesiq.Plan{
		"free":         {CallsPerMinute: 10, CallsPerDay: 1_000},
		"basic":        {CallsPerMinute: 20, CallsPerDay: 5_000},
		"professional": {CallsPerMinute: 50, CallsPerDay: 20_000},
		"Enterprise":   {CallsPerMinute: 100, CallsPerDay: 50_000},
		"none":         {},
	} {
		plan, err := salesiq.LookupPlan(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, plan, name)
	}
	_, err := salesiq.LookupPlan("gold")
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorContains(t, err, "professional")
}

func newLimiter(t *testing.T, plan salesiq.Plan, opts ...salesiq.Option) *salesiq.SharedLimiter {
	t.Helper()
	limiter, err := salesiq.NewLimiter(plan, opts...)
	require.NoError(t, err)
	return limiter
}

func acquire(t *testing.T, limiter salesiq.Limiter) salesiq.Lease {
	t.Helper()
	lease, err := limiter.Acquire(t.Context())
	require.NoError(t, err)
	return lease
}

func TestClientsThatShareALimiterKeepToOnePlan(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, s *salesiqtest.Server) {
		limiter := salesiq.WithLimiter(newLimiter(t, salesiq.Free(), salesiq.WithMaxWait(time.Hour)))
		start := time.Now()
		var all sync.WaitGroup
		for _, client := range []*salesiq.Client{s.Client(t, limiter), s.Client(t, limiter)} {
			for range 20 {
				all.Go(func() {
					_, err := client.Chats.Get(t.Context(), "chat123")
					assert.NoError(t, err)
				})
			}
		}
		all.Wait()
		stats := s.Stats()
		assert.Empty(t, stats.Refused)
		assert.LessOrEqual(t, stats.InFlightPeak, 10)
		assert.LessOrEqual(t, time.Since(start), 3*time.Minute+10*time.Second, "ten at once, and ten a minute")
	})
}

func TestClientsThatShareALimiterCountOneDay(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		limiter := newLimiter(t, salesiq.Plan{CallsPerDay: 3})
		first, second := s.Client(t, salesiq.WithLimiter(limiter)), s.Client(t, salesiq.WithLimiter(limiter))
		for _, client := range []*salesiq.Client{first, second, first} {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)
		}
		midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		day := limiter.DailyQuota()
		assert.Equal(t, []int{3, 0}, []int{day.Limit, day.Left})
		assert.WithinDuration(t, midnight, day.Reset, time.Second)
		_, err := second.Chats.Get(t.Context(), "chat123")
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
	})
}

func TestBatchLeavesAFifthOfEachMinuteToOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Basic())}, func(t *testing.T, s *salesiqtest.Server) {
		limiter := newLimiter(t, salesiq.Basic(), salesiq.WithMaxWait(time.Hour))
		nightly, interactive := s.Client(t, salesiq.WithLimiter(limiter.Batch())), s.Client(t, salesiq.WithLimiter(limiter))
		start := time.Now()
		var batch sync.WaitGroup
		for range 40 {
			batch.Go(func() { assert.NoError(t, second(nightly.Chats.Get(t.Context(), "chat123"))) })
		}
		time.Sleep(30 * time.Second)
		asked := time.Now()
		for range 4 {
			require.NoError(t, second(interactive.Chats.Get(t.Context(), "chat123")))
		}
		assert.Less(t, time.Since(asked), time.Second, "the batch waits for the next minute, the others do not")
		batch.Wait()
		assert.Less(t, time.Since(start), 3*time.Minute, "the batch has its sixteen calls a minute")
		assert.Empty(t, s.Stats().Refused)
	})
}

// Interactive calls without end use up each minute, and the batch gets its turn all
// the same.
func TestBatchDoesNotStarve(t *testing.T) {
	t.Parallel()
	inBubble(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, s *salesiqtest.Server) {
		limiter := newLimiter(t, salesiq.Free(), salesiq.WithMaxWait(time.Hour))
		nightly, interactive := s.Client(t, salesiq.WithLimiter(limiter.Batch())), s.Client(t, salesiq.WithLimiter(limiter))
		ctx, stop := context.WithCancel(t.Context())
		var others sync.WaitGroup
		for range 30 {
			others.Go(func() {
				for ctx.Err() == nil {
					interactive.Chats.Get(ctx, "chat123") //nolint:errcheck // It ends with ctx.
				}
			})
		}
		time.Sleep(time.Second)
		start := time.Now()
		require.NoError(t, second(nightly.Chats.Get(t.Context(), "chat123")))
		assert.Less(t, time.Since(start), 5*time.Minute, "thirty were there before, at ten a minute")
		stop()
		others.Wait()
	})
}

func TestBatchLeavesAFifthOfTheDayToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, salesiq.Plan{CallsPerDay: 10})
		batch := limiter.Batch()
		for range 8 {
			acquire(t, batch).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		}
		_, err := batch.Acquire(t.Context())
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		for range 2 {
			acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		}
		_, err = limiter.Acquire(t.Context())
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		assert.Equal(t, limiter.DailyQuota(), batch.Batch().DailyQuota(), "it is one account")
	})
}

func TestCallsOfTheDayAreCountedAcrossRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, salesiq.Plan{CallsPerDay: 10})
		for range 7 {
			acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		}
		kept, err := json.Marshal(limiter.DailyQuota())
		require.NoError(t, err)
		var day salesiq.DailyQuota
		require.NoError(t, json.Unmarshal(kept, &day))

		restarted := newLimiter(t, salesiq.Plan{CallsPerDay: 20}) // A better plan was bought.
		require.NoError(t, restarted.ResumeDay(day))
		assert.Equal(t, 13, restarted.DailyQuota().Left)
		time.Sleep(time.Until(day.Reset))
		assert.Equal(t, 20, restarted.DailyQuota().Left)

		nextDay := newLimiter(t, salesiq.Plan{CallsPerDay: 10})
		require.NoError(t, nextDay.ResumeDay(day))
		assert.Equal(t, 10, nextDay.DailyQuota().Left, "that day is over")

		for _, bad := range []salesiq.DailyQuota{{Limit: 10, Left: 11}, {Limit: 10, Left: -1}} {
			require.ErrorIs(t, nextDay.ResumeDay(bad), salesiq.ErrInvalidInput)
		}
		require.NoError(t, newLimiter(t, salesiq.Plan{}).ResumeDay(day), "days are not counted")
	})
}

func TestKilledProgramFindsTheDaysCallsInItsFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "day.json")
		plan := salesiq.Plan{CallsPerDay: 10}.KeptIn(path)
		limiter := newLimiter(t, plan)
		for range 3 {
			acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		}
		acquire(t, limiter.Batch()) // The program is killed while this one is under way.

		salesiq.EndProcess(path)
		killed := newLimiter(t, plan)
		assert.Equal(t, 6, killed.DailyQuota().Left)
		time.Sleep(time.Until(killed.DailyQuota().Reset))
		assert.Equal(t, 10, newLimiter(t, plan).DailyQuota().Left, "that day is over")
		salesiq.EndProcess(path)
		assert.Equal(t, 10, newLimiter(t, plan).DailyQuota().Left, "that day is over, the file says")
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		var day salesiq.DailyQuota
		require.NoError(t, json.Unmarshal(kept, &day), "a program can read it")
		assert.Equal(t, killed.DailyQuota().Limit, day.Limit)
	})
}

func TestASecondProcessIsRefusedTheFileOfADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "day.json")
		other := flock.New(path + ".lock") // What another process does.
		locked, err := other.TryLock()
		require.NoError(t, err)
		require.True(t, locked)
		plan := salesiq.Plan{CallsPerDay: 10}.KeptIn(path)
		_, err = salesiq.NewLimiter(plan)
		refused, ok := errors.AsType[*salesiq.InputError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, "plan", refused.Field)
		assert.Contains(t, refused.Reason, "another process has "+path)
		_, err = os.Stat(path)
		require.ErrorIs(t, err, fs.ErrNotExist, "nothing was written")

		time.AfterFunc(500*time.Millisecond, func() { assert.NoError(t, other.Close()) })
		assert.Equal(t, 10, newLimiter(t, plan).DailyQuota().Left, "it was about to end")
	})
}

func TestLimitersOfAProcessShareTheFileOfADay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "day.json")
	plan := salesiq.Plan{CallsPerDay: 10}.KeptIn(path)
	first, second := newLimiter(t, plan), newLimiter(t, plan)
	for range 3 {
		acquire(t, first).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		acquire(t, second).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
	}
	assert.Equal(t, 4, first.DailyQuota().Left)
	assert.Equal(t, 4, second.DailyQuota().Left)
	third := newLimiter(t, plan)
	assert.Equal(t, 4, third.DailyQuota().Left)
	for range 4 {
		acquire(t, third).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
	}
	_, err := first.Acquire(t.Context())
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
	salesiq.EndProcess(path)
	assert.Zero(t, newLimiter(t, plan).DailyQuota().Left)
}

func TestCallThatDoesNotCountCostsNobodyWhoSharesTheDay(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]salesiq.Outcome{
		"never sent":        {},
		"one too many":      {StatusCode: http.StatusTooManyRequests, Sent: true, Throttled: true},
		"its token refused": {StatusCode: http.StatusUnauthorized, Sent: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "day.json")
			plan := salesiq.Plan{CallsPerDay: 10}.KeptIn(path)
			first, second := newLimiter(t, plan), newLimiter(t, plan)
			for range 10 {
				acquire(t, first).Done(outcome)
			}
			require.Equal(t, 10, second.DailyQuota().Left, name)
			salesiq.EndProcess(path)
			assert.Equal(t, 10, newLimiter(t, plan).DailyQuota().Left, "%s, the file says", name)
			for range 10 {
				acquire(t, second)
			}
		})
	}
}

func TestWhoWaitsForTheDayGoesWhenAnotherGivesACallBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		plan := salesiq.Plan{CallsPerDay: 1}.KeptIn(filepath.Join(t.TempDir(), "day.json"))
		first, second := newLimiter(t, plan), newLimiter(t, plan, salesiq.WithMaxWait(48*time.Hour))
		held := acquire(t, first)
		time.AfterFunc(time.Second, func() { held.Done(salesiq.Outcome{}) })
		start := time.Now()
		acquire(t, second)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestSmallerPlanLosesNoCallOfADayThatALargerOneShares(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "day.json")
	small, large := salesiq.Plan{CallsPerDay: 3}.KeptIn(path), salesiq.Plan{CallsPerDay: 10}.KeptIn(path)
	first := newLimiter(t, large)
	for range 5 {
		acquire(t, first).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
	}
	_, err := newLimiter(t, small).Acquire(t.Context())
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
	assert.Equal(t, 5, first.DailyQuota().Left)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(kept), `"limit":10,"left":5`, "of the larger plan")

	for _, plan := range []salesiq.Plan{small, large} { // Each is alone.
		salesiq.EndProcess(path)
		assert.Equal(t, max(0, plan.CallsPerDay-5), newLimiter(t, plan).DailyQuota().Left)
	}
}

func TestAFileOfADayIsKeptUntilTheProcessEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "day.json")
	limiter := newLimiter(t, salesiq.Plan{CallsPerDay: 10}.KeptIn(path))
	acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
	garbage := make(chan struct{})
	runtime.AddCleanup(limiter, func(collected chan struct{}) { close(collected) }, garbage)
	limiter = nil
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-garbage:
			return true
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond)
	other := flock.New(path + ".lock")
	for range 10 {
		runtime.GC()
		locked, err := other.TryLock()
		require.NoError(t, err)
		require.False(t, locked, "the job may have work left")
	}
	require.NoError(t, other.Close())
	assert.Equal(t, 9, newLimiter(t, salesiq.Plan{CallsPerDay: 10}.KeptIn(path)).DailyQuota().Left)
	_ = limiter
}

func TestCallsGoOnWhileTheDaysFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	plan := salesiq.Plan{CallsPerDay: 10}.KeptIn(filepath.Join(folder, "day.json"))
	limiter := newLimiter(t, plan)
	require.NoError(t, os.RemoveAll(folder))
	acquire(t, limiter)
	require.NoError(t, os.Mkdir(folder, 0o700))
	acquire(t, limiter)
	salesiq.EndProcess(filepath.Join(folder, "day.json"))
	assert.Equal(t, 8, newLimiter(t, plan).DailyQuota().Left, "the next call writes it")
}

func TestDaysFileThatCannotServeIsAnError(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	foreign := filepath.Join(folder, "notes.txt")
	require.NoError(t, os.WriteFile(foreign, []byte("buy milk"), 0o600))
	for name, plan := range map[string]salesiq.Plan{
		"no path":         salesiq.Basic().KeptIn(""),
		"a folder":        salesiq.Basic().KeptIn(folder),
		"no such folder":  salesiq.Basic().KeptIn(filepath.Join(folder, "none", "day.json")),
		"somebody else's": salesiq.Basic().KeptIn(foreign),
		"no day":          salesiq.Plan{CallsPerMinute: 10}.KeptIn(filepath.Join(folder, "day.json")),
	} {
		_, err := salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithPlan(plan))
		refused, ok := errors.AsType[*salesiq.InputError](err)
		require.True(t, ok, "%s: %v", name, err)
		assert.Equal(t, "plan", refused.Field, name)
		_, err = salesiq.NewLimiter(plan)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
	}
	content, err := os.ReadFile(foreign)
	require.NoError(t, err)
	assert.Equal(t, "buy milk", string(content))
}

func TestBatchOfAClientSharesTokenAndLimitsAndLeavesAFifth(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	client := server.Client(t, salesiq.WithPlan(salesiq.Plan{CallsPerDay: 10}), salesiq.WithCache(salesiq.Cache{}))
	batch := client.Batch()
	var err error
	for range 8 {
		_, err = batch.Chats.Get(t.Context(), "chat123")
		require.NoError(t, err)
	}
	_, err = batch.Chats.Get(t.Context(), "chat123")
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
	_, err = client.Operators.Get(t.Context(), "operator456")
	require.NoError(t, err)
	_, err = batch.Operators.Get(t.Context(), "operator456")
	require.NoError(t, err, "an answer that is kept costs no call")
	_, err = client.Chats.Get(t.Context(), "chat123")
	require.NoError(t, err)
	_, err = client.Chats.Get(t.Context(), "chat123")
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
	assert.Equal(t, 1, server.Stats().TokenRequests)

	assert.Same(t, batch, batch.Batch())
	shared := server.Client(t, salesiq.WithLimiter(newLimiter(t, salesiq.Basic())))
	assert.NotSame(t, shared, shared.Batch())
	foreign := server.Client(t, salesiq.WithLimiter(struct{ salesiq.Limiter }{newLimiter(t, salesiq.Basic())}))
	assert.Same(t, foreign, foreign.Batch(), "its limiter knows no batches")
	assert.Nil(t, (*salesiq.Client)(nil).Batch())
}

func TestLimiterThatNobodyMadeIsRefused(t *testing.T) {
	t.Parallel()
	for _, limiter := range []*salesiq.SharedLimiter{nil, {}} {
		_, err := limiter.Acquire(t.Context())
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		require.ErrorIs(t, limiter.ResumeDay(salesiq.DailyQuota{}), salesiq.ErrInvalidInput)
		assert.Zero(t, limiter.DailyQuota())
		_, err = salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithLimiter(limiter))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		_, err = salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithLimiter(limiter.Batch()))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	}
	var none context.Context
	_, err := newLimiter(t, salesiq.Free()).Acquire(none)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
}

func TestLimitBesideALimiterIsNamed(t *testing.T) {
	t.Parallel()
	for field, option := range map[string]salesiq.Option{
		"plan": salesiq.WithPlan(salesiq.Free()), "rate limit": salesiq.WithRateLimit(1, 1), "max in flight": salesiq.WithMaxInFlight(3),
	} {
		_, err := salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithLimiter(&countingLimiter{}), option)
		var input *salesiq.InputError
		require.ErrorAs(t, err, &input)
		assert.Equal(t, field, input.Field)
	}
}

func TestLimiterBoundsCallsAtOnceAndWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, salesiq.Plan{}, salesiq.WithMaxInFlight(2), salesiq.WithMaxWait(10*time.Second))
		acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		acquire(t, limiter)
		held := acquire(t, limiter)
		start := time.Now()
		_, err := limiter.Acquire(t.Context())
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		assert.Equal(t, 10*time.Second, time.Since(start))
		time.AfterFunc(time.Second, func() { held.Done(salesiq.Outcome{}) })
		acquire(t, limiter)
		assert.Equal(t, 11*time.Second, time.Since(start))
	})
}

func TestLimiterSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, salesiq.Plan{CallsPerMinute: 1}, salesiq.WithMaxWait(10*time.Second))
		acquire(t, limiter).Done(salesiq.Outcome{StatusCode: http.StatusOK, Sent: true})
		start := time.Now()
		_, err := limiter.Acquire(t.Context())
		assert.Zero(t, time.Since(start))
		var e *salesiq.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, salesiq.ErrRateLimitExceeded, e.Code)
		assert.Equal(t, start.Add(time.Minute), e.RetryAt)
		time.Sleep(time.Until(e.RetryAt))
		acquire(t, limiter)
	})
}

func TestLimiterRefusesWhatIsNotAboutLimits(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]salesiq.Option{
		"no call at once":        salesiq.WithMaxInFlight(0),
		"no wait":                salesiq.WithMaxWait(0),
		"no rate":                salesiq.WithRateLimit(0, 1),
		"another plan":           salesiq.WithPlan(salesiq.Basic()),
		"another limiter":        salesiq.WithLimiter(&countingLimiter{}),
		"user agent":             salesiq.WithUserAgent("bot"),
		"tracer":                 salesiq.WithTracer(&salesiq.Tracer{Wait: func(context.Context, salesiq.WaitTrace) func(salesiq.WaitTrace) { return nil }}),
		"timeout of an attempt":  salesiq.WithAttemptTimeout(time.Second),
		"transport of one's own": salesiq.WithHTTPClient(&http.Client{}),
		"no option":              nil,
	} {
		_, err := salesiq.NewLimiter(salesiq.Free(), option)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
	}
	_, err := salesiq.NewLimiter(salesiq.Plan{CallsPerDay: -1})
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	newLimiter(t, salesiq.Plan{}, salesiq.WithRateLimit(1, 1), salesiq.WithMaxInFlight(1), salesiq.WithMaxWait(time.Second))
}

// What a limiter of the user's needs for an accounting of its own.
func TestOutcomeTellsWhatTheServiceSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		theirs := time.Now().UTC().Add(24 * time.Hour)
		header := func(remaining string, more ...string) http.Header {
			h := http.Header{}
			h.Set("Date", theirs.Format(http.TimeFormat))
			h.Set("X-RateLimit-Limit", "10")
			h.Set("X-RateLimit-Remaining", remaining)
			h.Set("X-RateLimit-Reset", strconv.FormatInt(theirs.Add(40*time.Second).Unix(), 10))
			for _, line := range more {
				name, value, _ := strings.Cut(line, ": ")
				h.Set(name, value)
			}
			return h
		}
		for name, c := range map[string]struct {
			outcome salesiq.Outcome
			refused bool
			wait    time.Duration // -1 for none.
		}{
			"success":                 {outcome: salesiq.Outcome{StatusCode: 200, Header: header("3")}, wait: -1},
			"token refused":           {outcome: salesiq.Outcome{StatusCode: 401, Header: header("3")}, refused: true, wait: -1},
			"unavailable for a while": {outcome: salesiq.Outcome{StatusCode: 503, Header: header("3", "Retry-After: 7")}, wait: -1},
			"too many at once":        {outcome: salesiq.Outcome{StatusCode: 429, Throttled: true, Header: header("3")}, refused: true, wait: -1},
			"too many in the window":  {outcome: salesiq.Outcome{StatusCode: 429, Throttled: true, Header: header("0")}, refused: true, wait: 40 * time.Second},
			"the body names a time": {
				outcome: salesiq.Outcome{StatusCode: 400, Throttled: true, Header: header("0"), RetryAt: time.Now().Add(time.Minute)}, refused: true, wait: time.Minute,
			},
			"the service names a time": {
				outcome: salesiq.Outcome{StatusCode: 429, Throttled: true, Header: header("0", "Retry-After: 7")}, refused: true, wait: 7 * time.Second,
			},
		} {
			date, reset := c.outcome.ServiceClock()
			assert.True(t, theirs.Equal(date), name)
			assert.True(t, theirs.Add(40*time.Second).Equal(reset), name)
			assert.Equal(t, c.refused, c.outcome.Refused(), name)
			wait, asks := c.outcome.RetryAfter()
			assert.Equal(t, c.wait >= 0, asks, name)
			assert.Equal(t, max(0, c.wait), wait, name)
		}
		silent := salesiq.Outcome{Sent: true}
		date, reset := silent.ServiceClock()
		assert.True(t, date.IsZero() && reset.IsZero())
		assert.False(t, silent.Refused())
	})
}

// The monotonic clock stands still while the machine sleeps: a time that had its reading
// would be taken for one as much later.
func TestTimesThatTheServiceNamesAreOfTheWallClock(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	var told []time.Time
	tell := func(what string, at time.Time) {
		require.False(t, at.IsZero(), what)
		assert.NotContains(t, at.String(), "m=", what)
		told = append(told, at)
	}
	limiter := newLimiter(t, salesiq.Plan{CallsPerDay: 3}, salesiq.WithMaxWait(time.Second))
	tell("the end of the day", limiter.DailyQuota().Reset)
	client := server.Client(t, salesiq.WithLimiter(limiter), salesiq.WithMaxAttempts(1),
		salesiq.WithTracer(&salesiq.Tracer{Attempt: func(ctx context.Context, _ salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			return ctx, func(a salesiq.AttemptTrace) {
				if a.StatusCode == http.StatusOK {
					tell("the reset", a.RateWindow.Reset)
				}
			}
		}}))
	list := func() error {
		_, err := client.Operators.List(t.Context(), nil)
		return err
	}
	require.NoError(t, list())
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api", Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "30"}}))
	refused, ok := errors.AsType[*salesiq.Error](list())
	require.True(t, ok)
	tell("the end of a pause", refused.RetryAt)
	refused, ok = errors.AsType[*salesiq.Error](list())
	require.True(t, ok)
	tell("the end of a wait that would be too long", refused.RetryAt)
	_, err := limiter.Acquire(t.Context())
	refused, ok = errors.AsType[*salesiq.Error](err)
	require.True(t, ok)
	tell("the same, of a limiter", refused.RetryAt)
	assert.Len(t, told, 5)
}
