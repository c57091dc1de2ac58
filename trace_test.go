package salesiq_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/usage"
)

// traceLog is a tracer that writes down what it is told.
type traceLog struct {
	mu        sync.Mutex
	lines     []string
	calls     []salesiq.CallTrace
	infos     []salesiq.CallTrace
	attempts  []salesiq.AttemptTrace
	waiting   []salesiq.WaitTrace // As they began.
	waits     []salesiq.WaitTrace
	refreshes []salesiq.RefreshTrace
}

func (l *traceLog) note(line string, more func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if more != nil {
		more()
	}
}

func (l *traceLog) tracer() *salesiq.Tracer {
	return &salesiq.Tracer{
		Call: func(_ context.Context, call salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
			l.note("call "+call.Operation, func() { l.infos = append(l.infos, call) })
			return nil, func(result salesiq.CallTrace) {
				l.note("call over", func() { l.calls = append(l.calls, result) })
			}
		},
		Attempt: func(_ context.Context, attempt salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			l.note(fmt.Sprintf("attempt %d of %s", attempt.Number, attempt.Call.Operation), nil)
			return nil, func(result salesiq.AttemptTrace) {
				l.note(fmt.Sprintf("attempt over: %d", result.StatusCode), func() { l.attempts = append(l.attempts, result) })
			}
		},
		Wait: func(_ context.Context, wait salesiq.WaitTrace) func(salesiq.WaitTrace) {
			l.note("waits for "+string(wait.Reason), func() { l.waiting = append(l.waiting, wait) })
			return func(wait salesiq.WaitTrace) {
				l.note("waited for "+string(wait.Reason), func() { l.waits = append(l.waits, wait) })
			}
		},
		Refresh: func(context.Context, salesiq.RefreshTrace) (context.Context, func(salesiq.RefreshTrace)) {
			l.note("refresh", nil)
			return nil, func(result salesiq.RefreshTrace) {
				l.note("refresh over", func() { l.refreshes = append(l.refreshes, result) })
			}
		},
	}
}

// traced runs a test in virtual time, with a client that is traced.
func traced(t *testing.T, opts []salesiq.Option, test func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog)) {
	t.Helper()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		log := &traceLog{}
		test(t, s, s.Client(t, append(opts, salesiq.WithTracer(log.tracer()))...), log)
	})
}

func TestTracerHearsOfEachStepOfACall(t *testing.T) {
	t.Parallel()
	traced(t, nil, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/oauth", Latency: 300 * time.Millisecond},
			salesiqtest.Fault{Path: "/api", Status: 503, Latency: 200 * time.Millisecond},
		))
		_, err := client.Chats.Get(t.Context(), "chat123")
		require.NoError(t, err)
		assert.Equal(t, []string{
			"call Chats.Get",
			"attempt 1 of Chats.Get", "refresh", "waits for token", "refresh over", "waited for token", "attempt over: 503",
			"waits for backoff", "waited for backoff",
			"attempt 2 of Chats.Get", "attempt over: 200",
			"call over",
		}, log.lines)

		assert.Equal(t, salesiq.CallTrace{
			Operation: "Chats.Get", Method: "GET", Host: log.infos[0].Host, Template: "/api/v2/chats/{chat_id}",
		}, log.infos[0])
		assert.NotEmpty(t, log.infos[0].Host)

		assert.Equal(t, 200*time.Millisecond, log.attempts[0].Duration, "the wait for the token is not the attempt's")
		require.Error(t, log.attempts[0].Err)
		assert.NoError(t, log.attempts[1].Err)
		assert.True(t, log.attempts[1].RateWindow.Known)

		assert.Equal(t, 300*time.Millisecond, log.waits[0].Duration)
		assert.Equal(t, "Chats.Get", log.waits[0].Call.Operation)

		require.Len(t, log.calls, 1)
		assert.Equal(t, 200, log.calls[0].StatusCode)
		assert.Equal(t, 2, log.calls[0].Attempts)
		assert.Equal(t, 300*time.Millisecond+log.waits[1].Duration, log.calls[0].Waited)
		assert.Equal(t, 200*time.Millisecond, log.calls[0].Duration, "the service is not blamed for the waits")
		assert.Equal(t, 300*time.Millisecond, log.attempts[0].Waited)
		assert.Equal(t, 1, log.refreshes[0].Requests)
	})
}

