package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqotel"
)

// dashboard is what Grafana reads of a dashboard, as far as it is used.
type dashboard struct {
	UID           string
	Title         string
	Description   string
	Tags          []string
	SchemaVersion int
	Version       int
	Editable      bool
	Refresh       string
	Time          struct{ From, To string }
	Timezone      string
	Templating    struct {
		List []struct {
			Name, Type, Label, Query, AllValue string
			Datasource                         source
			Refresh, Hide                      int
			IncludeAll, Multi                  bool
			Current                            struct{ Text, Value string }
		}
	}
	Panels []panel
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               source
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct {
		Defaults struct {
			Unit          string
			Min, Max      *float64
			Custom, Color map[string]any
			Thresholds    struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
		}
		Overrides []any
	}
	Options map[string]any
	Targets []struct {
		RefID, Expr, LegendFormat string
		Datasource                source
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	file, err := os.Open("dashboard.json")
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // It was only read.
	reader := json.NewDecoder(file)
	reader.DisallowUnknownFields()
	require.NoError(t, reader.Decode(&d))
	return d
}

func TestDashboardIsOneThatCanBeImported(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	assert.NotEmpty(t, d.UID)
	assert.NotEmpty(t, d.Title)
	assert.GreaterOrEqual(t, d.SchemaVersion, 36, "data sources are named by type and uid since then")
	require.Equal(t, "datasource", d.Templating.List[0].Name, "no importer has our data source")
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		assert.False(t, ids[p.ID], "%s: id", p.Title)
		ids[p.ID] = true
		assert.Contains(t, []string{"stat", "timeseries"}, p.Type)
		assert.NotEmpty(t, p.Description, p.Title)
		assert.Contains(t, []string{"short", "s", "reqps", "percentunit"}, p.FieldConfig.Defaults.Unit, p.Title)
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				assert.Empty(t, taken[at], "%s is in the way of it", p.Title)
				taken[at] = p.Title
			}
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			assert.Equal(t, source{"prometheus", "${datasource}"}, target.Datasource, p.Title)
			assert.False(t, refs[target.RefID], p.Title)
			refs[target.RefID] = true
			assert.NotEmpty(t, target.LegendFormat, p.Title)
			assert.Contains(t, target.Expr, `job=~"$job"`, p.Title)
		}
		assert.NotEmpty(t, refs, p.Title)
	}
}

// start runs the program until the test ends, and returns its address. The URL of a
// Redis may be empty.
func start(t *testing.T, redis string) (address string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, in, config{listen: "127.0.0.1:0", redis: redis, pause: 20 * time.Millisecond})
		in.Close() //nolint:errcheck // It never fails.
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, address, ok := strings.Cut(strings.TrimSpace(line), "http://")
	require.True(t, ok, line)
	return strings.TrimSuffix(address, "/metrics")
}

func get(t assert.TestingT, address string) string {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(address) //nolint:noctx // The client has a time limit.
	if !assert.NoError(t, err) {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	assert.NoError(t, err)
	return string(body)
}

var metricName = regexp.MustCompile(`\b(?:salesiq|http_client)_[a-z0-9_]+(?:\{|$|[^a-z0-9_])`)

func TestDashboardAndAlertsAskForMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	p, err := newProviders(t.Context(), false)
	require.NoError(t, err)
	telemetry, err := salesiqotel.New(salesiqotel.WithMeterProvider(p.metrics), salesiqotel.WithTracerProvider(p.spans))
	require.NoError(t, err)
	_, err = telemetry.ObserveAlone(func(context.Context) (bool, error) { return true, nil })
	require.NoError(t, err)
	alone := &answer{}
	p.page.ServeHTTP(alone, &http.Request{Method: http.MethodGet, Header: http.Header{}})
	address := start(t, "")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		page := get(c, "http://"+address+"/metrics") + alone.String()
		for name, asked := range askedFor(t) {
			assert.Contains(c, page, "\n"+name, asked)
		}
	}, time.Minute, 200*time.Millisecond)
	assert.Contains(t, get(t, "http://"+address+"/usage"), `"Operators.List"`)
}

// answer is a page in memory.
type answer struct{ strings.Builder }

func (*answer) Header() http.Header { return http.Header{} }
func (*answer) WriteHeader(int)     {}

// askedFor returns the names of metrics in the dashboard and the alerts, and where
// they are asked for.
func askedFor(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			texts[p.Title+target.RefID] = target.Expr
		}
	}
	alerts, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	texts["alerts"] = string(alerts)
	names := map[string]string{}
	for where, text := range texts {
		for _, name := range metricName.FindAllString(text, -1) {
			if strings.HasSuffix(name, "{") || strings.HasSuffix(name, ")") && strings.HasPrefix(name, "salesiq_client_alone") {
				names[strings.TrimRight(name, "{)")] = where
			}
		}
	}
	require.Len(t, names, 13)
	return names
}

// tool returns the path of a program of Prometheus.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here", name)
	}
	return path
}

func TestAlertsFireWhenTheyShouldAndNotBefore(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput()
		assert.NoError(t, err, string(out))
	}
}

// Prometheus, which reads the example's metrics, has an answer for every panel.
func TestEveryPanelShowsSomething(t *testing.T) {
	t.Parallel()
	prometheus := newPrometheus(t, start(t, ""))
	for _, p := range readDashboard(t).Panels {
		if p.Title == "Processes alone" {
			continue // Nobody shares the example's quota.
		}
		for _, target := range p.Targets {
			query := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*").Replace(target.Expr)
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Positive(c, prometheus.count(c, query), "%s: %s", p.Title, query)
			}, 90*time.Second, 300*time.Millisecond)
		}
	}
}

// server is a Prometheus.
type server struct{ address string }

// newPrometheus starts one that reads the metrics at an address each half second.
func newPrometheus(t *testing.T, metrics string) *server {
	t.Helper()
	prometheus, folder := tool(t, "prometheus"), t.TempDir()
	alerts, err := filepath.Abs("alerts.yml")
	require.NoError(t, err)
	settings := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]\n", alerts, metrics)
	path := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(path, []byte(settings), 0o600))
	s := &server{freeAddress(t)}
	ctx, stop := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, prometheus, "--config.file="+path, "--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+s.address)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		stop()
		command.Wait() //nolint:errcheck // It was interrupted.
	})
	return s
}

// count asks how many series answer a query.
func (s *server) count(t assert.TestingT, query string) int {
	var reply struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	text := get(t, "http://"+s.address+"/api/v1/query?query="+url.QueryEscape(query))
	assert.NoError(t, json.Unmarshal([]byte(text), &reply), text)
	assert.Equal(t, "success", reply.Status, reply.Error)
	return len(reply.Data.Result)
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}
