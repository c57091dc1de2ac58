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