func TestTracerHearsWhatTheCallerHears(t *testing.T) {
	t.Parallel()
	traced(t, nil, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Method: "POST", Path: "/api", Effect: salesiqtest.ResetConnection, Processed: true}))
		_, lost := client.Chats.SendMessage(t.Context(), "chat123", salesiq.TextMessage("Hello"))
		require.ErrorIs(t, lost, salesiq.ErrMaybeProcessed)
		_, missing := client.Chats.Get(t.Context(), "chat999")
		require.ErrorIs(t, missing, salesiq.ErrResourceNotFound)
		_, refused := client.Chats.Get(t.Context(), "")
		require.ErrorIs(t, refused, salesiq.ErrInvalidInput)

		require.Len(t, log.calls, 2, "a call whose arguments are refused does not begin")
		assert.Equal(t, lost, log.calls[0].Err)
		assert.Zero(t, log.calls[0].StatusCode)
		assert.Equal(t, missing, log.calls[1].Err)
		assert.Equal(t, http.StatusNotFound, log.calls[1].StatusCode)

		require.ErrorIs(t, log.attempts[0].Err, salesiq.ErrMaybeProcessed)
		require.ErrorIs(t, log.attempts[1].Err, salesiq.ErrResourceNotFound)
		assert.False(t, log.attempts[1].Throttled)
	})
}

func TestTracerHearsOfRefusalsAndOfTheWaitForTheQuota(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 1000, CallsPerDay: 50}), salesiq.WithMaxInFlight(1)}
	traced(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/api", Status: 429, Latency: time.Second}))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { assert.NoError(t, second(client.Chats.Get(t.Context(), "chat123"))) })
		}
		wg.Wait()
		throttled, quota := 0, 0
		for _, attempt := range log.attempts {
			assert.Equal(t, 50, attempt.DailyQuota.Limit)
			if attempt.Throttled {
				throttled++
			}
		}
		for _, wait := range log.waits {
			if wait.Reason == salesiq.WaitQuota {
				quota++
				assert.GreaterOrEqual(t, wait.Duration, time.Second)
			}
		}
		assert.Equal(t, 1, throttled)
		assert.Positive(t, quota)
		last := log.attempts[len(log.attempts)-1].DailyQuota
		assert.Equal(t, 48, last.Left)
		assert.True(t, last.Reset.After(time.Now()))
	})
}

// A nightly job that waits for its quota must not look hung.
func TestTracerHearsWhyAndUntilWhenACallWaitsWhileItWaits(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 3}), salesiq.WithMaxInFlight(1)}
	traced(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/api", Latency: 5 * time.Second}))
		start := time.Now()
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { assert.NoError(t, second(client.Chats.Get(t.Context(), "chat123"))) })
		}
		time.Sleep(time.Second)
		synctest.Wait()
		waiting := map[salesiq.WaitReason]salesiq.WaitTrace{}
		log.mu.Lock()
		over := len(log.waits)
		for _, wait := range log.waiting {
			waiting[wait.Reason] = wait
		}
		log.mu.Unlock()
		require.Len(t, waiting, 2)
		assert.Zero(t, over, "they are not over")
		assert.True(t, waiting[salesiq.WaitSlot].Until.IsZero(), "who knows how long another call takes")
		assert.WithinDuration(t, start.Add(time.Minute), waiting[salesiq.WaitQuota].Until, time.Second)
		assert.Equal(t, "Chats.Get", waiting[salesiq.WaitQuota].Call.Operation)
		calls.Wait()
		require.Len(t, log.waits, 2)
		assert.Zero(t, log.calls[len(log.calls)-1].Duration, "the service is not blamed")
		assert.Greater(t, log.calls[len(log.calls)-1].Waited, 50*time.Second)
	})
}

