package webhook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

const benchSecret = "bench-webhook-secret"

// benchEvent returns an event of 1 KiB that nobody has seen before.
func benchEvent(n int) []byte {
	head := fmt.Sprintf(`{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"chat%08d",`+
		`"visitor_id":"visitor7081","operator_id":"operator31","rating":4,"submitted_at":"2026-03-05T09:41:07.250Z","feedback":"`, n)
	const tail = `"}}`
	return []byte(head + strings.Repeat("y", 1024-len(head)-len(tail)) + tail)
}

// discardWriter is a ResponseWriter that costs nothing.
type discardWriter struct {
	header http.Header
	status int
}

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }

// receiverRun puts one delivery after the other through a receiver.
type receiverRun struct {
	receiver *webhook.Receiver
	request  *http.Request
	writer   *discardWriter
	body     *bytes.Reader
	handled  int

	bodies     [][]byte
	signatures [][]string
	next       int
}

// benchEvents is how many different events are delivered, over and over: few
// enough to stay in the processor's cache, as one event would that has just
// arrived.
const benchEvents = 64

func newReceiverRun(tb testing.TB) *receiverRun {
	tb.Helper()
	run := &receiverRun{
		// The store has forgotten each event when it comes again.
		receiver: testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(benchSecret)),
			webhook.WithDedupStore(testkit.Must(webhook.NewMemoryDedupStore(benchEvents/2, time.Hour))))),
		writer: &discardWriter{header: http.Header{}},
		body:   bytes.NewReader(nil),
	}
	webhook.On(run.receiver, func(context.Context, *webhook.ChatRated) error { run.handled++; return nil })
	run.request = newRequest(tb, http.MethodPost, nil)
	run.request.Body = io.NopCloser(run.body)
	for n := range benchEvents {
		body := benchEvent(n)
		run.bodies = append(run.bodies, body)
		run.signatures = append(run.signatures, []string{webhook.SignHMAC(salesiq.NewSecret(benchSecret), body)})
	}
	return run
}

// deliver delivers the next event.
func (run *receiverRun) deliver() {
	body := run.bodies[run.next]
	run.body.Reset(body)
	run.request.ContentLength = int64(len(body))
	run.request.Header[webhook.HeaderSignature] = run.signatures[run.next]
	run.receiver.ServeHTTP(run.writer, run.request)
	run.next = (run.next + 1) % benchEvents
}

func newRequest(tb testing.TB, method string, body []byte) *http.Request {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, "http://127.0.0.1/webhook", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	return request
}

func BenchmarkSHA256(b *testing.B) {
	body := benchEvent(1)
	for b.Loop() {
		sha256.Sum256(body)
	}
}

func BenchmarkVerify(b *testing.B) {
	body := benchEvent(1)
	verifier := webhook.HMAC(salesiq.NewSecret(benchSecret))
	header := http.Header{webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(benchSecret), body)}}
	b.ReportAllocs()
	verify := func() {
		if err := verifier.Verify(header, body); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		verify()
	}
	reportRatio(b, body, verify)
}

func BenchmarkReceiver(b *testing.B) {
	run := newReceiverRun(b)
	delivered := 0
	b.ReportAllocs()
	for b.Loop() {
		run.deliver()
		delivered++
	}
	if run.handled != delivered {
		b.Fatalf("%d of %d handled", run.handled, delivered)
	}
	reportRatio(b, run.bodies[0], run.deliver)
}

// The two figures that do not depend on the machine.
func TestReceivingAllocatesLittle(t *testing.T) { // Others allocate, too.
	if testkit.RaceEnabled {
		t.Skip("the race detector allocates, too")
	}
	body := benchEvent(1)
	verifier := webhook.HMAC(salesiq.NewSecret(benchSecret))
	header := http.Header{webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(benchSecret), body)}}
	if allocations := testing.AllocsPerRun(1000, func() { verifier.Verify(header, body) }); allocations > 0 { //nolint:errcheck // The benchmark looks.
		t.Errorf("verifying took %v allocations, not 0", allocations)
	}
	run := newReceiverRun(t)
	if allocations := testing.AllocsPerRun(1000, run.deliver); allocations > 10 {
		t.Errorf("an event took %v allocations, not 10 at most", allocations)
	}
	if run.handled != 1001 {
		t.Errorf("%d of 1001 events were handled", run.handled)
	}
}

// reportRatio tells how many bare hashes of the body an operation is worth: the
// median of many short rounds of both, which a busy machine slows down alike.
func reportRatio(b *testing.B, body []byte, operation func()) {
	b.Helper()
	const rounds = 101
	var ratios []float64
	for range rounds {
		hashing := spent(func() { sha256.Sum256(body) })
		ratios = append(ratios, float64(spent(operation))/float64(hashing))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[rounds/2], "x_SHA256")
}

func spent(operation func()) time.Duration {
	began := time.Now()
	for range 50 {
		operation()
	}
	return time.Since(began)
}
