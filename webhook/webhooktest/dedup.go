package webhooktest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// TestDedupStore tests a store. Each call of open returns one that knows no events.
func TestDedupStore(t *testing.T, open func(t *testing.T) webhook.DedupStore) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, webhook.DedupStore)
	}{
		{"an event is free, claimed or done", freeClaimedOrDone},
		{"an aborted event is free again", abortedIsFree},
		{"what is done stays done", doneStaysDone},
		{"what is said twice is said once", saidTwice},
		{"a claim that has ended frees no event", failedLate},
		{"a success counts though its claim has ended", succeededLate},
		{"an event is told from its like", toldFromItsLike},
		{"the name of a handler may be long", longName},
		{"one of many claims an event", oneOfManyClaims},
		{"marks of many are all kept", marksOfMany},
		{"a claim for who has left is freed", whoHasLeft},
		{"a receiver handles an event once", receivedOnce},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// eventID returns an id as a receiver makes them.
func eventID(n int) string { return fmt.Sprintf("%032x", n) }

// lastClaim is the number of the last claim of any test.
var lastClaim atomic.Int64

// wantState begins an event with a new claim, whose number it returns.
func wantState(t *testing.T, store webhook.DedupStore, id string, want webhook.DedupState, when string) (claim int64) {
	t.Helper()
	claim = lastClaim.Add(1)
	state, err := store.Begin(t.Context(), id, claim)
	if err != nil {
		t.Fatalf("Begin %s: %v", when, err)
	}
	if state != want {
		t.Errorf("Begin %s returned %d, not %d", when, state, want)
	}
	return claim
}

// must ends the test if a method of a store fails.
func must(t *testing.T, method func(context.Context, string, int64) error, id string, claim int64, name string) {
	t.Helper()
	if err := method(t.Context(), id, claim); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func freeClaimedOrDone(t *testing.T, store webhook.DedupStore) {
	id := eventID(1)
	claim := wantState(t, store, id, webhook.DedupFree, "of a new event")
	wantState(t, store, id, webhook.DedupClaimed, "of a claimed event")
	wantState(t, store, id, webhook.DedupClaimed, "of a claimed event, once more")
	must(t, store.Done, id, claim, "Done")
	wantState(t, store, id, webhook.DedupDone, "of an event that is done")
	wantState(t, store, id, webhook.DedupDone, "of an event that is done, once more")
}

func abortedIsFree(t *testing.T, store webhook.DedupStore) {
	id := eventID(1)
	for range 3 {
		claim := wantState(t, store, id, webhook.DedupFree, "of a free event")
		must(t, store.Abort, id, claim, "Abort")
	}
	wantState(t, store, id, webhook.DedupFree, "after an Abort")
	wantState(t, store, id, webhook.DedupClaimed, "of an event that was claimed again")
}

func doneStaysDone(t *testing.T, store webhook.DedupStore) {
	id := eventID(1)
	claim := wantState(t, store, id, webhook.DedupFree, "of a new event")
	must(t, store.Done, id, claim, "Done")
	must(t, store.Abort, id, claim, "Abort of an event that is done")
	wantState(t, store, id, webhook.DedupDone, "after an Abort of an event that is done")
}

// A receiver repeats a call that has failed, and may have reached the store.
func saidTwice(t *testing.T, store webhook.DedupStore) {
	id := eventID(1)
	claim := wantState(t, store, id, webhook.DedupFree, "of a new event")
	for range 2 {
		must(t, store.Abort, id, claim, "Abort")
	}
	claim = wantState(t, store, id, webhook.DedupFree, "after two Aborts")
	for range 2 {
		must(t, store.Done, id, claim, "Done")
	}
	wantState(t, store, id, webhook.DedupDone, "after two Dones")
}

// claimTwice claims an event, frees it and claims it again. A handler that returns late
// has the old claim.
func claimTwice(t *testing.T, store webhook.DedupStore) (id string, old, claim int64) {
	id = eventID(1)
	old = wantState(t, store, id, webhook.DedupFree, "of a new event")
	must(t, store.Abort, id, old, "Abort")
	return id, old, wantState(t, store, id, webhook.DedupFree, "after an Abort")
}

func failedLate(t *testing.T, store webhook.DedupStore) {
	id, old, claim := claimTwice(t, store)
	must(t, store.Abort, id, old, "Abort of a claim that has ended")
	wantState(t, store, id, webhook.DedupClaimed, "after an Abort of a claim that has ended")
	must(t, store.Abort, id, claim, "Abort")
	wantState(t, store, id, webhook.DedupFree, "after an Abort of the claim")
}

func succeededLate(t *testing.T, store webhook.DedupStore) {
	id, old, claim := claimTwice(t, store)
	must(t, store.Done, id, old, "Done of a claim that has ended")
	wantState(t, store, id, webhook.DedupDone, "after a Done of a claim that has ended")
	must(t, store.Abort, id, claim, "Abort of an event that is done")
	wantState(t, store, id, webhook.DedupDone, "after an Abort by the other claim")
}

func toldFromItsLike(t *testing.T, store webhook.DedupStore) {
	first := wantState(t, store, eventID(1), webhook.DedupFree, "of the first event")
	second := wantState(t, store, eventID(2), webhook.DedupFree, "of the second event")
	must(t, store.Done, eventID(1), first, "Done")
	wantState(t, store, eventID(2), webhook.DedupClaimed, "of the second event, when the first is done")
	must(t, store.Abort, eventID(2), second, "Abort")
	wantState(t, store, eventID(1), webhook.DedupDone, "of the first event, when the second is free")
	wantState(t, store, eventID(2), webhook.DedupFree, "of the second event, when it is free")
	wantState(t, store, eventID(3), webhook.DedupFree, "of a third event")
}

// The longest key that a receiver makes is that of a handler with Once.
func longName(t *testing.T, store webhook.DedupStore) {
	id := eventID(1) + "/" + strings.Repeat("n", 256)
	claim := wantState(t, store, id, webhook.DedupFree, "for a handler with a long name")
	must(t, store.Abort, id, claim, "Abort")
	claim = wantState(t, store, id, webhook.DedupFree, "after an Abort")
	must(t, store.Done, id, claim, "Done")
	wantState(t, store, id, webhook.DedupDone, "for a handler that has succeeded")
	wantState(t, store, id[:len(id)-1], webhook.DedupFree, "for a handler of another name")
}

func oneOfManyClaims(t *testing.T, store webhook.DedupStore) {
	const events, claimants = 20, 10
	var claims [events]atomic.Int32
	var running sync.WaitGroup
	for claimant := range int64(claimants) {
		running.Go(func() {
			for n := range events {
				switch state, err := store.Begin(t.Context(), eventID(n), claimant); {
				case err != nil:
					t.Errorf("Begin: %v", err)
				case state == webhook.DedupFree:
					claims[n].Add(1)
				case state != webhook.DedupClaimed:
					t.Errorf("Begin of a claimed event returned %d, not %d", state, webhook.DedupClaimed)
				}
			}
		})
	}
	running.Wait()
	for n := range claims {
		if got := claims[n].Load(); got != 1 {
			t.Errorf("%d of %d had event %d for themselves, not one", got, claimants, n)
		}
	}
}

func marksOfMany(t *testing.T, store webhook.DedupStore) {
	const events = 100
	var running sync.WaitGroup
	for n := range events {
		running.Go(func() {
			if _, err := store.Begin(t.Context(), eventID(n), int64(n)); err != nil {
				t.Errorf("Begin: %v", err)
			}
			if err := store.Done(t.Context(), eventID(n), int64(n)); err != nil {
				t.Errorf("Done: %v", err)
			}
		})
	}
	running.Wait()
	for n := range events {
		wantState(t, store, eventID(n), webhook.DedupDone, "of an event that is done")
	}
}

// A store may answer for a context that has ended, or fail. If it fails, nobody
// has the event.
func whoHasLeft(t *testing.T, store webhook.DedupStore) {
	id := eventID(1)
	left, leave := context.WithCancel(t.Context())
	leave()
	claim := lastClaim.Add(1)
	if state, err := store.Begin(left, id, claim); err == nil {
		if state != webhook.DedupFree {
			t.Errorf("Begin returned %d for a new event, not %d", state, webhook.DedupFree)
		}
		must(t, store.Abort, id, claim, "Abort")
	}
	for latest := time.Now().Add(patience); ; {
		state, err := store.Begin(t.Context(), id, lastClaim.Add(1))
		if err != nil {
			t.Fatalf("Begin: %v", err)
		}
		if state == webhook.DedupFree {
			return
		}
		if time.Now().After(latest) {
			t.Fatalf("an event whose Begin has failed is still claimed after %s", patience)
		}
		pauseFor(t, 10*time.Millisecond)
	}
}

func pauseFor(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

const secret = "webhooktest-secret" //nolint:gosec // It protects nothing.

// receivedOnce delivers an event several times at once, and has its handler fail
// once.
func receivedOnce(t *testing.T, store webhook.DedupStore) {
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithDedupStore(store))
	if err != nil {
		t.Fatal(err)
	}
	var tries, handled atomic.Int32
	err = webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		if tries.Add(1) == 1 {
			return errors.New("not yet")
		}
		handled.Add(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if code := deliver(t, receiver, body(1)); code != http.StatusInternalServerError {
		t.Errorf("a delivery whose handler fails is answered with %d", code)
	}
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() {
			if code := deliver(t, receiver, body(1)); code != http.StatusOK {
				t.Errorf("a delivery is answered with %d", code)
			}
		})
	}
	running.Wait()
	if n := handled.Load(); n != 1 {
		t.Errorf("the event was handled %d times", n)
	}
}

// body returns the body of an event.
func body(n int) string {
	return fmt.Sprintf(`{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"chat%d","rating":4,"feedback":"gut – <b>sehr</b> gut"}}`, n)
}

// deliver delivers an event as the service does.
func deliver(t *testing.T, receiver http.Handler, body string) (status int) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	return answer.Code
}
