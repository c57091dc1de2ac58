package salesiqredis

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// trace is what a test of package quota did, and what came of it there.
type trace struct {
	Limits limits
	Steps  []struct {
		At       int64
		Do       string
		Call     int
		Report   traceReport
		Ready    bool
		Earliest int64
		Daily    bool
	}
}

type traceReport struct {
	Sent, Answered, Refused, Throttled, Known bool
	Limit, Remaining                          int
	Reset, Date                               int64
	RetryIn                                   *int64 `json:"retry_in"`
}

func (r *traceReport) args() []string {
	told := &report{
		sent: r.Sent, answered: r.Answered, refused: r.Refused, throttled: r.Throttled, known: r.Known,
		limit: r.Limit, remaining: r.Remaining, reset: r.Reset, date: r.Date, retryIn: -1,
	}
	if r.RetryIn != nil {
		told.retryIn = *r.RetryIn
	}
	return told.args()
}

// coreFolder is where the salesiq is that the module is built with.
func coreFolder(t *testing.T) string {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/salesiq-go/salesiq").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(path))
}

// The script does what package quota does, in all that its tests make that do.
func TestScriptKeepsTheSameAccount(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(coreFolder(t), "internal", "quota", "testdata", "traces", "*.json"))
	require.NoError(t, err)
	require.Greater(t, len(paths), 20)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			var tr trace
			require.NoError(t, json.Unmarshal(data, &tr))
			tr.replay(t)
		})
	}
}

func TestScriptIsToldWhatTheAnswerSaid(t *testing.T) {
	t.Parallel()
	date := time.Date(2030, 1, 1, 12, 0, 20, 0, time.UTC)
	header := http.Header{}
	header.Set("Date", date.Format(http.TimeFormat))
	header.Set("X-RateLimit-Limit", "50")
	header.Set("X-RateLimit-Remaining", "0")
	header.Set("X-RateLimit-Reset", strconv.FormatInt(date.Add(40*time.Second).Unix(), 10))
	const dated, reset = "1893499220000000", "1893499260000000"
	for name, c := range map[string]struct {
		outcome salesiq.Outcome
		want    []string // Sent, answered, refused, throttled, known; limit, remaining, reset, date, pause.
	}{
		"never sent": {salesiq.Outcome{}, []string{"0", "0", "0", "0", "0", "0", "0", "0", "0", "-1"}},
		"no answer":  {salesiq.Outcome{Sent: true}, []string{"1", "0", "0", "0", "0", "0", "0", "0", "0", "-1"}},
		"success": {
			salesiq.Outcome{Sent: true, StatusCode: 200, Header: header},
			[]string{"1", "1", "0", "0", "1", "50", "0", reset, dated, "-1"},
		},
		"token refused": {
			salesiq.Outcome{Sent: true, StatusCode: 401, Header: header},
			[]string{"1", "1", "1", "0", "1", "50", "0", reset, dated, "-1"},
		},
		"one too many": {
			salesiq.Outcome{Sent: true, StatusCode: 429, Throttled: true, Header: header},
			[]string{"1", "1", "1", "1", "1", "50", "0", reset, dated, "40000000"},
		},
	} {
		assert.Equal(t, c.want, reportOf(c.outcome).args(), name)
	}
}

func (tr *trace) replay(t *testing.T) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	evaler := &goRedis{client: client}
	leases := map[int]string{}
	limits := []string{
		"process", strconv.Itoa(tr.Limits.PerMinute), strconv.Itoa(tr.Limits.PerDay), strconv.Itoa(tr.Limits.InFlight),
		microseconds(1000 * time.Hour), microseconds(time.Minute),
	}
	for i, step := range tr.Steps {
		server.SetTime(time.UnixMicro(step.At))
		args := limits
		switch step.Do {
		case "start":
			args = append(slices.Clip(args), "ask", "name"+strconv.Itoa(i), "0", "0")
		case "end":
			args = append(append(slices.Clip(args), "end", leases[step.Call]), step.Report.args()...)
		}
		reply, err := evaler.Eval(t.Context(), quotaScript, []string{"q", "l", "p", "w", "r"}, args)
		require.NoError(t, err)
		o, answers, _, err := readReply(reply, time.UnixMicro(step.At))
		require.NoError(t, err)
		if step.Do == "start" {
			require.NotEmpty(t, answers[0].lease, "step %d: it may start", i+1)
			leases[step.Call] = answers[0].lease
		}
		require.Equal(t, step.Ready, o.ready, "step %d: ready", i+1)
		require.InDelta(t, step.Earliest, o.at.UnixMicro(), 1, "step %d: earliest", i+1)
		require.Equal(t, step.Daily, o.daily, "step %d: daily", i+1)
	}
}
