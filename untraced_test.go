package salesiq

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
)

// chatService answers each request with the same chat, in memory.
type chatService struct{}

func (chatService) RoundTrip(request *http.Request) (*http.Response, error) {
	const chat = `{"status":"success","data":{"id":"chat1"}}`
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(chat)), Request: request}, nil
}

func chatClient(t testing.TB, opts ...Option) *Client {
	t.Helper()
	opts = append(opts, WithHTTPClient(&http.Client{Transport: chatService{}}))
	client, err := NewClient(StaticToken("1000.token"), opts...)
	require.NoError(t, err)
	return client
}

// What a call allocates on its way through the client is what it takes to make
// the request, send it through the pipeline, and decode. Without a tracer,
// nothing comes in addition, nor with one that wants to know of other things.
func TestNoTracerCostsNothing(t *testing.T) { // It counts what the whole process allocates.
	if testkit.RaceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, opts := range map[string][]Option{
		"none":                   nil,
		"one that hears nothing": {WithTracer(&Tracer{})},
		"one for other things": {WithTracer(&Tracer{
			Refresh: func(context.Context, RefreshTrace) (context.Context, func(RefreshTrace)) { return nil, nil },
		})},
	} {
		t.Run(name, func(t *testing.T) {
			client := chatClient(t, opts...)
			assert.Nil(t, client.trace)
			bare := testing.AllocsPerRun(500, func() {
				c := newCall("Chats.Get", "GET /chats/{chat_id}", "chat1")
				request, err := client.newRequest(c, &callOptions{})
				assert.NoError(t, err)
				answer, err := client.pipeline.Do(t.Context(), request)
				assert.NoError(t, err)
				answer.Release()
			})
			whole := testing.AllocsPerRun(500, func() {
				c := newCall("Chats.Get", "GET /chats/{chat_id}", "chat1")
				assert.NoError(t, send(t.Context(), client, c, nil))
			})
			const options = 1 // The whole call puts its options on the heap.
			assert.LessOrEqual(t, whole, bare+options)
		})
	}
}

// The hooks that are asked whether there is a tracer do not allocate to find out.
func TestHooksOfNobodyAllocateNothing(t *testing.T) { // As above.
	var all tracers
	ctx, cause := t.Context(), context.Canceled
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		inner, ends := all.call.Begin(ctx, CallTrace{})
		ends.Tell(CallTrace{Err: cause})
		_, over := all.refresh.Begin(inner, RefreshTrace{})
		over.Tell(RefreshTrace{Err: cause})
	}))
}

func BenchmarkCall(b *testing.B) {
	hears := &Tracer{
		Call: func(context.Context, CallTrace) (context.Context, func(CallTrace)) { return nil, nil },
	}
	for name, opts := range map[string][]Option{
		"no tracer": nil, "a tracer": {WithTracer(hears)},
	} {
		b.Run(name, func(b *testing.B) {
			client := chatClient(b, opts...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Chats.Get(b.Context(), "chat1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
