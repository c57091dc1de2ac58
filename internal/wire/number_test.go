package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestANumberOfNoTypeLosesNoDigit(t *testing.T) {
	t.Parallel()
	for literal, want := range map[string]any{
		"0": 0.0, "-0": 0.0, "7": 7.0, "-1.50": -1.5, "1e3": 1000.0, "0.1": 0.1, "123456789012345": 123456789012345.0,
		"9007199254740992": 9007199254740992.0, "1E+2": 100.0, "1000000000000000000000": 1e21, "0.000001": 1e-6,
		"9007199254740993":       json.Number("9007199254740993"),
		"4000000012345678901":    json.Number("4000000012345678901"),
		"-4000000012345678901":   json.Number("-4000000012345678901"),
		"1152921504606846976":    json.Number("1152921504606846976"), // A float64 holds it, but is written with other digits.
		"3.14159265358979323846": json.Number("3.14159265358979323846"),
		"0.10000000000000000001": json.Number("0.10000000000000000001"),
		"12345678e+1234567":      json.Number("12345678e+1234567"), // Long with its sign alone.
		"12345678e-1234567":      json.Number("12345678e-1234567"),
		"1e99999999999999999999": json.Number("1e99999999999999999999"),
	} {
		for _, spaced := range []string{"", "   ", "          "} { // So that it lies anywhere.
			var got struct {
				Named  map[string]any `json:"named"`
				List   []any          `json:"list"`
				Single any            `json:"single"`
			}
			data := `{"named":{"a":` + spaced + literal + `,"deep":{"b":[` + literal + `]}},"list":[` + literal + `],"single":` + literal + `}`
			require.NoError(t, UnmarshalLenient([]byte(data), &got), data)
			for _, n := range []any{
				got.Named["a"], got.Named["deep"].(map[string]any)["b"].([]any)[0], got.List[0], got.Single,
			} {
				assert.Equal(t, want, n, data)
			}
			if _, ok := want.(json.Number); ok {
				again, err := MarshalPublic(got.Single)
				require.NoError(t, err)
				assert.Equal(t, literal, string(again))
			}
		}
	}
}

func TestALongNumberIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	for before := range 40 {
		for length := 1; length < 40; length++ {
			text := strings.Repeat(" ", before) + strings.Repeat("7", length) + strings.Repeat(" ", 40-before)
			assert.Equal(t, length >= manyDigits, hasLongNumber([]byte(text)))
			two := `"` + strings.Repeat("7", before) + `",` + text
			assert.Equal(t, length >= manyDigits, hasLongNumber([]byte(two)), "behind a text")
		}
	}
	assert.False(t, hasLongNumber([]byte(`"`+strings.Repeat("7", 1<<20)+`"`)))
}