func TestTracerHearsWhichWaitsAreOne(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 3}), salesiq.WithMaxWait(time.Hour)}
	traced(t, opts, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		for range 3 {
			require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		}
		var calls sync.WaitGroup
		for range 6 {
			time.Sleep(10 * time.Millisecond)
			calls.Go(func() { assert.NoError(t, second(client.Chats.Get(t.Context(), "chat123"))) })
		}
		time.Sleep(time.Second)
		log.mu.Lock()
		var shared []bool
		for _, wait := range log.waiting {
			shared = append(shared, wait.Shared)
		}
		log.mu.Unlock()
		assert.Equal(t, []bool{false, true, true, false, true, true}, shared, "three wait for one minute, three for the next")
		calls.Wait()
	})
}

func TestInterruptedBackoffIsToldOf(t *testing.T) {
	t.Parallel()
	traced(t, nil, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/api", Status: 503, Header: map[string]string{"Retry-After": "60"}}))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(7*time.Second, cancel)
		_, err := client.Chats.Get(ctx, "chat123")
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, log.waits, 1)
		assert.Equal(t, salesiq.WaitRetryAfter, log.waits[0].Reason)
		assert.Equal(t, 7*time.Second, log.waits[0].Duration)
		assert.Equal(t, 7*time.Second, log.calls[0].Waited)
	})
}

type traceKey string

// nested is a tracer that adds its name to the context.
func nested(name string, log *traceLog) *salesiq.Tracer {
	return &salesiq.Tracer{
		Call: func(ctx context.Context, _ salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
			log.note(name+" begins", nil)
			return context.WithValue(ctx, traceKey(name), true), func(salesiq.CallTrace) { log.note(name+" ends", nil) }
		},
		Attempt: func(ctx context.Context, _ salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			log.note(fmt.Sprint("attempt in outer ", ctx.Value(traceKey("outer")), ", inner ", ctx.Value(traceKey("inner"))), nil)
			return context.WithValue(ctx, traceKey("attempt"), true), nil
		},
		Wait: func(ctx context.Context, _ salesiq.WaitTrace) func(salesiq.WaitTrace) {
			log.note(fmt.Sprint("wait in attempt ", ctx.Value(traceKey("attempt"))), nil)
			return nil
		},
		Refresh: func(ctx context.Context, _ salesiq.RefreshTrace) (context.Context, func(salesiq.RefreshTrace)) {
			log.note(fmt.Sprint("refresh in attempt ", ctx.Value(traceKey("attempt"))), nil)
			return nil, nil
		},
	}
}

func TestTracersNestInTheOrderOfTheirOptions(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		log := &traceLog{}
		outer, inner := nested("outer", log), nested("inner", log)
		inner.Attempt, inner.Wait, inner.Refresh = nil, nil, nil
		client := s.Client(t, salesiq.WithTracer(outer), salesiq.WithTracer(inner, &salesiq.Tracer{}))
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/oauth", Latency: time.Second}))
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		assert.Equal(t, []string{
			"outer begins", "inner begins", "attempt in outer true, inner true", "refresh in attempt true", "wait in attempt true", "inner ends", "outer ends",
		}, log.lines)
	})
}

func TestTracerMayAddHeadersButNotTheClientsOwn(t *testing.T) {
	t.Parallel()
	s := newAPIRecorder(t, answerSuitably)
	var kept http.Header
	client := s.client(t, salesiq.WithTracer(&salesiq.Tracer{
		Attempt: func(_ context.Context, attempt salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			kept = attempt.Header
			for _, name := range []string{"Traceparent", "Authorization", "idempotency-key", "User-Agent", "X-Mine"} {
				attempt.Header[name] = []string{"traced"}
			}
			return nil, nil
		},
	}))
	require.NoError(t, second(client.Chats.Get(t.Context(), "chat123", salesiq.WithHeader("X-Mine", "mine"))))
	header := s.requests()[0].Header
	assert.Equal(t, "traced", header.Get("Traceparent"))
	assert.Equal(t, "Zoho-oauthtoken "+testToken, header.Get("Authorization"))
	assert.Equal(t, "mine", header.Get("X-Mine"), "what the caller says comes first")
	assert.NotContains(t, header.Get("User-Agent"), "traced")
	assert.Empty(t, header.Get("Idempotency-Key"), "net/http would repeat a POST")
	assert.Len(t, kept, 5, "the tracer may read it in another goroutine, so that nobody else writes to it")
}

