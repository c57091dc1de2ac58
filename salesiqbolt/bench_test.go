package salesiqbolt

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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

// measure delivers events from many senders at once, over HTTP.
func (c *contender) measure(b testing.TB, client *http.Client, deliveries []delivery, senders int) {
	b.Helper()
	server := httptest.NewServer(c.handler)
	defer server.Close()
	var next, failed atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range senders {
		running.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(deliveries) {
					return
				}
				request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(deliveries[n].body)) //nolint:noctx // It is answered.
				if err != nil {
					failed.Add(1)
					continue
				}
				request.Header.Set(webhook.HeaderSignature, deliveries[n].signature)
				answer, err := client.Do(request)
				if err != nil {
					failed.Add(1)
					continue
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
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
	folder := os.Getenv("SALESIQBOLT_BENCH_FOLDER")
	if folder == "" {
		folder = b.TempDir()
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	memory, _ := newContender(b)
	inbox := func(name string) (*contender, *Inbox, *webhook.Receiver) {
		f, err := Open(folder + "/" + name)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, f.Close()) })
		i := inboxOf(b, f, WithWorkers(64))
		c, receiver := newContender(b, webhook.WithSink(i))
		return c, i, receiver
	}
	bolt, events, receiver := inbox("bolt.db")
	single, _, _ := inbox("single.db")
	run(b, events, receiver.Dispatch)
	for b.Loop() {
		for range 5 {
			memory.measure(b, client, newDeliveries(20_000), senders)
			bolt.measure(b, client, newDeliveries(20_000), senders)
			single.measure(b, client, newDeliveries(300), 1)
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
