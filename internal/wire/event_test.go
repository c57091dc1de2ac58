package wire

import (
	"testing"

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