func TestTracerHearsHostAndPort(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://salesiq.zoho.example":           "salesiq.zoho.example:443",
		"http://localhost":                       "localhost:80",
		"http://[::1]:8080/prefix":               "[::1]:8080",
		"https://salesiq.zoho.example:8443/a%20": "salesiq.zoho.example:8443",
	} {
		log := &traceLog{}
		client, err := salesiq.NewClient(salesiq.StaticToken(testToken), salesiq.WithBaseURL(address), salesiq.WithTracer(log.tracer()))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, second(client.Chats.Get(ctx, "chat123")), context.Canceled)
		assert.Equal(t, want, log.infos[0].Host)
		assert.True(t, strings.HasSuffix(log.infos[0].Template, "/api/v2/chats/{chat_id}"))
		assert.NotContains(t, log.infos[0].Template, "://", "it is a path")
	}
}

// A path of the caller's own may hold an id, or a visitor's address.
func TestTemplateTellsNothingOfIDs(t *testing.T) {
	t.Parallel()
	for path, test := range map[string]struct {
		ids  []string
		want string
	}{
		"/conversations":           {want: "/api/v2/conversations"},
		"/conversations?q=ada":     {want: "/api/v2/conversations"},
		"/conversations/{id}":      {ids: []string{"c-1"}, want: "/api/v2/conversations/{id}"},
		"/visitor/v2/things":       {want: "/visitor/v2/things"},
		"/conversations/c1":        {want: ""},
		"/visitors/ada@example.eu": {want: ""},
		"/visitors/Ada%20L":        {want: ""},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s, log := newAPIRecorder(t, answerSuitably), &traceLog{}
			client := s.client(t, salesiq.WithTracer(log.tracer()))
			require.NoError(t, client.Do(t.Context(), "POST", path, nil, nil, salesiq.WithIDs(test.ids...)))
			assert.Equal(t, test.want, log.infos[0].Template)
		})
	}
}

func TestAnswerThatWasKeptHasNoAttempts(t *testing.T) {
	t.Parallel()
	traced(t, []salesiq.Option{salesiq.WithCache(salesiq.Cache{})}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		for range 2 {
			require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
		}
		require.Len(t, log.calls, 2)
		assert.Equal(t, 1, log.calls[0].Attempts)
		assert.Zero(t, log.calls[1].Attempts)
		assert.Len(t, log.attempts, 1)
		assert.Equal(t, "Operators.Get", log.infos[1].Operation)
	})
}

func TestRefreshesAreToldOfOnceHoweverManyWait(t *testing.T) {
	t.Parallel()
	traced(t, nil, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, log *traceLog) {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { assert.NoError(t, second(client.Chats.Get(t.Context(), "chat123"))) })
		}
		wg.Wait()
		require.Len(t, log.refreshes, 1)
		assert.NoError(t, log.refreshes[0].Err)

		s.RevokeTokens()
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/oauth", Status: 400, Body: `{"error":"invalid_client"}`}))
		require.ErrorIs(t, second(client.Chats.Get(t.Context(), "chat123")), salesiq.ErrAuth)
		require.Len(t, log.refreshes, 2)
		assert.Error(t, log.refreshes[1].Err)
	})
}

func TestNewerTokenInTheStoreIsARefreshWithoutARequest(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *salesiqtest.Server) {
		store, log := salesiq.NewMemoryTokenStore(), &traceLog{}
		for range 2 { // Two processes.
			opts := append(s.Options(), salesiq.WithTracer(log.tracer()))
			client, err := salesiq.NewClient(salesiq.RefreshToken(s.Credentials(), store), opts...)
			require.NoError(t, err)
			require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		}
		require.Len(t, log.refreshes, 2)
		assert.Equal(t, 1, log.refreshes[0].Requests)
		assert.Zero(t, log.refreshes[1].Requests)
	})
}

