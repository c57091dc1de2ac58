package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// channel is another service, at an address that nobody may know.
func channel(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) salesiq.Secret {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	return salesiq.NewSecret(server.URL + "/services/T0/hidden?key=hidden+too")
}

// rated is an event of a rating, with the verifier that accepts it.
func rated(t *testing.T) webhook.Event {
	t.Helper()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","timestamp":"2026-03-01T09:30:00.000Z","data":{"chat_id":"chat123","rating":1,"feedback":"<!channel> & co"}}`))
	require.NoError(t, err)
	return event
}

func forwarder(t *testing.T, address salesiq.Secret, opts ...webhook.HandlerOption) *webhook.Receiver {
	t.Helper()
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the webhook's secret")))
	require.NoError(t, err)
	require.NoError(t, webhook.Forward(receiver, address, func(e *webhook.ChatRated) any {
		if e.Rating > 2 {
			return nil
		}
		return map[string]string{"text": e.Feedback}
	}, opts...))
	return receiver
}

func TestForwardPostsWhatMessageMakesOfAnEvent(t *testing.T) {
	t.Parallel()
	posted := make(chan [3]string, 2)
	receiver := forwarder(t, channel(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		posted <- [3]string{r.Method + " " + r.URL.Path, r.Header.Get("Content-Type"), string(body)}
		assert.Equal(t, rated(t).Info().EventID, r.Header.Get("Idempotency-Key"))
	}))
	assert.Equal(t, []salesiq.EventName{"chat.rating"}, receiver.Events())
	require.NoError(t, receiver.Dispatch(t.Context(), rated(t)))
	assert.Equal(t, [3]string{"POST /services/T0/hidden", "application/json", `{"text":"\u003c!channel\u003e \u0026 co"}`}, <-posted)

	good, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"chat123","rating":5}}`))
	require.NoError(t, err)
	require.NoError(t, receiver.Dispatch(t.Context(), good))
	assert.Empty(t, posted, "there was nothing to tell")
}

func TestForwardFailsWithoutTellingTheAddress(t *testing.T) {
	t.Parallel()
	var address salesiq.Secret
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "no such hook: "+r.URL.Path, http.StatusNotFound)
		}, "forward: HTTP 404: "},
		"refused, as the address says": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "not for "+r.URL.RawQuery, http.StatusForbidden)
		}, "forward: HTTP 403: "},
		"elsewhere":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMultipleChoices) }, "forward: HTTP 300: "},
		"redirected":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "forward: HTTP 302: "},
		"cut":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "forward: EOF"},
		"busy for long": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "forward: HTTP 429: "},
	} {
		address = channel(t, row.answer)
		err := forwarder(t, address).Dispatch(t.Context(), rated(t))
		require.ErrorContains(t, err, row.want, name)
		assert.NotContains(t, err.Error(), "hidden", name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := forwarder(t, address).Dispatch(ctx, rated(t))
	require.ErrorIs(t, err, context.Canceled)
	assert.NotContains(t, err.Error(), "hidden")

	receiver := forwarder(t, channel(t, func(http.ResponseWriter, *http.Request) {}))
	for name, address := range map[string]string{"none": "", "a path": "/services/hidden", "no URL": "https://hooks.example/\x7fhidden", "another scheme": "ftp://hooks.example/hidden"} {
		err := webhook.Forward(receiver, salesiq.NewSecret(address), func(*webhook.ChatMissed) any { return nil })
		input, ok := errors.AsType[*salesiq.InputError](err)
		require.True(t, ok, "%s: %v", name, err)
		assert.Equal(t, "address", input.Field)
		assert.Contains(t, input.Reason, "ChatMissed", "of several registrations")
		assert.NotContains(t, err.Error(), "hidden")
	}
	err = webhook.Forward[webhook.ChatMissed](receiver, salesiq.NewSecret("https://hooks.example"), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorContains(t, err, "ChatMissed")
}

func TestForwardSendsNoKeyForAnEventWithoutAnID(t *testing.T) {
	t.Parallel()
	posted := make(chan []string, 1)
	receiver := forwarder(t, channel(t, func(_ http.ResponseWriter, r *http.Request) { posted <- r.Header.Values("Idempotency-Key") }))
	require.NoError(t, receiver.Dispatch(t.Context(), &webhook.ChatRated{Rating: 1}))
	assert.Empty(t, <-posted)
}

func TestForwardReadsLittleOfAnAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	receiver := forwarder(t, channel(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		w.WriteHeader(http.StatusInternalServerError)
		for {
			if _, err := w.Write(make([]byte, 4<<10)); err != nil {
				return
			}
		}
	}))
	require.ErrorContains(t, receiver.Dispatch(t.Context(), rated(t)), "HTTP 500")
	<-ended
}

func TestForwardPostsNothingThatIsNoJSON(t *testing.T) {
	t.Parallel()
	posts := 0
	address := channel(t, func(http.ResponseWriter, *http.Request) { posts++ })
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the webhook's secret")))
	require.NoError(t, err)
	require.NoError(t, webhook.Forward(receiver, address, func(*webhook.ChatRated) any { return func() {} }))
	require.ErrorContains(t, receiver.Dispatch(t.Context(), rated(t)), "forward: json: unsupported type")
	assert.Zero(t, posts)
}

func TestForwardWithOncePostsOnce(t *testing.T) {
	t.Parallel()
	posts := 0
	receiver := forwarder(t, channel(t, func(http.ResponseWriter, *http.Request) { posts++ }), webhook.Once("channel"))
	failing := errors.New("the database is away")
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { return failing }))
	for range 3 {
		require.ErrorIs(t, receiver.Dispatch(t.Context(), rated(t)), failing)
	}
	assert.Equal(t, 1, posts)
}
