package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/wire"
)

func TestWhereverAnAnswerBreaksOffIsSeen(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":"success","data":{"id":"c1","visitor":{"id":"v1","tags":["a","b"]},"custom_fields":{}}}`,
		`{"status":"success","data":[{"id":"c1","tags":[]},{"id":"c2"}],"pagination":{"page":1,"per_page":2,"total":4}}`,
		`[{"id":"c1","tags":["a"]},{"id":"c2"}]`,
		`{"data":{"text":"a { in a text"}}`,
	} {
		assert.False(t, wire.Truncated([]byte(body)), body)
		assert.False(t, wire.Truncated([]byte(" "+body+"\r\n")), body)
		for end := 1; end < len(body); end++ {
			assert.True(t, wire.Truncated([]byte(body[:end])), body[:end])
			assert.True(t, wire.Truncated([]byte("\ufeff \n"+body[:end])), "%s, behind white space", body[:end])
		}
	}
	for _, body := range []string{``, ` `, `null`, `<html>`, `"x"`, `{]`, `{"a" 1}`, `{}}`} {
		assert.False(t, wire.Truncated([]byte(body)), "%s: not cut, whatever else it is", body)
	}
}
