package salesiqbolt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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
	handler   http.Handler
	rates     []float64
	events    int
	processor time.Duration // What all events have taken of it, with those who send them.
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
func (c *contender) measure(b testing.TB, deliver func(delivery) bool, deliveries []delivery, senders int) (took time.Duration) {
	b.Helper()
	var next, failed atomic.Int64
	var running sync.WaitGroup
	began, spent := time.Now(), processorTime(b)
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
	took = time.Since(began)
	c.processor += processorTime(b) - spent
	c.events += len(deliveries)
	c.rates = append(c.rates, float64(len(deliveries))/took.Seconds())
	require.Zero(b, failed.Load())
	return took
}

func (c *contender) median() float64 {
	slices.Sort(c.rates)
	return c.rates[len(c.rates)/2]
}

// perEvent returns how much of the processor an event takes, in microseconds.
func (c *contender) perEvent() float64 {
	return float64(c.processor.Nanoseconds()) / 1000 / float64(c.events)
}

// syncs measures how long the disk takes for what a commit of so many bytes writes:
// the pages, and then the page that makes them count.
func syncs(b testing.TB, folder string, bytes int) (took time.Duration) {
	b.Helper()
	file, err := os.CreateTemp(folder, "syncs")
	require.NoError(b, err)
	pages := make([]byte, bytes)
	var all []time.Duration
	for n := range 11 {
		began := time.Now()
		for _, page := range []struct {
			content []byte
			at      int64
		}{{pages, int64(4096 + n*bytes)}, {pages[:4096], 0}} {
			_, err = file.WriteAt(page.content, page.at)
			require.NoError(b, errors.Join(err, file.Sync()))
		}
		all = append(all, time.Since(began))
	}
	require.NoError(b, errors.Join(file.Close(), os.Remove(file.Name())))
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkReceiver measures the receiver with the memory store, with the inbox,
// and with an inbox that makes a commit for each event: in turns, on the same disk.
// The events of the inbox are worked off at the same time. Those that are left (waiting)
// are worked off before the next turn, which they would slow down.
//
// What an event takes of the processor (memory-us, inbox-us) depends less on what else the
// machine does than the events a second. To take an event, to handle and to mark it is
// worked-us.
//
// Of the inbox it also tells how many events share a commit, how long a commit writes
// (write-ms), how long the disk alone needs for as many bytes that it has to confirm
// twice (syncs-ms), and which share of the time is spent on writing. Senders that wait for
// an answer before they send again cannot be faster than one commit of them all.
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
	const deliveries = 20000
	var commits int64
	var waiting int
	var writing, measuring, working time.Duration
	for b.Loop() {
		for range 3 {
			memory.measure(b, toMemory, newDeliveries(deliveries), senders)
			begun, before := events.file.db.Stats(), events.file.tx.Load()
			all := newDeliveries(deliveries)
			spent := processorTime(b)
			measuring += bolt.measure(b, toBolt, all, senders)
			ended := events.file.db.Stats()
			writing += ended.TxStats.GetWriteTime() - begun.TxStats.GetWriteTime()
			commits += events.file.tx.Load() - before
			waiting += stats(b, events).Waiting
			eventually(b, func() bool { s := stats(b, events); return s.Waiting+s.Running == 0 }, "they are worked off")
			working += processorTime(b) - spent
			single.measure(b, toSingle, newDeliveries(200), 1)
		}
	}
	perCommit := float64(bolt.events) / float64(commits)
	b.ReportMetric(memory.median(), "memory/s")
	b.ReportMetric(bolt.median(), "inbox/s")
	b.ReportMetric(single.median(), "single/s")
	b.ReportMetric(bolt.median()/memory.median(), "x_memory")
	b.ReportMetric(bolt.median()/single.median(), "x_single")
	b.ReportMetric(memory.perEvent(), "memory-us")
	b.ReportMetric(bolt.perEvent(), "inbox-us")
	b.ReportMetric(float64(working.Microseconds())/float64(bolt.events), "worked-us")
	b.ReportMetric(float64(waiting)/float64(len(bolt.rates)), "waiting")
	b.ReportMetric(perCommit, "events/commit")
	b.ReportMetric(writing.Seconds()*1000/float64(commits), "write-ms")
	b.ReportMetric(syncs(b, folder, int(perCommit)*1300).Seconds()*1000, "syncs-ms")
	b.ReportMetric(writing.Seconds()/measuring.Seconds(), "writing")
	b.ReportMetric(0, "ns/op")
}
