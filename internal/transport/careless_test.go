package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// careless is a transport that is not as it should be.
type careless func() (*http.Response, error)

func (c careless) RoundTrip(*http.Request) (*http.Response, error) { return c() }

// body is one of a careless transport.
type body struct {
	io.Reader

	onClose func() error
}

func (b body) Close() error { return b.onClose() }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestCarelessTransportIsNoPanic(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Type": {"application/json"}}
	good := func() io.Reader { return strings.NewReader(`{"status":"success"}`) }
	fine := func() error { return nil }
	boom := func() error { panic("out of order") }
	answer := func(status int, r io.Reader, onClose func() error) *http.Response {
		return &http.Response{StatusCode: status, Header: header, Body: body{r, onClose}}
	}
	var panicked *usercode.PanicError
	for _, tt := range []struct {
		name   string
		base   careless
		length int   // Of the body, after a success.
		cause  error // Nil for a success.
		panics bool  // The cause says so.
	}{
		{name: "nothing at all", base: func() (*http.Response, error) { return nil, nil }, cause: transport.ErrTransport}, //nolint:nilnil // That is the point.
		{name: "no body", base: func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK, Header: header}, nil }},
		{name: "no header", base: func() (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: body{good(), fine}}, nil
		}, length: 20},
		{name: "no header, and a redirect", base: func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusFound}, nil }, cause: transport.ErrRedirect},
		{name: "no header, and one too many", base: func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusTooManyRequests}, nil }, cause: transport.ErrDecode},
		{name: "another protocol, without a body", base: func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusSwitchingProtocols}, nil }, cause: transport.ErrDecode},
		{name: "no status", base: func() (*http.Response, error) { return &http.Response{}, nil }, cause: transport.ErrDecode},
		{name: "a body that fails on Close", base: func() (*http.Response, error) {
			return answer(200, good(), func() error { return errors.New("closed before") }), nil
		}, length: 20},
		{name: "a body that panics on Close", base: func() (*http.Response, error) { return answer(200, good(), boom), nil }, length: 20},
		{name: "a body that panics", base: func() (*http.Response, error) {
			return answer(200, readerFunc(func([]byte) (int, error) { panic("out of order") }), fine), nil
		}, cause: transport.ErrTransport, panics: true},
		{name: "a body that panics half way", base: func() (*http.Response, error) {
			return answer(503, io.MultiReader(strings.NewReader("{"), readerFunc(func([]byte) (int, error) { panic("out of order") })), boom), nil
		}, cause: transport.ErrTransport, panics: true},
		{name: "a body that claims to have read more", base: func() (*http.Response, error) {
			return answer(200, readerFunc(func(b []byte) (int, error) { return cap(b) + 1, nil }), fine), nil
		}, cause: transport.ErrTransport, panics: true},
		{name: "a body that says nothing for ever", base: func() (*http.Response, error) {
			return answer(200, readerFunc(func([]byte) (int, error) { return 0, nil }), fine), nil
		}, cause: io.ErrNoProgress},
		{name: "an answer beside an error", base: func() (*http.Response, error) {
			return answer(200, good(), boom), errors.New("failed")
		}, cause: transport.ErrTransport},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(method+", "+tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					answer, err := transport.New(config(tt.base)).Do(t.Context(), request(method))
					require.ErrorIs(t, err, tt.cause)
					if tt.cause == nil {
						assert.Len(t, answer.Body, tt.length)
						assert.NotNil(t, answer.Header)
						return
					}
					assert.Equal(t, tt.panics, errors.As(err, &panicked))
					assert.NotContains(t, err.Error(), "out of order", "it may be a secret")
					f := failure(t, err)
					assert.Equal(t, method == "POST" && f.Status != 429, f.MaybeProcessed, "the transport does not tell")
				})
			})
		}
	}
}

func TestAnswerThatIsUsedAgainIsNotChanged(t *testing.T) {
	t.Parallel()
	for _, status := range []int{101, 200} {
		shared := &http.Response{StatusCode: status}
		transport.New(config(careless(func() (*http.Response, error) { return shared, nil }))).Do(t.Context(), request("POST")) //nolint:errcheck // Whatever comes.
		assert.Equal(t, &http.Response{StatusCode: status}, shared)
	}
}
