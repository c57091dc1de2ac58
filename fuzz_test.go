package salesiq_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// An id is refused, or it arrives as it is.
func FuzzIDRoundTrip(f *testing.F) {
	for _, id := range append(awkwardIDs, badIDs...) {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		api, seen := newIDServer(t)
		_, err := api.client(t).Visitors.Get(t.Context(), id)
		if err != nil && id != "/" {
			require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%q", id)
			assert.Empty(t, api.requests())
			return
		}
		require.Len(t, api.requests(), 1)
		if id != "/" { // The multiplexer matches no such segment.
			assert.Equal(t, []string{id}, seen())
		}
	})
}

// What encoding/json reads, the client reads, and to the same end.
func FuzzDecodeEnvelope(f *testing.F) {
	for name := range objects {
		f.Add(testkit.Fixture(f, "objects", name))
	}
	for _, name := range []string{"object", "list", "error"} {
		f.Add(testkit.Fixture(f, "envelopes", name))
	}
	for _, odd := range []string{
		``, `null`, `[]`, `{}`, `{"data":null}`, `{"data":{"rating":3,"ended_at":null}}`, `{"data":{"":{"":1,"":2}}}`, `{"data":{"Customfields":{"":0}}}`, `{"id":"\ud83d","ID":"x"}`, `{"Data":{"Id":"a"}}`,
		`{"status":"success","data":{"tags":["a",null],"custom_fields":{"a":1e3}},"pagination":{"page":1}}`,
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var theirs struct {
			Data *salesiq.Chat `json:"data"`
		}
		ours, err := wire.Decode[salesiq.Chat](body)
		if json.Unmarshal(body, &theirs) == nil && theirs.Data != nil && plain(body) && !hasRivals(body) {
			require.NoError(t, err)
			assert.Equal(t, withoutExtra(*theirs.Data), withoutExtra(*ours))
		}
		if err == nil {
			again, err := wire.Marshal(ours)
			require.NoError(t, err, "what was read can be written")
			reread, err := wire.Decode[salesiq.Chat](fmt.Appendf(nil, `{"data":%s}`, again))
			require.NoError(t, err)
			assert.Equal(t, encode(t, ours), encode(t, reread))
		}
		// Anything may happen to these but a panic.
		_, _, _ = wire.DecodeList[salesiq.Chat](body)
		_ = wire.DecodeOpen(body, new(salesiq.Chat), "chat")
		_ = wire.DecodeOpen(body, new([]salesiq.Message), "transcript", "messages")
	})
}

// plain keeps to what both decoders agree about by design. They differ about
// letters beyond ASCII in another case, and about bytes that are not UTF-8.
func plain(body []byte) bool {
	for _, r := range string(body) {
		if r == unicode.ReplacementChar || r > unicode.MaxASCII && (unicode.IsUpper(r) || r == 'ſ') {
			return false
		}
	}
	for _, quoted := range quotedText.FindAll(body, -1) {
		var text string
		if json.Unmarshal(quoted, &text) != nil {
			return false
		}
	}
	return true
}

var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// hasRivals reports whether a name is there in two notations. The last counts for
// encoding/json, and the exact one here.
func hasRivals(body []byte) bool {
	spelled := map[string]string{}
	for _, quoted := range quotedText.FindAllString(string(body), -1) {
		var name string
		if json.Unmarshal([]byte(quoted), &name) != nil {
			return true
		}
		lower := strings.ToLower(name)
		if other, ok := spelled[lower]; ok && other != quoted || strings.Contains(quoted, `\`) {
			return true
		}
		spelled[lower] = quoted
	}
	return false
}

// withoutExtra drops the unknown fields, which encoding/json does not collect,
// and the difference between an empty list and none.
func withoutExtra(chat salesiq.Chat) string {
	chat.Extra, chat.VisitorInfo.Extra = nil, nil
	for i := range chat.Transcript {
		chat.Transcript[i].Extra = nil
	}
	data, err := wire.Marshal(chat)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func FuzzDecodeError(f *testing.F) {
	f.Add(testkit.Fixture(f, "envelopes", "error"))
	for _, odd := range []string{
		``, `null`, `[]`, `"x"`, `{"status":"error"}`, `{"code":null}`, `{"code":12.50,"message":{"a":1},"details":[1]}`,
		`{"status":"error","code":"A","code":"B","details":{"a":"\ud83d"}}`, `<html>`, `{"status":1,"code":true}`,
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, ok := wire.DecodeError(body)
		hidden, found := wire.HiddenError(body)
		assert.False(t, found && !ok, "what is an error at 200 is one at 400")
		if found {
			assert.Equal(t, answer, hidden)
		}
		var theirs struct {
			Status  string         `json:"status"`
			Code    *string        `json:"code"`
			Message string         `json:"message"`
			Details map[string]any `json:"details"`
		}
		if json.Unmarshal(body, &theirs) == nil && theirs.Status == "error" && plain(body) {
			require.True(t, ok)
			if theirs.Code != nil {
				assert.Equal(t, *theirs.Code, answer.Code)
			}
			assert.Equal(t, theirs.Message, answer.Message)
			assert.Len(t, answer.Details, len(theirs.Details))
		}
		if ok {
			assert.NotPanics(t, func() {
				_ = (&salesiq.Error{Code: salesiq.ErrorCode(answer.Code), Message: answer.Message, Details: answer.Details}).Error()
			})
			assert.NotContains(t, (&salesiq.Error{Operation: "x", Message: answer.Message}).Error(), "\n")
		}
	})
}
