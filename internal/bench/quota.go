package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq"
)

// quotaRow is how a client did with the calls of ten minutes, under every plan
// of the specification, from several seconds of a minute, by several clocks.
type quotaRow struct {
	Name    string  `json:"name"`
	Mean    float64 `json:"mean"` // Of the time, to that of an oracle.
	Worst   float64 `json:"worst"`
	Refused int     `json:"refused"` // 429s.
	Failed  int     `json:"failed"`
	Calls   int     `json:"calls"`
}

// The scenarios.
var (
	quotaPlans   = []salesiq.Plan{salesiq.Free(), salesiq.Basic(), salesiq.Professional(), salesiq.Enterprise()}
	quotaSeconds = []int{0, 15, 30, 45, 59}
	quotaSkews   = []time.Duration{0, 30 * time.Second, -30 * time.Second} // Of the service's clock.
)

const (
	quotaWindows = 10
	quotaOneWay  = 150 * time.Millisecond
)

// measureQuota runs the simulations in a process of its own, since virtual time
// is for tests: what package testing makes of the process need not concern us.
func measureQuota(ctx context.Context, _ plan, _ string, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, self, quotaRole) //nolint:gosec // This program.
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	err = json.NewDecoder(out).Decode(&r.Quota)
	io.Copy(io.Discard, out) //nolint:errcheck // What package testing adds.
	if waitErr := command.Wait(); waitErr != nil {
		return fmt.Errorf("quota: %w", waitErr)
	}
	return err
}

// simulate writes the rows to the standard output.
func simulate() {
	os.Args = os.Args[:1]
	match := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(match, []testing.InternalTest{{Name: "quota", F: func(t *testing.T) {
		var rows []quotaRow
		for _, client := range quotaClients {
			rows = append(rows, simulateAll(t, client.name, client.dial))
		}
		if err := json.NewEncoder(os.Stdout).Encode(rows); err != nil {
			t.Error(err)
		}
	}}}, nil, nil)
}

func simulateAll(t *testing.T, name string, dial dialer) quotaRow {
	row := quotaRow{Name: name}
	runs := 0
	for _, plan := range quotaPlans {
		for _, second := range quotaSeconds {
			for _, skew := range quotaSkews {
				calls := quotaWindows * plan.CallsPerMinute
				ratio, refused, failed := simulateOne(t, plan, second, skew, dial)
				row.Mean += ratio
				row.Worst = max(row.Worst, ratio)
				row.Calls += calls
				row.Refused += refused
				row.Failed += failed
				runs++
			}
		}
	}
	row.Mean /= float64(runs)
	return row
}

// simulateOne has ten goroutines make the calls, and returns the time as a
// ratio to the oracle's.
func simulateOne(t *testing.T, plan salesiq.Plan, second int, skew time.Duration, dial dialer) (ratio float64, refused, failed int) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Duration(second) * time.Second) //nolint:forbidigo // Time is virtual.
		service := &quotaService{limit: plan.CallsPerMinute, skew: skew}
		best := (&quotaService{limit: plan.CallsPerMinute, skew: skew}).best(time.Now(), quotaWindows*plan.CallsPerMinute)
		call, err := dial(plan, service)
		if err != nil {
			t.Error(err)
			return
		}
		began := time.Now()
		var failures atomic.Int64
		tenAtOnce(quotaWindows*plan.CallsPerMinute, func(int) error { //nolint:errcheck // Failures are counted.
			if call(t.Context()) != nil {
				failures.Add(1)
			}
			return nil
		})
		ratio = float64(time.Since(began)) / float64(best)
		refused, failed = service.refused, int(failures.Load())
	})
	return ratio, refused, failed
}

// quotaService grants so many calls in each minute of its clock, which differs
// from the client's by skew.
type quotaService struct {
	limit int
	skew  time.Duration

	mu      sync.Mutex
	window  time.Time
	used    int
	refused int
}

// take grants a call at a time, or refuses it.
func (s *quotaService) take(now time.Time) bool {
	if window := now.Add(s.skew).Truncate(time.Minute); !window.Equal(s.window) {
		s.window, s.used = window, 0
	}
	if s.used >= s.limit {
		return false
	}
	s.used++
	return true
}

