package quota_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
)

var update = flag.Bool("update", false, "write what the tests do with an account to testdata/traces")

// recorder is an account that writes down what a test does with it, and what
// came of it. The traces in testdata/traces are for other implementations of
// the same accounting, such as the script of package salesiqredis, to do the
// same. Times in them are microseconds.
type recorder struct {
	*quota.Account

	trace    trace
	calls    map[quota.Call]int
	silent   bool // Nothing is written down.
	unlawful bool // A call was started that was not Ready.
}

// maxSteps is how many steps of a test are written down, from the first on.
const maxSteps = 400

// trace is a test, as another implementation can repeat it.
type trace struct {
	Limits quota.Limits `json:"limits"`
	Steps  []step       `json:"steps"`
}

type step struct {
	At     int64   `json:"at"`
	Do     string  `json:"do"`             // Start, end or look.
	Call   int     `json:"call,omitempty"` // Which one is started or ended, from 1.
	Report *report `json:"report,omitempty"`

	// What is true afterwards.
	Ready    bool  `json:"ready"`
	Earliest int64 `json:"earliest"`
	Daily    bool  `json:"daily,omitempty"`
}

// report is a quota.Report in numbers; zero is absent, but for RetryIn.
type report struct {
	Sent      bool   `json:"sent,omitempty"`
	Answered  bool   `json:"answered,omitempty"`
	Refused   bool   `json:"refused,omitempty"`
	Throttled bool   `json:"throttled,omitempty"`
	Known     bool   `json:"known,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	Remaining int    `json:"remaining,omitempty"`
	Reset     int64  `json:"reset,omitempty"`
	Date      int64  `json:"date,omitempty"`
	RetryIn   *int64 `json:"retry_in,omitempty"`
}

// record returns a new account. What the test does with it must be what its
// file says.
func record(t *testing.T, l quota.Limits) *recorder {
	t.Helper()
	r := &recorder{Account: newAccount(l), trace: trace{Limits: l}, calls: map[quota.Call]int{}}
	r.silent = strings.HasPrefix(t.Name(), "Fuzz") // There is no end of them.
	if !r.silent {
		t.Cleanup(func() { r.compare(t) })
	}
	return r
}

// compare finishes a trace.
func (r *recorder) compare(t *testing.T) {
	t.Helper()
	if r.unlawful || r.silent || t.Failed() {
		return
	}
	name := strings.NewReplacer("/", "--", "'", "").Replace(t.Name())
	path := filepath.Join("testdata", "traces", name+".json")
	got := r.trace.encode(t)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), string(got), "go test -update, if that is meant; then the script of salesiqredis must follow")
}

// encode writes a line for each step.
func (tr *trace) encode(t *testing.T) []byte {
	t.Helper()
	limits, err := json.Marshal(tr.Limits)
	require.NoError(t, err)
	lines := make([]string, len(tr.Steps))
	for i, s := range tr.Steps {
		line, err := json.Marshal(s)
		require.NoError(t, err)
		lines[i] = string(line)
	}
	return fmt.Appendf(nil, "{\"limits\": %s, \"steps\": [\n%s\n]}\n", limits, strings.Join(lines, ",\n"))
}

func (r *recorder) note(now time.Time, s step) {
	if r.silent || len(r.trace.Steps) == maxSteps {
		return
	}
	s.At = now.UnixMicro()
	s.Ready = r.Account.Ready(now, quota.Interactive)
	at, daily := r.Earliest(now, 0, quota.Interactive)
	s.Earliest, s.Daily = at.UnixMicro(), daily
	r.trace.Steps = append(r.trace.Steps, s)
}

func (r *recorder) Ready(now time.Time, c quota.Class) bool {
	r.note(now, step{Do: "look"})
	return r.Account.Ready(now, c)
}

func (r *recorder) Start(now time.Time) quota.Call {
	if !r.Account.Ready(now, quota.Interactive) {
		r.unlawful = true
	}
	call := r.Account.Start(now)
	if r.silent {
		return call
	}
	r.calls[call] = len(r.calls) + 1
	r.note(now, step{Do: "start", Call: r.calls[call]})
	return call
}

func (r *recorder) Cancel(c quota.Call, now time.Time) { r.End(c, quota.Report{}, now) }

func (r *recorder) End(c quota.Call, q quota.Report, now time.Time) {
	r.Account.End(c, q, now)
	r.note(now, step{Do: "end", Call: r.calls[c], Report: numbers(q, now)})
}

func numbers(q quota.Report, now time.Time) *report {
	r := &report{
		Sent: q.Sent, Answered: q.Answered, Refused: q.Refused, Throttled: q.Throttled,
		Known: q.Known, Limit: q.Limit, Remaining: q.Remaining, Reset: micro(q.Reset), Date: micro(q.Date),
	}
	if !q.RetryAt.IsZero() {
		in := q.RetryAt.Sub(now).Microseconds()
		r.RetryIn = &in
	}
	return r
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Short walks are recorded, long ones are for the fuzzer.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			newWalk(t, seed).run(t, 120)
		})
	}
}

// Whatever is reported, in any order and however unlikely, has to mean the same
// elsewhere. There is no service here that it would come from.
func TestRandomReports(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			r := record(t, quota.Limits{PerMinute: random.IntN(2) * 8, PerDay: random.IntN(2) * 60, InFlight: 4})
			now := start.Add(23*time.Hour + 55*time.Minute)
			r.End(r.Start(now), quota.Report{Sent: true, Answered: true, Date: now.Add(time.Hour)}, now)
			var under []quota.Call
			for range 150 {
				for len(under) < 4 && random.IntN(3) > 0 && r.Ready(now, quota.Interactive) {
					under = append(under, r.Start(now))
				}
				now = now.Add(time.Duration(random.IntN(8_000)) * time.Millisecond)
				if len(under) > 0 {
					i := random.IntN(len(under))
					r.End(under[i], randomReport(random, now), now)
					under = slices.Delete(under, i, i+1)
				}
			}
		})
	}
}

// randomReport is of a service whose clock is an hour ahead, and jumps at times.
func randomReport(random *rand.Rand, now time.Time) quota.Report {
	sometimes := func() bool { return random.IntN(4) == 0 }
	if sometimes() {
		return quota.Report{Sent: sometimes()}
	}
	q := quota.Report{Sent: true, Answered: true, Throttled: sometimes(), Known: !sometimes()}
	q.Refused = q.Throttled || sometimes()
	if q.Known {
		q.Limit, q.Remaining = 10, random.IntN(10)*random.IntN(2)
	}
	clock := now.Add(time.Hour + time.Duration(random.IntN(5_000))*time.Millisecond)
	if !sometimes() {
		q.Date = clock.Truncate(time.Second)
	}
	if !sometimes() {
		q.Reset = clock.Truncate(30 * time.Second).Add(time.Duration(28+random.IntN(4)) * time.Second).Truncate(time.Second)
	}
	if q.Throttled && sometimes() {
		q.RetryAt = now.Add(time.Duration(random.IntN(5)) * time.Second)
	}
	return q
}
