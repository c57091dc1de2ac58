package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCountsWhatAnAnswerHolds(t *testing.T) {
	t.Parallel()
	items := func(n int) string { return "[0" + strings.Repeat(",0", n-1) + "]" }
	lists := func(n int) string { return "[" + items(9_999) + strings.Repeat(","+items(9_999), n-1) + "]" }
	for _, body := range []struct {
		name, text string
		want       error
	}{
		{"the longest list", items(10_000), nil},
		{"one more", items(10_001), ErrOverfull},
		{"one more, further in", `{"data":{"list":` + items(10_001) + `}}`, ErrOverfull},
		{"two of the longest", "[" + items(10_000) + "," + items(10_000) + "]", nil},
		{"the most lists", lists(20), nil},
		{"one more", lists(21), ErrOverfull},
		{"an object of many members", `{"a":0` + strings.Repeat(`,"a":0`, 10_000) + "}", ErrOverfull},
		{"a text of commas and brackets", `["` + strings.Repeat(`,[{\"`, 300_000) + `"]`, nil},
		{"a text that breaks off", `["` + strings.Repeat(`,\`, 300_000), nil},
		{"no JSON", strings.Repeat("},", 20_000), nil},
	} {
		assert.ErrorIs(t, CheckCount([]byte(body.text), 200_000), body.want, body.name)
	}
}
