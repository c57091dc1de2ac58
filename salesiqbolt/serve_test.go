package salesiqbolt

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

func TestHealthTellsWhatIsInTheInboxAndFailsWithTheFile(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 3)
	answer := httptest.NewRecorder()
	inbox.Health(answer, nil)
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	var told map[string]int64
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &told))
	s := stats(t, inbox)
	assert.Equal(t, map[string]int64{"waiting": int64(s.Waiting), "running": 0, "dead_letters": 0, "oldest_seconds": 0, "bytes": s.Bytes, "max_bytes": 1 << 30}, told)
	assert.NotZero(t, told["waiting"])

	require.NoError(t, f.Close())
	for _, unusable := range []*Inbox{inbox, nil, {}} {
		answer = httptest.NewRecorder()
		unusable.Health(answer, nil)
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	}
	assert.NotContains(t, answer.Body.String(), f.Path())
}

// The end comes while a handler runs. The handler may finish, and what waits stays in
// the file.
func TestServedInboxEndsWithoutLosingAnything(t *testing.T) {
	t.Parallel()
	path, secret := newPath(t), salesiq.NewSecret("the webhook's secret")
	f := openAt(t, path)
	inbox := inboxOf(t, f, WithWorkers(1))
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithSink(inbox))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listening := make(chan string, 1)
	server := &http.Server{Addr: "127.0.0.1:0", Handler: receiver, BaseContext: func(l net.Listener) context.Context {
		listening <- "http://" + l.Addr().String()
		return context.WithoutCancel(ctx)
	}}
	begun, finish, ended := make(chan bool, 2), make(chan bool), make(chan error, 1)
	var handled atomic.Int32
	go func() {
		ended <- inbox.Serve(ctx, server, func(context.Context, webhook.Event) error {
			begun <- true
			<-finish
			handled.Add(1)
			return nil
		})
	}()
	address := <-listening
	for n := range 2 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(eventBody(n)))
		require.NoError(t, err)
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, eventBody(n)))
		response, err := (&http.Client{Timeout: patience}).Do(request)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	<-begun
	stop()
	close(finish)
	require.NoError(t, <-ended)
	require.NoError(t, f.Close())
	waiting := stats(t, inboxOf(t, openAt(t, path))).Waiting
	assert.NotZero(t, handled.Load(), "what was begun is done")
	assert.Equal(t, 2, int(handled.Load())+waiting)
}

func TestServeNeedsAHandlerAndAServer(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t))
	require.ErrorIs(t, inbox.Serve(t.Context(), new(http.Server), nil), salesiq.ErrInvalidInput)
	require.ErrorIs(t, inbox.Serve(t.Context(), nil, func(context.Context, webhook.Event) error { return nil }), salesiq.ErrInvalidInput)
	require.ErrorIs(t, new(Inbox).Serve(t.Context(), new(http.Server), func(context.Context, webhook.Event) error { return nil }), salesiq.ErrInvalidInput)
}
