package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v89/github"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

const (
	deliveries      = 1000
	webhookSecret   = "benchmark"
	gitHubSignature = "X-Hub-Signature-256"
)

// delivery is a signed event of 1 KiB.
type delivery struct {
	body      []byte
	signature string
}

func newDeliveries() []delivery {
	all := make([]delivery, deliveries)
	for n := range all {
		head := fmt.Sprintf(`{"event":"chat.rating","timestamp":"2026-04-09T09:12:40.000Z","data":{"chat_id":"chat-%07d",`+
			`"visitor_id":"visitor-20%03d","operator_id":"operator-07","rating":%d,"submitted_at":"2026-04-09T09:12:39.500Z","feedback":"`,
			n, n, 1+n%5)
		const tail = `"}}`
		body := []byte(head + strings.Repeat("Well done. ", 100)[:1024-len(head)-len(tail)] + tail)
		all[n] = delivery{body: body, signature: webhook.SignHMAC(salesiq.NewSecret(webhookSecret), body)}
	}
	return all
}

// measureWebhooks hands deliveries to receivers, without a network: each is
// verified, decoded, remembered and handled.
func measureWebhooks(ctx context.Context, p plan, _ string, r *report) error {
	all := newDeliveries()
	contestants := []contestant{
		{name: "hand-written: crypto/hmac, encoding/json, a map", op: delivering(all, newHandWrittenReceiver().receive)},
		{name: "go-github's ValidatePayload, encoding/json, no memory", op: delivering(all, validatePayload)},
		{name: ours, op: delivering(all, newReceiver())},
	}
	return r.race(ctx, webhookRace, "1,000 deliveries of 1 KiB: receivers alone, without a network", contestants, p.others)
}

// writer is a http.ResponseWriter that costs nothing.
type writer struct {
	header http.Header
	status int
}

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) Write(b []byte) (int, error) { return len(b), nil }
func (w *writer) WriteHeader(status int)      { w.status = status }

// delivering hands all deliveries to a receiver, which counts what it handles.
func delivering(all []delivery, receive func(w http.ResponseWriter, r *http.Request, handled *int)) func(context.Context) error {
	return func(ctx context.Context) error {
		handled := 0
		for i := range all {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, cannedBase, bytes.NewReader(all[i].body))
			if err != nil {
				return err
			}
			request.Header[webhook.HeaderSignature] = []string{all[i].signature}
			request.Header[gitHubSignature] = []string{"sha256=" + all[i].signature}
			request.Header["Content-Type"] = []string{"application/json"}
			w := &writer{header: http.Header{}, status: http.StatusOK}
			receive(w, request, &handled)
			if w.status != http.StatusOK {
				return fmt.Errorf("status %d", w.status)
			}
		}
		return expect(handled, len(all))
	}
}

func newReceiver() func(http.ResponseWriter, *http.Request, *int) {
	// An event is forgotten by the time at which it comes again.
	memory := testkit.Must(webhook.NewMemoryDedupStore(deliveries/2, time.Hour))
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(webhookSecret)), webhook.WithDedupStore(memory)))
	var count *int
	webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { *count++; return nil })
	return func(w http.ResponseWriter, r *http.Request, handled *int) {
		count = handled
		receiver.ServeHTTP(w, r)
	}
}

// envelope is what is around each event.
type envelope struct {
	Event     string          `json:"event"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

func decodeRating(body []byte, handled *int) error {
	var event envelope
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	var rated webhook.ChatRated
	if err := json.Unmarshal(event.Data, &rated); err != nil {
		return err
	}
	*handled++
	return nil
}

// handWrittenReceiver is what one writes by hand, if one does all of it.
type handWrittenReceiver struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time
}

func newHandWrittenReceiver() *handWrittenReceiver {
	return &handWrittenReceiver{seen: map[[sha256.Size]byte]time.Time{}}
}

func (h *handWrittenReceiver) receive(w http.ResponseWriter, r *http.Request, handled *int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	signature, err := hex.DecodeString(r.Header.Get(webhook.HeaderSignature))
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if err := decodeRating(body, handled); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[sha256.Sum256(body)] = time.Now() // Here, an event that comes again is handled again.
	w.WriteHeader(http.StatusOK)
}

func validatePayload(w http.ResponseWriter, r *http.Request, handled *int) {
	body, err := github.ValidatePayload(r, []byte(webhookSecret))
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if err := decodeRating(body, handled); err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}