// best is the time of one who knows what the service does.
func (s *quotaService) best(begin time.Time, calls int) time.Duration {
	var free [atOnce]time.Time // When each of the ten may call again.
	for i := range free {
		free[i] = begin
	}
	arrives := begin
	for n := range calls {
		if sent := free[n%atOnce].Add(quotaOneWay); sent.After(arrives) {
			arrives = sent
		}
		for !s.take(arrives) {
			arrives = s.window.Add(time.Minute - s.skew)
		}
		free[n%atOnce] = arrives.Add(quotaOneWay)
	}
	return free[(calls-1)%atOnce].Sub(begin)
}

func (s *quotaService) RoundTrip(request *http.Request) (*http.Response, error) {
	time.Sleep(quotaOneWay) //nolint:forbidigo // Time is virtual.
	response := s.answer(request)
	time.Sleep(quotaOneWay) //nolint:forbidigo // Time is virtual.
	return response, nil
}

func (s *quotaService) answer(request *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	status, body := http.StatusOK, `{"status":"success","data":{"id":"x1"}}`
	if !s.take(now) {
		s.refused++
		status, body = http.StatusTooManyRequests, `{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"too many"}`
	}
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set("Date", now.Add(s.skew).UTC().Format(http.TimeFormat))
	header.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(s.limit-s.used))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(s.window.Add(time.Minute).Unix(), 10))
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: request}
}

// dialer prepares a client, and returns a func that makes a call.
type dialer func(plan salesiq.Plan, wire http.RoundTripper) (func(context.Context) error, error)

var quotaClients = []struct {
	name string
	dial dialer
}{
	{"go-retryablehttp as it comes", func(_ salesiq.Plan, wire http.RoundTripper) (func(context.Context) error, error) {
		c := newRetryable()
		c.HTTPClient.Transport = wire
		return func(ctx context.Context) error { return retryOnce(ctx, c) }, nil
	}},
	{"hand-written: sleeps until the reset after a 429, three times", func(_ salesiq.Plan, wire http.RoundTripper) (func(context.Context) error, error) {
		return func(ctx context.Context) error { return sleepToReset(ctx, wire) }, nil
	}},
	{"x/time/rate, even pace, one at a time", paced(1)},
	{"x/time/rate, even pace, bursts of ten", paced(10)},
	{ours, func(plan salesiq.Plan, wire http.RoundTripper) (func(context.Context) error, error) {
		sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(cannedBase),
			salesiq.WithHTTPClient(&http.Client{Transport: wire}), salesiq.WithPlan(plan))
		return func(ctx context.Context) error {
			_, err := sdk.Chats.Get(ctx, chatID)
			return err
		}, err
	}},
}

func retryOnce(ctx context.Context, c *retryablehttp.Client) error {
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, cannedBase, nil)
	if err != nil {
		return err
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func sleepToReset(ctx context.Context, wire http.RoundTripper) error {
	for range 3 {
		response, err := once(ctx, wire) //nolint:bodyclose // Once did.
		if err != nil || response.StatusCode == http.StatusOK {
			return err
		}
		reset, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil {
			return err
		}
		time.Sleep(time.Until(time.Unix(reset, 0))) //nolint:forbidigo // Time is virtual.
	}
	return context.DeadlineExceeded
}

// paced calls at the plan's rate, and once more, up to four times, after a 429.
func paced(burst int) dialer {
	return func(plan salesiq.Plan, wire http.RoundTripper) (func(context.Context) error, error) {
		pace := rate.NewLimiter(rate.Limit(float64(plan.CallsPerMinute)/60), burst)
		return func(ctx context.Context) error {
			for range 4 {
				if err := pace.Wait(ctx); err != nil {
					return err
				}
				if response, err := once(ctx, wire); err != nil || response.StatusCode == http.StatusOK { //nolint:bodyclose // Once did.
					return err
				}
			}
			return context.DeadlineExceeded
		}, nil
	}
}

func once(ctx context.Context, wire http.RoundTripper) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, cannedBase, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := wire.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}
