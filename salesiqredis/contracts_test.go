package salesiqredis

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// badOption is an option with an argument that is no good.
type badOption struct {
	option any
	field  string // That the error names.
}

// nothingBad says of an option that every argument is good.
var nothingBad = []badOption{}

// badOptions has a row for every func that returns an option.
var badOptions = map[string][]badOption{
	"WithLogger":  nothingBad,
	"WithTimeout": {{WithTimeout(0), "timeout"}, {WithTimeout(time.Microsecond), "timeout"}},
	"WithPlan": {
		{WithPlan(salesiq.Plan{CallsPerMinute: -1}), "plan"},
		{WithPlan(salesiq.Plan{CallsPerDay: -1}), "plan"},
	},
	"WithMaxInFlight":    {{WithMaxInFlight(0), "max in flight"}, {WithMaxInFlight(1001), "max in flight"}},
	"WithMaxWait":        {{WithMaxWait(-1), "max wait"}},
	"WithLease":          {{WithLease(time.Microsecond), "lease"}},
	"WithProcesses":      {{WithProcesses(0), "processes"}},
	"WithLimiterAway":    {{WithLimiterAway(2), "limiter away"}, {WithLimiterAway(-1), "limiter away"}},
	"WithTokenAway":      {{WithTokenAway(2), "token away"}},
	"WithTokenJitter":    {{WithTokenJitter(-1), "token jitter"}},
	"WithTokenLock":      {{WithTokenLock(0), "token lock"}},
	"WithClaim":          {{WithClaim(0), "claim"}},
	"WithEventMemory":    {{WithEventMemory(0), "event memory"}},
	"WithWorkers":        {{WithWorkers(0), "workers"}},
	"WithHandlerTimeout": {{WithHandlerTimeout(0), "handler timeout"}, {WithHandlerTimeout(-time.Hour), "handler timeout"}},
	"WithMaxTries":       {{WithMaxTries(0), "max tries"}},

	"WithDeadLetterBytes": {{WithDeadLetterBytes(0), "dead letter bytes"}},
	"WithReplicas":        {{WithReplicas(-1), "replicas"}},
}

func TestBadOptionIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	rows := map[string][]badOption{"nil": {{Option(nil), "option"}, {SinkOption(nil), "option"}}}
	for _, name := range optionFuncs(t) {
		row, ok := badOptions[name]
		assert.True(t, ok, "%s has no row in badOptions", name)
		rows[name] = row
	}
	assert.Len(t, rows, 1+len(badOptions), "rows of options that are gone")
	for name, row := range rows {
		for _, bad := range row {
			var err error
			switch option := bad.option.(type) {
			case Option:
				var made *Organization
				made, err = NewWith(o.evaler, "acme", option)
				assert.Nil(t, made, name)
			case SinkOption:
				var made *Sink
				made, err = o.Sink(option)
				assert.Nil(t, made, name)
			}
			assertRefuses(t, bad.field, err)
		}
	}
}

func TestSmallestArgumentsAreGood(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithTimeout(time.Millisecond), WithPlan(salesiq.Plan{}), WithMaxInFlight(1), WithMaxInFlight(1000), WithMaxWait(time.Millisecond),
		WithLease(time.Millisecond), WithProcesses(1), WithLimiterAway(GoAlone), WithTokenAway(Refuse), WithTokenJitter(0),
		WithTokenLock(time.Millisecond), WithClaim(time.Millisecond), WithEventMemory(time.Millisecond))
	sinkOf(t, o, WithWorkers(1), WithHandlerTimeout(time.Millisecond), WithMaxTries(1), WithDeadLetterBytes(1), WithReplicas(0))
}

func TestDefaultsAreThoseOfTheDocumentation(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	c := o.config
	c.logger = nil
	assert.Equal(t, config{
		timeout: 2 * time.Second, // Of solo.
		plan:    salesiq.Plan{}, maxInFlight: 10, maxWait: 2 * time.Minute, lease: 45 * time.Second, processes: 4, limiterAway: GoAlone,
		tokenAway: GoAlone, tokenLock: 10 * time.Second, tokenJitter: time.Second, claimLifetime: 30 * time.Second, eventMemory: 24 * time.Hour,
	}, c)
	assert.Equal(t, time.Second, defaultConfig().timeout)
	assert.Equal(t, []string{o.process, "0", "0", "10", "45000000", "120000000"}, o.limiter.args)
	assert.Equal(t, 24*time.Hour, o.DedupStore().(*dedupStore).MaxAge())
	assert.Equal(t, 24*time.Hour, sinkOf(t, o).MaxAge())
	assert.Equal(t, []string{"salesiq:{acme}:events", "salesiq:{acme}:dead-letters"}, []string{sinkOf(t, o).Stream(), sinkOf(t, o).DeadLetters()})
}

func assertRefuses(t *testing.T, field string, err error) {
	t.Helper()
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input, field)
	assert.Equal(t, field, input.Field)
	assert.NotEmpty(t, input.Reason)
}

func TestBadArgumentIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", " ", "a{b", "a}b"} {
		o, err := NewWith(&goRedis{}, name)
		assertRefuses(t, "organization", err)
		assert.Nil(t, o)
	}
	for _, client := range []redis.Scripter{nil, (*redis.Client)(nil)} {
		o, err := New(client, "acme")
		assertRefuses(t, "client", err)
		assert.Nil(t, o)
	}
	for _, evaler := range []Evaler{nil, (*goRedis)(nil)} {
		o, err := NewWith(evaler, "acme")
		assertRefuses(t, "evaler", err)
		assert.Nil(t, o)
	}
	o, _ := solo(t)
	sink := sinkOf(t, o)
	assertRefuses(t, "handler", sink.Run(t.Context(), nil))
	for _, event := range []webhook.Event{nil, (*webhook.ChatEnded)(nil)} {
		assertRefuses(t, "event", sink.Enqueue(t.Context(), event))
	}
}

func TestNilLoggerLogsNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := dial(t, miniredis.RunT(t))
	w.deaf.Store(true)
	o := join(t, w, WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithLogger(nil))
	_, err := o.DedupStore().Begin(t.Context(), "event", 1)
	require.ErrorIs(t, err, ErrAway, "which is logged otherwise")
	assert.Empty(t, log.String())
}

// optionFuncs returns the names of the exported funcs that return an option, as
// the sources have them.
func optionFuncs(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() && returnsOption(f) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

func returnsOption(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	result, ok := f.Type.Results.List[0].Type.(*ast.Ident)
	return ok && strings.HasSuffix(result.Name, "Option")
}
