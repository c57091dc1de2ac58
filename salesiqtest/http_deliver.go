package salesiqtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// How events are delivered, as the live service does it.
const (
	deliveryTimeout  = 5 * time.Second
	deliveryAttempts = 4
)

// maxDeliveries bounds what is remembered; the oldest go first.
const maxDeliveries = 10_000

// Delivery is one attempt to deliver an event to a webhook.
type Delivery struct {
	At        time.Time         `json:"at"` // By the server's clock.
	WebhookID string            `json:"webhook_id"`
	URL       string            `json:"url"`
	Event     salesiq.EventName `json:"event"`
	Body      string            `json:"body"`
	Attempt   int               `json:"attempt"`         // From 1 to 4.
	Status    int               `json:"status"`          // 0 without an answer.
	Error     string            `json:"error,omitempty"` // Why there was no answer.

	message message
}

// succeeded tells whether there is no need to try again.
func (d *Delivery) succeeded() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries returns the attempts that have ended, oldest first: the last 9,000
// of them at least.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	courier := s.state.courier
	s.mu.Unlock()
	return courier.deliveries()
}

func (c *courier) deliveries() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// Emit delivers an event to the webhooks that are enabled for it, whether or not
// anything happened. The data becomes JSON.
//
// Errors: a [salesiq.InputError] for no event, for no data, and for data that are
// not fit for JSON.
func (s *Server) Emit(event salesiq.EventName, data any) error {
	if err := cmp.Or(argument.Required("event", string(event)), argument.Given("data", data)); err != nil {
		return err
	}
	if err := s.act(func(d *state) error { return d.publish(event, data) }); err != nil {
		return argument("data", "cannot be written as JSON: "+err.Error())
	}
	return nil
}

// controlEvent is Emit for other languages.
func (s *Server) controlEvent(body []byte) (any, error) {
	var order struct {
		Event salesiq.EventName `json:"event"`
		Data  json.RawMessage   `json:"data"`
	}
	if wire.Unmarshal(body, &order) != nil || order.Data != nil && !isObject(order.Data) {
		return nil, invalid("body", "must be an object with an event and an object data")
	}
	if order.Event == "" {
		return nil, missing("event")
	}
	if order.Data == nil {
		order.Data = json.RawMessage("{}")
	}
	data, err := asJavaScript(order.Data)
	if err != nil {
		return nil, invalid("data", err.Error())
	}
	return nil, s.Emit(order.Event, json.RawMessage(data))
}

// publisher hands events of a state over for delivery to the webhooks that are
// enabled for them.
func publisher(s *state, speaks dialect) func(event salesiq.EventName, data any) error {
	return func(event salesiq.EventName, data any) error {
		write, err := speaks.writes(s, event, data)
		if write == nil || err != nil {
			return err
		}
		for webhook := range s.webhooks.all() {
			if p := write(webhook); p != nil && webhook.Enabled && slices.Contains(webhook.Events, p.event) {
				s.courier.take(p)
			}
		}
		return nil
	}
}

// parcel is an event on its way to a webhook.
type parcel struct {
	webhook salesiq.Webhook
	event   salesiq.EventName
	message message
}

// message is an event as a dialect writes it.
type message interface {
	// body writes the event for one attempt.
	body(attempt int) []byte
	// sign sets what vouches for the body.
	sign(header http.Header, body []byte) error
}

// courier delivers events. The first attempts for a webhook are made one after
// the other; an event that has to be tried again holds no other up.
type courier struct {
	config  config
	client  *http.Client
	context context.Context // It is that of all deliveries.
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex           // Guards what follows.
	queues map[string][]*parcel // By webhook; there while somebody is at work on it.
	log    []Delivery
}

func newCourier(config config) *courier {
	ctx, stop := context.WithCancel(context.Background())
	transport := config.webhookTransport
	if transport == nil {
		transport = &http.Transport{IdleConnTimeout: time.Minute}
	}
	return &courier{
		config: config, context: ctx, stop: stop, queues: map[string][]*parcel{},
		client: &http.Client{
			Transport:     transport,
			Timeout:       deliveryTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// end gives up what has not been delivered, and returns when nothing is under
// way.
func (c *courier) end() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.running.Wait()
	if c.config.webhookTransport == nil {
		c.client.CloseIdleConnections()
	}
}

// endDeliveries ends them all, also those of before a Reset.
func (s *Server) endDeliveries() {
	s.mu.Lock()
	courier := s.state.courier
	s.mu.Unlock()
	courier.end()
	s.couriers.Wait()
}

// take puts a parcel into the queue of its webhook.
func (c *courier) take(p *parcel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.context.Err() != nil {
		return
	}
	queue, busy := c.queues[p.webhook.ID]
	c.queues[p.webhook.ID] = append(queue, p)
	if !busy {
		c.running.Go(func() { c.empty(p.webhook.ID) })
	}
}

// empty makes the first attempts for a webhook, until there is nothing left.
func (c *courier) empty(webhookID string) {
	for {
		p, ok := c.next(webhookID)
		if !ok {
			return
		}
		if !c.deliver(p, 1) {
			c.running.Go(func() { c.tryAgain(p) })
		}
	}
}

func (c *courier) next(webhookID string) (p *parcel, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue := c.queues[webhookID]
	if len(queue) == 0 || c.context.Err() != nil {
		delete(c.queues, webhookID)
		return nil, false
	}
	c.queues[webhookID] = queue[1:]
	return queue[0], true
}

func (c *courier) tryAgain(p *parcel) {
	for attempt := 2; attempt <= deliveryAttempts; attempt++ {
		if !sleep(c.context, c.config.webhookPause) || c.deliver(p, attempt) {
			return
		}
	}
}

// deliver makes one attempt, and writes it down.
func (c *courier) deliver(p *parcel, attempt int) bool {
	body := p.message.body(attempt)
	delivery := Delivery{
		At:        time.Now().Add(c.config.clockOffset).UTC().Truncate(time.Millisecond),
		WebhookID: p.webhook.ID, URL: p.webhook.URL, Event: p.event, Body: string(body), Attempt: attempt,
		message: p.message,
	}
	status, err := c.post(p, body)
	if err != nil {
		delivery.Error = err.Error()
	}
	delivery.Status = status
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.log) == maxDeliveries {
		c.log = slices.Delete(c.log, 0, maxDeliveries/10)
	}
	c.log = append(c.log, delivery)
	return delivery.succeeded()
}

var errNotLoopback = errors.New("only webhooks on this machine are delivered to (see WithWebhookTransport)")

// reaches tells whether a webhook may be contacted.
func (c *courier) reaches(address string) bool {
	u, err := url.Parse(address)
	return c.config.webhookTransport != nil || err == nil && input.IsLoopback(u.Hostname())
}

func (c *courier) post(p *parcel, body []byte) (status int, err error) {
	if !c.reaches(p.webhook.URL) {
		return 0, errNotLoopback
	}
	request, err := http.NewRequestWithContext(c.context, http.MethodPost, p.webhook.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "salesiqtest")
	err = p.message.sign(request.Header, body)
	if err != nil {
		return 0, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, maxBody)) //nolint:errcheck // The status is all that counts.
	return response.StatusCode, nil
}
