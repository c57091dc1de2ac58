package transport

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/redact"
)

func TestEachLinkHandsOnWhatItGets(t *testing.T) {
	t.Parallel()
	for name, above := range map[string]func(next link) link{
		"observed":   func(next link) link { w := &witness{}; return &observed{next, w, w.Attempt} },
		"limited":    func(next link) link { return &limited{next, &slow{}} },
		"authorized": func(next link) link { return &authorized{next, &slow{}} },
	} {
		for _, next := range []*ready{fine(), fails(404, "A"), fails(0, "")} {
			synctest.Test(t, func(t *testing.T) {
				answer, f := above(next).do(t.Context(), newAttempt(t))
				assert.Same(t, next.answer, answer, name)
				assert.Same(t, next.failure, f, name)
			})
		}
	}
}

func TestAnswerThatIsNotUnderstoodIsAFailureThatSaysWhy(t *testing.T) {
	t.Parallel()
	a := &Answer{
		Status: 200, Header: http.Header{"X-Request-Id": {"r1"}}, Body: []byte(`{"hush":`),
		request: &Request{}, hide: &redact.Secrets{Values: []string{"hush"}},
	}
	f := a.Undecodable(errors.New("no hush here"))
	require.ErrorIs(t, f, ErrDecode)
	require.NotErrorIs(t, f, ErrTransport)
	require.EqualError(t, f, ErrDecode.Error()+": no [redacted] here")
	assert.Equal(t, 200, f.Status)
	assert.Equal(t, "r1", f.RequestID)
	assert.Equal(t, `{"[redacted]":`, f.Excerpt)
	assert.True(t, f.MaybeProcessed, "the service has answered")

	a.request.Idempotent = true
	f = a.Undecodable(io.ErrUnexpectedEOF)
	require.ErrorIs(t, f, ErrTransport, "half an answer")
	require.ErrorIs(t, f, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, f, ErrDecode)
	assert.False(t, f.MaybeProcessed)
}
