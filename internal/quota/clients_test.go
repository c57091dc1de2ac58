package quota_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
)

const (
	ours    = "salesiq"
	address = "https://salesiq.example/api/v2/chats"
)

// clients are what is compared. Dial prepares one; what it returns makes a call
// and reports whether that succeeded.
var clients = []struct {
	name string
	dial func(sc scenario, wire *wire) func(ctx context.Context) bool
}{
	{ours, dialOurs},
	{"x/time/rate, burst 1", func(sc scenario, w *wire) func(context.Context) bool { return dialRate(sc, w, 1) }},
	{"x/time/rate, burst 10", func(sc scenario, w *wire) func(context.Context) bool { return dialRate(sc, w, 10) }},
	{"sleep to reset on 429", dialSleeper},
	{"retryablehttp defaults", dialRetryable},
}

// wire is the way to a service and back.
type wire struct {
	mu      sync.Mutex
	service *service
	took    time.Duration // From a call's arrival to its answer.
	refused int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(oneWay)
	response := w.answer(r)
	time.Sleep(w.took + oneWay)
	return response, nil
}

func (w *wire) answer(r *http.Request) *http.Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	status, body := http.StatusOK, `{"status":"success","data":{"id":"x1"}}`
	processed := w.service.take(now)
	if !processed {
		w.refused++
		status, body = http.StatusTooManyRequests, `{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"too many"}`
	}
	report := w.service.report(now, processed)
	header := http.Header{"Content-Type": {"application/json"}}
	if !report.Date.IsZero() {
		header.Set("Date", report.Date.Format(http.TimeFormat))
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(report.Limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(report.Remaining))
	if !report.Reset.IsZero() {
		header.Set("X-RateLimit-Reset", strconv.FormatInt(report.Reset.Unix(), 10))
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// run has ten goroutines make the calls of a scenario.
func (sc scenario) run(t *testing.T, dial func(scenario, *wire) func(context.Context) bool) (o outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(sc.begin()))
		w := &wire{service: sc.service(), took: sc.took}
		call := dial(sc, w)
		var left, failed atomic.Int64
		left.Store(int64(sc.calls()))
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				for left.Add(-1) >= 0 {
					if !call(t.Context()) {
						failed.Add(1)
					}
				}
			})
		}
		all.Wait()
		o = outcome{makespan: time.Since(sc.begin()), refused: w.refused, failed: int(failed.Load())}
	})
	return o
}

type token struct{}

func (token) Header(context.Context) (string, error) { return "Zoho-oauthtoken t", nil }
func (token) Rejected(string) transport.Refusal      { return transport.TokenKept }
func (token) Accepted(string)                        {}

// dialOurs is the client's own pipeline.
func dialOurs(_ scenario, w *wire) func(context.Context) bool {
	const maxWait = 2 * time.Minute
	pipeline := transport.New(transport.Config{
		Base:           w,
		Tokens:         token{},
		Limiter:        transport.NewQueue(transport.QueueConfig{Limits: quota.Limits{InFlight: atOnce}, MaxWait: maxWait}),
		AttemptTimeout: time.Minute,
		StallTimeout:   time.Minute,
		MaxBody:        1 << 20,
		MaxAttempts:    4,
		MaxWait:        maxWait,
	})
	return func(ctx context.Context) bool {
		answer, err := pipeline.Do(ctx, &transport.Request{Method: http.MethodGet, URL: address, Idempotent: true})
		answer.Release()
		return err == nil
	}
}

// once makes a call without any ado.
func (w *wire) once(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	return w.RoundTrip(r)
}

// dialRate spreads calls evenly over the minute, and tries a refused one again
// when its turn comes, four times in all.
func dialRate(sc scenario, w *wire, burst int) func(context.Context) bool {
	limiter := rate.NewLimiter(rate.Limit(float64(sc.limit)/60), burst)
	return func(ctx context.Context) bool {
		for range 4 {
			if limiter.Wait(ctx) != nil {
				return false
			}
			if response, err := w.once(ctx); err == nil && response.StatusCode == http.StatusOK {
				return true
			}
		}
		return false
	}
}

// dialSleeper does what the specification's samples do: it calls, and sleeps
// to the reset, by its own clock, if that was one too many; three times in all.
func dialSleeper(_ scenario, w *wire) func(context.Context) bool {
	return func(ctx context.Context) bool {
		for range 3 {
			response, err := w.once(ctx)
			if err != nil {
				return false
			}
			if response.StatusCode == http.StatusOK {
				return true
			}
			reset, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 64)
			if err != nil {
				return false
			}
			time.Sleep(time.Until(time.Unix(reset, 0)))
		}
		return false
	}
}

func dialRetryable(_ scenario, w *wire) func(context.Context) bool {
	client := retryablehttp.NewClient()
	client.HTTPClient.Transport = w
	client.Logger = nil
	return func(ctx context.Context) bool {
		r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return false
		}
		response, err := client.Do(r)
		if err != nil {
			return false
		}
		return response.StatusCode == http.StatusOK && response.Body.Close() == nil
	}
}