// reportingLimiter lets everything go, and knows the day.
type reportingLimiter struct{ left int }

func (l *reportingLimiter) Acquire(context.Context) (salesiq.Lease, error) {
	l.left--
	return l, nil
}

func (l *reportingLimiter) Done(salesiq.Outcome) {}

func (l *reportingLimiter) DailyQuota() salesiq.DailyQuota {
	return salesiq.DailyQuota{Limit: 10, Left: l.left}
}

func TestLimiterOfTheUsersMayReportTheDay(t *testing.T) {
	t.Parallel()
	s, log := newAPIRecorder(t, answerSuitably), &traceLog{}
	client := s.client(t, salesiq.WithLimiter(&reportingLimiter{left: 10}), salesiq.WithTracer(log.tracer()))
	require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
	assert.Equal(t, salesiq.DailyQuota{Limit: 10, Left: 9}, log.attempts[0].DailyQuota)
}

func TestNilTracerIsRefused(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]salesiq.Option{
		"tracer": salesiq.WithTracer(&salesiq.Tracer{}, nil), "usage monitor": salesiq.WithTracer((*usage.Monitor)(nil).Tracer()),
	} {
		_, err := salesiq.NewClient(salesiq.StaticToken(testToken), option)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
		assert.ErrorContains(t, err, "tracer")
	}
}

func TestTracerHearsOfEachRequestWithoutItsWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		var requests []salesiq.AttemptTrace
		client := s.Client(t, salesiq.WithTracer(&salesiq.Tracer{
			Request: func(_ context.Context, _ salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
				return nil, func(result salesiq.AttemptTrace) { requests = append(requests, result) }
			},
		}))
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/oauth", Latency: time.Second},
			salesiqtest.Fault{Path: "/api", Status: 503, Latency: 250 * time.Millisecond},
		))
		_, err := client.Chats.Get(t.Context(), "chat123")
		require.NoError(t, err)
		require.Len(t, requests, 3)
		for i, want := range []struct {
			operation, template string
			number, status      int
			took                time.Duration
		}{
			{"OAuth.Token", "/oauth/v2/token", 1, 200, time.Second},
			{"Chats.Get", "/api/v2/chats/{chat_id}", 1, 503, 250 * time.Millisecond},
			{"Chats.Get", "/api/v2/chats/{chat_id}", 2, 200, 0},
		} {
			got := requests[i]
			assert.Equal(t, want.operation, got.Call.Operation)
			assert.Equal(t, want.template, got.Call.Template)
			assert.Equal(t, want.number, got.Number)
			assert.Equal(t, want.status, got.StatusCode)
			assert.Equal(t, want.took, got.Duration)
			assert.Equal(t, want.status != 200, got.Err != nil)
			assert.Contains(t, got.Protocol, "HTTP/")
		}
	})
}

func TestTracerThatDoesNotLookIsToldNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		var looks bool
		var log traceLog
		tracer := log.tracer()
		tracer.Enabled = func(context.Context) bool { return looks }
		tracer.Refresh = nil
		client := s.Client(t, salesiq.WithTracer(tracer))
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/api", Status: 503}))
		for _, looks = range []bool{false, true} {
			_, err := client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)
			assert.Equal(t, looks, len(log.lines) > 0)
		}
	})
}

func TestAWaitSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 29, 15, 4, 5, 0, time.Now().Location())
	assert.Equal(t, "waiting for quota until 15:04:05", salesiq.WaitTrace{Reason: salesiq.WaitQuota, Until: until}.String())
	assert.Equal(t, "waiting for retry after until 15:04:05", salesiq.WaitTrace{Reason: salesiq.WaitRetryAfter, Until: until.UTC()}.String(), "local time")
	assert.Equal(t, "waiting for slot", salesiq.WaitTrace{Reason: salesiq.WaitSlot}.String())
}
