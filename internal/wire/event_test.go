package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheScannerKeepsNothingOfWhatItRead(t *testing.T) {
	t.Parallel()
	event, err := DecodeEvent([]byte(`{"event":"a.b","data":{"x":1}}`))
	require.NoError(t, err)
	_, err = DecodeEvent([]byte(`{"event":"c.d","data":{"y":2}}`))
	require.NoError(t, err)
	assert.Equal(t, "a.b", string(event.Name))
	assert.JSONEq(t, `{"x":1}`, string(event.Data))
}

func TestAnEventIsOneObject(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{}{}`, `{} x`, `{"event":"a"}]`} {
		_, err := DecodeEvent([]byte(body))
		require.ErrorIs(t, err, ErrNoObject, body)
	}
	for _, body := range []string{`{`, `{"event"`, `{"event":`, `{"event":"a"`, `{"event":"a",`, `{1:2}`} {
		_, err := DecodeEvent([]byte(body))
		require.Error(t, err, body)
	}
	event, err := DecodeEvent([]byte(" {\"event\":\"a\\u002eb\",\"attempt\":2,\"entity\":{\"x\":1}}\r\n"))
	require.NoError(t, err)
	assert.Equal(t, "a.b", string(event.Name))
	assert.JSONEq(t, `{"x":1}`, string(event.Data))
	assert.Equal(t, `"attempt"`, string(event.Counter))
	event, err = DecodeEvent([]byte(`{"event":"a","timestamp":"2024-01-15T10:30:00Z","data":"x","entity":[]}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"event":"a","timestamp":"2024-01-15T10:30:00Z","data":"x","entity":[]}`, string(event.Data), "the whole, where nothing is marked")
	assert.Equal(t, "2024-01-15T10:30:00Z", event.Time.Format(time.RFC3339))
	assert.Empty(t, event.Counter)
}

func TestABodyThatIsGivenANameKeepsItsTimeAndItsCount(t *testing.T) {
	t.Parallel()
	const bare = `{"id":"v1","attempts":2,"data":"x"}`
	for body, want := range map[string]struct {
		data    string
		attempt int
		timed   bool
	}{
		bare:                    {data: bare},
		"\ufeff " + bare + "\n": {data: bare},
		`{"attempt":3,"event_time":"1772703667250","id":"v1"}` + "\n": {`{"attempt":3,"event_time":"1772703667250","id":"v1","event":"a.b"}`, 3, true},
		`{"timestamp":"2026-03-05T09:41:07Z","id":"v1"}`:              {`{"timestamp":"2026-03-05T09:41:07Z","id":"v1","event":"a.b"}`, 0, true},
		`{"attempt":"2","data":{"id":"v1"}}`:                          {`{"id":"v1"}`, 2, false},
		`{"data":{"id":"v1"},"id":1}`:                                 {`{"data":{"id":"v1"},"id":1}`, 0, false},
		`{"event":"","attempt":2,"entity":{"id":"v1"}}`:               {`{"id":"v1"}`, 2, false},
		`{"event":null,"Attempt":2,"id":"v1"}`:                        {`{"event":null,"Attempt":2,"id":"v1","event":"a.b"}`, 2, false},
	} {
		named, err := NameEvent([]byte(body), "a.b")
		require.NoError(t, err, body)
		event, err := DecodeEvent(named)
		require.NoError(t, err, body)
		assert.Equal(t, "a.b", string(event.Name), body)
		assert.Equal(t, want.data, string(event.Data), body)
		assert.Equal(t, want.attempt, event.Attempt, body)
		assert.Equal(t, want.timed, !event.Time.IsZero(), body)

		marked, err := MarkEvent(named, "7")
		require.NoError(t, err, body)
		event, err = DecodeEvent(marked)
		require.NoError(t, err, body)
		assert.True(t, event.Marked, body)
		assert.Equal(t, "a.b", string(event.Name), body)
	}
}
