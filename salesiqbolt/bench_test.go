package salesiqbolt

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// senders is how many deliveries are under way at once.
const senders = 256

// contender is a receiver whose events a second are measured.
type contender struct {
	handler http.Handler
	rates   []float64
}

// newContender makes a receiver that does nothing with events.
func newContender(b testing.TB, opts ...webhook.Option) (*contender, *webhook.Receiver) {
	b.Helper()
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), opts...)
	require.NoError(b, err)
	require.NoError(b, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return nil }))
	return &contender{handler: receiver}, receiver
}

// delivery is a signed event of 1 KiB that nobody has seen before.
type delivery struct{ body, signature string }

var numbers atomic.Int64

func newDeliveries(n int) (all []delivery) {
	for range n {
		head := fmt.Sprintf(`{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"chat%d","rating":4,"feedback":"`, numbers.Add(1))
		body := head + strings.Repeat("y", 1024-len(head)-3) + `"}}`
		all = append(all, delivery{body, webhook.SignHMAC(salesiq.NewSecret(hookSecret), []byte(body))})
	}
	return all
}

// send delivers an event, and reports whether it was taken.
type send func(b testing.TB, handler http.Handler, client *http.Client) func(delivery) bool

// overHTTP sends events over connections of loopback.
func overHTTP(b testing.TB, handler http.Handler, client *http.Client) func(delivery) bool {
	b.Helper()
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	return func(d delivery) bool {
		request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(d.body)) //nolint:noctx // It is answered.
		if err != nil {
			return false
		}
		request.Header.Set(webhook.HeaderSignature, d.signature)
		answer, err := client.Do(request)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
}

// direct gives events to the receiver itself.
func direct(_ testing.TB, handler http.Handler, _ *http.Client) func(delivery) bool {
	return func(d delivery) bool {
		request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(d.body))
		request.Header.Set(webhook.HeaderSignature, d.signature)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer.Code == http.StatusOK
	}
}

// measure delivers events from many senders at once.
func (c *contender) measure(b testing.TB, deliver func(delivery) bool, deliveries []delivery, senders int) {
	b.Helper()
	var next, failed atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range senders {
		running.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(deliveries)); n = next.Add(1) - 1 {
				if !deliver(deliveries[n]) {
					failed.Add(1)
				}
			}
		})
	}
	running.Wait()
	c.rates = append(c.rates, float64(len(deliveries))/time.Since(began).Seconds())
	require.Zero(b, failed.Load())
}

func (c *contender) median() float64 {
	slices.Sort(c.rates)
	return c.rates[len(c.rates)/2]
}

// BenchmarkReceiver measures the receiver with the memory store, with the inbox,
// and with an inbox that makes a commit for each event: in turns, on the same disk.
// The events of the inbox are worked off at the same time.
//
//	go test -run '^$' -bench Receiver -benchtime 1x .
func BenchmarkReceiver(b *testing.B) {
	b.Run("HTTP", func(b *testing.B) { benchmarkReceiver(b, overHTTP) })
	b.Run("direct", func(b *testing.B) { benchmarkReceiver(b, direct) })
}

func benchmarkReceiver(b *testing.B, way send) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	folder := b.TempDir()
	inbox := func(name string) (*contender, *Inbox, *webhook.Receiver) {
		f, err := Open(filepath.Join(folder, name))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, f.Close()) })
		i := inboxOf(b, f, WithWorkers(64))
		c, receiver := newContender(b, webhook.WithSink(i))
		return c, i, receiver
	}
	memory, _ := newContender(b)
	bolt, events, receiver := inbox("bolt.db")
	single, _, _ := inbox("single.db")
	run(b, events, receiver.Dispatch)
	toMemory, toBolt, toSingle := way(b, memory.handler, client), way(b, bolt.handler, client), way(b, single.handler, client)
	for b.Loop() {
		for range 3 {
			memory.measure(b, toMemory, newDeliveries(5000), senders)
			bolt.measure(b, toBolt, newDeliveries(5000), senders)
			single.measure(b, toSingle, newDeliveries(50), 1)
		}
	}
	s := stats(b, events)
	b.ReportMetric(memory.median(), "memory/s")
	b.ReportMetric(bolt.median(), "inbox/s")
	b.ReportMetric(single.median(), "single/s")
	b.ReportMetric(bolt.median()/memory.median(), "x_memory")
	b.ReportMetric(bolt.median()/single.median(), "x_single")
	b.ReportMetric(float64(s.Waiting), "waiting")
	b.ReportMetric(0, "ns/op")
}
