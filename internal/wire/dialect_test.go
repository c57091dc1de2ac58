package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// item is what is asked for in these tests.
type item struct {
	ID   string `json:"id"`
	Text string `json:"message"`
}

// The tables of exceptions are the test: each example means what its row says, in
// all ways of reading, and nothing else.
func TestEachExceptionMeansWhatItsRowSays(t *testing.T) {
	t.Parallel()
	for _, dialect := range dialects {
		for _, row := range dialect.exceptions() {
			body := []byte(row.example)
			m, err := membersOf(body)
			require.NoError(t, err, row.example)
			assert.Equal(t, row.means, meaningOf(m), row.example)
			assert.NotEmpty(t, row.reason, row.example)
			assert.NotEmpty(t, row.source, row.example)

			_, isError := HiddenError(body)
			assert.Equal(t, row.means == refused, isError, row.example)
			var out item
			openly, onChange := DecodeOpen(body, &out), DecodeOutcome(body, &out)
			switch row.means {
			case done:
				require.NoError(t, openly, row.example)
				_, err = Decode[item](body)
				require.ErrorIs(t, err, ErrNoData, row.example)
				list, _, err := DecodeList[item](body)
				require.NoError(t, err, row.example)
				assert.Empty(t, list, row.example)
			case inWords:
				require.Error(t, openly, row.example)
				require.NoError(t, onChange, row.example)
				assert.Zero(t, out, row.example)
			case itself:
				var whole map[string]any
				require.NoError(t, DecodeOpen(body, &whole), row.example)
				assert.Contains(t, whole, "data", row.example)
			}
		}
	}
}

// So their order does not matter.
func TestNoAnswerIsAnExceptionInTwoWays(t *testing.T) {
	t.Parallel()
	for _, example := range allExamples() {
		m, err := membersOf([]byte(example))
		require.NoError(t, err)
		applies := 0
		for _, dialect := range dialects {
			for _, row := range dialect.exceptions() {
				if row.when(m) {
					applies++
				}
			}
		}
		assert.Equal(t, 1, applies, example)
	}
}

func allExamples() (examples []string) {
	for _, dialect := range dialects {
		for _, row := range dialect.exceptions() {
			examples = append(examples, row.example)
		}
	}
	return examples
}

func TestAnAnswerTellsItsDialect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		body string
		want Dialect
	}{
		{`{"status":"success","data":{"id":"a"}}`, Specified},
		{`{"status":"error","code":"CHAT_NOT_ACTIVE"}`, Specified},
		{`{"url":"/x","object":"list","data":[]}`, Live("")},
		{`{"error":{"code":1006,"message":"Invalid URL"}}`, Live("")},
		{`{"id":"a","status":"active"}`, nil},
		{`{"id":"a","url":"https://salesiq.example"}`, nil},
		{`{"id":"a","object":"vase"}`, nil},
		{`{"error":"invalid_code"}`, nil},
		{`{"status":"error","error":{"code":1006}}`, nil},
		{`{"code":1016}`, nil},
		{`[]`, nil},
		{`<html>`, nil},
		{``, nil},
	} {
		assert.Equal(t, row.want, Spoken([]byte(row.body)), row.body)
	}
	require.ErrorContains(t, Mismatch(Specified, Live("x"), "/chats"), "the live service's answer: see WithPortal")
	require.ErrorContains(t, Mismatch(Live("x"), Specified, "/chats"), "as specified")
	for _, path := range []string{"/portals", "portals", "/portals/x", "/api/v2/portals?a=b"} {
		require.NoError(t, Mismatch(Specified, Live(""), path), path)
	}
	require.Error(t, Mismatch(Specified, Live(""), "/portalsettings"))
	require.NoError(t, Mismatch(Live("x"), Live(""), "/chats"))
	require.NoError(t, Mismatch(Live("x"), nil, "/chats"))
}

func TestEachDialectHasItsPaths(t *testing.T) {
	t.Parallel()
	const host = "https://salesiq.example"
	for path, want := range map[string][2]string{
		"/chats":            {"/api/v2/chats", "/api/v2/zy%20l/chats"},
		"chats/1?a=b":       {"/api/v2/chats/1?a=b", "/api/v2/zy%20l/chats/1?a=b"},
		"/portals":          {"/api/v2/portals", "/api/v2/portals"},
		"/portals/x":        {"/api/v2/portals/x", "/api/v2/portals/x"},
		"portals?x=1":       {"/api/v2/portals?x=1", "/api/v2/portals?x=1"},
		"/portalsettings":   {"/api/v2/portalsettings", "/api/v2/zy%20l/portalsettings"},
		"/api/v1/x/chats":   {"/api/v1/x/chats", "/api/v1/x/chats"},
		"/visitor/v2/x/y":   {"/visitor/v2/x/y", "/visitor/v2/x/y"},
		"/visitors/portals": {"/api/v2/visitors/portals", "/api/v2/zy%20l/visitors/portals"},
	} {
		assert.Equal(t, host+want[0], Specified.Address(host, path))
		assert.Equal(t, host+want[1], Live("zy%20l").Address(host, path))
	}
	assert.Empty(t, Specified.Portal())
	assert.Equal(t, "zy%20l", Live("zy%20l").Portal())
}

func TestALockedAddressIsLeftAlone(t *testing.T) {
	t.Parallel()
	assert.Equal(t, lockPause, ErrorBody{Number: numberLocked}.Pause())
	assert.Zero(t, ErrorBody{Number: 1016}.Pause())
}

func TestWhatRefusesAToken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		body   string
		status int
		want   bool
	}{
		{`{"status":"error","code":"INVALID_TOKEN"}`, 400, true},
		{`{"status":"error","code":"invalid_token"}`, 403, true},
		{`{"status":"error","code":"INVALID_REQUEST"}`, 401, true},
		{`{"status":"error","code":"INVALID_OAUTH_SCOPE"}`, 401, false},
		{`{"status":"error","code":"PERMISSION_DENIED"}`, 401, false},
		{`{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`, 401, false},
		{`{"status":"error","code":"INVALID_REQUEST"}`, 400, false},
		{`{"error":{"code":1008}}`, 200, true},
		{`{"error":{"code":1002}}`, 200, true},
		{`{"error":{"code":1001}}`, 400, true},
		{`{"error":{"code":1001}}`, 200, false},
		{`{"error":{"code":1009}}`, 401, false},
	} {
		answer, ok := DecodeError([]byte(row.body))
		require.True(t, ok, row.body)
		assert.Equal(t, row.want, answer.At(row.status).RefusesToken(row.status), "%s with %d", row.body, row.status)
	}
}
