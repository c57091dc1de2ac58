package webhooktest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// TestSink tests a sink. Each call of open returns an empty one, whose events are
// given to handle: by goroutines that open starts, and that end with the test. A
// sink may handle an event again whose handler has failed.
func TestSink(t *testing.T, open func(t *testing.T, handle func(ctx context.Context, event webhook.Event) error) webhook.Sink) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, webhook.Sink, *tape)
	}{
		{"an event is handled as it was delivered", handledAsDelivered},
		{"events of many are all handled", handledForMany},
		{"an event that fails keeps no other from its handler", failureIsAlone},
		{"what is no event is refused", refusesNoEvent},
		{"an event is handled, or the caller is told", handledOrTold},
		{"a receiver answers before the handler does", answeredBefore},
	} {
		t.Run(test.name, func(t *testing.T) {
			recorded := &tape{bodies: map[string][]byte{}, types: map[string]webhook.Event{}}
			test.run(t, open(t, recorded.handle), recorded)
		})
	}
}

// tape records what the handler is given.
type tape struct {
	mu     sync.Mutex
	bodies map[string][]byte // By id.
	types  map[string]webhook.Event
	wait   chan struct{} // Closed when events may be handled; nil for now.
	fail   func(event webhook.Event)
}

func (p *tape) handle(_ context.Context, event webhook.Event) error {
	p.mu.Lock()
	wait, fail := p.wait, p.fail
	p.mu.Unlock()
	if wait != nil {
		<-wait
	}
	if fail != nil {
		fail(event)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	info := event.Info()
	p.bodies[info.EventID] = bytes.Clone(info.Body)
	p.types[info.EventID] = event
	if event.(*webhook.ChatRated).ChatID == "chat1" && fail != nil { //nolint:forcetypeassert // All of them are.
		return errors.New("not this one")
	}
	return nil
}

// wantHandled waits until an event was handled.
func (p *tape) wantHandled(t *testing.T, event webhook.Event) {
	t.Helper()
	info := event.Info()
	for latest := time.Now().Add(patience); ; pauseFor(t, time.Millisecond) {
		p.mu.Lock()
		got, ok := p.bodies[info.EventID]
		p.mu.Unlock()
		switch {
		case ok && !bytes.Equal(got, info.Body):
			t.Errorf("the handler was given the body\n%s\ninstead of\n%s", got, info.Body)
			return
		case ok:
			return
		case time.Now().After(latest):
			t.Fatalf("an event was not handled within %s", patience)
		}
	}
}

func newEvent(t *testing.T, n int) webhook.Event {
	t.Helper()
	event, err := webhook.Parse([]byte(body(n)))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func enqueue(t *testing.T, sink webhook.Sink, event webhook.Event) {
	t.Helper()
	// A sink may be full for a while, as one in memory is. The service delivers again.
	var err error
	for latest := time.Now().Add(patience); time.Now().Before(latest); pauseFor(t, time.Millisecond) {
		if err = sink.Enqueue(t.Context(), event); err == nil {
			return
		}
	}
	t.Errorf("Enqueue: %v", err)
}

func handledAsDelivered(t *testing.T, sink webhook.Sink, recorded *tape) {
	event := newEvent(t, 1)
	enqueue(t, sink, event)
	recorded.wantHandled(t, event)
	recorded.mu.Lock()
	defer recorded.mu.Unlock()
	got, ok := recorded.types[event.Info().EventID].(*webhook.ChatRated)
	if !ok || got.Rating != 4 || !got.EventTime.Equal(event.Info().EventTime) {
		t.Errorf("the handler was given %+v instead of %+v", got, event)
	}
}

func handledForMany(t *testing.T, sink webhook.Sink, recorded *tape) {
	const senders, events = 10, 20
	all := make([]webhook.Event, senders*events)
	for n := range all {
		all[n] = newEvent(t, n)
	}
	var running sync.WaitGroup
	for sender := range senders {
		running.Go(func() {
			for n := range events {
				enqueue(t, sink, all[sender*events+n])
			}
		})
	}
	running.Wait()
	for _, event := range all {
		recorded.wantHandled(t, event)
	}
}

func failureIsAlone(t *testing.T, sink webhook.Sink, recorded *tape) {
	recorded.mu.Lock()
	recorded.fail = func(event webhook.Event) {
		if event.(*webhook.ChatRated).ChatID == "chat2" { //nolint:forcetypeassert // All of them are.
			panic("the handler of webhooktest panics")
		}
	}
	recorded.mu.Unlock()
	enqueue(t, sink, newEvent(t, 1))
	enqueue(t, sink, newEvent(t, 2))
	for n := 3; n < 20; n++ {
		enqueue(t, sink, newEvent(t, n))
		recorded.wantHandled(t, newEvent(t, n))
	}
}

func refusesNoEvent(t *testing.T, sink webhook.Sink, _ *tape) {
	for _, event := range []webhook.Event{nil, (*webhook.ChatEnded)(nil)} {
		if err := sink.Enqueue(t.Context(), event); err == nil {
			t.Errorf("Enqueue takes %#v", event)
		}
	}
}

func handledOrTold(t *testing.T, sink webhook.Sink, recorded *tape) {
	left, leave := context.WithCancel(t.Context())
	leave()
	event := newEvent(t, 1)
	if sink.Enqueue(left, event) == nil {
		recorded.wantHandled(t, event)
	}
}

func answeredBefore(t *testing.T, sink webhook.Sink, recorded *tape) {
	begin := make(chan struct{})
	recorded.mu.Lock()
	recorded.wait = begin
	recorded.mu.Unlock()
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(sink))
	if err != nil {
		close(begin)
		t.Fatal(err)
	}
	if code := deliver(t, receiver, body(1)); code != http.StatusOK {
		t.Errorf("a delivery is answered with %d", code)
	}
	close(begin)
	recorded.wantHandled(t, newEvent(t, 1))
}
