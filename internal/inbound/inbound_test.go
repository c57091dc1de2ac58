package inbound_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/inbound"
)

func TestABodyIsReadWholeOrRefused(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is gone")
	for name, row := range map[string]struct {
		body      io.Reader
		announced int64 // Bytes; -1 for none.
		encoding  []string
		want      error // Nil if the body is read.
	}{
		"nothing":                        {strings.NewReader(""), 0, nil, nil},
		"as long as allowed":             {strings.NewReader(strings.Repeat("x", 2000)), 2000, nil, nil},
		"byte by byte, of no length":     {iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 2000))), -1, nil, nil},
		"shorter than announced":         {strings.NewReader("x"), 2000, nil, nil},
		"one byte too long":              {strings.NewReader(strings.Repeat("x", 2001)), -1, nil, inbound.ErrTooLarge},
		"too long, and announced":        {iotest.ErrReader(broken), 2001, nil, inbound.ErrTooLarge},
		"too long, announced as short":   {strings.NewReader(strings.Repeat("x", 2001)), 10, nil, inbound.ErrTooLarge},
		"too long for whoever is before": {http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("xxx")), 2), -1, nil, inbound.ErrTooLarge},
		"it breaks off":                  {io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), -1, nil, broken},
		"identity":                       {strings.NewReader("x"), 1, []string{"Identity", ""}, nil},
		"compressed":                     {strings.NewReader("x"), 1, []string{"gzip"}, inbound.ErrCompressed},
		"compressed in the second place": {strings.NewReader("x"), 1, []string{"identity", "br"}, inbound.ErrCompressed},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", row.body)
		request.ContentLength, request.Header["Content-Encoding"] = row.announced, row.encoding
		body, err := inbound.ReadBody(request, 2000)
		require.ErrorIs(t, err, row.want, name)
		assert.Equal(t, row.want != nil, body == nil, name)
		assert.Empty(t, strings.Trim(string(body), "x"), name)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	request.Body = nil
	body, err := inbound.ReadBody(request, 1)
	require.NoError(t, err)
	assert.Empty(t, body)
}
