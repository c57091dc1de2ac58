package salesiqotel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
)

// badOptions has, for every func that returns an option, options with arguments
// that are no good, and the field that the error names.
var badOptions = map[string]struct {
	options []salesiqotel.Option
	field   string
}{
	"WithTracerProvider": {[]salesiqotel.Option{
		salesiqotel.WithTracerProvider(nil), salesiqotel.WithTracerProvider((*sdktrace.TracerProvider)(nil)),
	}, "tracer provider"},
	"WithMeterProvider": {[]salesiqotel.Option{
		salesiqotel.WithMeterProvider(nil), salesiqotel.WithMeterProvider((*sdkmetric.MeterProvider)(nil)),
	}, "meter provider"},
	"WithoutRequests": {}, // It has no argument.
	"WithPropagator": {[]salesiqotel.Option{
		salesiqotel.WithPropagator(nil), salesiqotel.WithPropagator((*propagation.TraceContext)(nil)),
	}, "propagator"},
}

func TestBadOptionIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	names := optionFuncs(t)
	assert.Len(t, names, len(badOptions), "rows of options that are gone")
	for _, name := range names {
		row, ok := badOptions[name]
		require.True(t, ok, "%s has no row", name)
		for _, option := range row.options {
			assertRefuses(t, row.field, option)
		}
	}
	assertRefuses(t, "option", nil)
}

func assertRefuses(t *testing.T, field string, option salesiqotel.Option) {
	t.Helper()
	telemetry, err := salesiqotel.New(option)
	assert.Nil(t, telemetry)
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input, field)
	assert.Equal(t, field, input.Field)
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
