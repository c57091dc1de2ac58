package salesiqtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

// How events are delivered, as the live service does it.
const (
	deliveryTimeout  = 5 * time.Second
	deliveryAttempts = 4
)

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

// succeeded reports whether the event was taken.
func (d *Delivery) succeeded() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries returns the attempts that have ended, oldest first: the last 9,000
// of them at least.
func (s *Server) Deliveries() []Delivery { return s.courier().deliveries() }

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

// Redeliver makes deliveries of [Server.Deliveries] again: the same bodies with the same
// signatures, to the same webhooks, as the service does on request, and as somebody who
// has captured them could. What fails is tried again as any delivery is.
//
// Errors: a [salesiq.InputError] for a delivery that is not one of those.
func (s *Server) Redeliver(deliveries ...Delivery) error {
	for _, d := range deliveries {
		if d.message == nil {
			return argument("delivery", "must be one of Deliveries")
		}
	}
	for _, d := range deliveries {
		to := salesiq.Webhook{ID: d.WebhookID, URL: d.URL}
		s.courier().enqueue(&parcel{webhook: to, event: d.Event, message: replay{d.message, []byte(d.Body)}})
	}
	return nil
}

// replay is a message as one of its deliveries had it.
type replay struct {
	message

	text []byte
}

func (r replay) body(int) []byte { return r.text }

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
				s.courier.enqueue(p)
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
	// sign sets the header with the signature of the body.
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

	mu   sync.Mutex               // Guards what follows.
	last map[string]chan struct{} // By webhook; closed after the first attempt of its latest parcel.
	own  map[string]*http.Client  // Of handlers that are subscribed, by URL.
	open int                      // Parcels on their way.
	idle chan struct{}            // Closed while there are none.
	log  history[Delivery]
}

func newCourier(config config) *courier {
	ctx, stop := context.WithCancel(context.Background())
	transport := config.webhookTransport
	if transport == nil {
		transport = newLoopbackTransport(nil)
	}
	idle := make(chan struct{})
	close(idle)
	return &courier{
		config: config, context: ctx, stop: stop, client: newDeliveryClient(transport),
		last: map[string]chan struct{}{}, own: map[string]*http.Client{}, idle: idle,
	}
}

// newDeliveryClient returns a client that waits as long as the live service does.
func newDeliveryClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// connect has deliveries to a URL made by a client of their own.
func (c *courier) connect(address string, client *http.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own[address] = client
}

// clientFor returns the client that reaches a webhook, if it may be contacted.
func (c *courier) clientFor(address string) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := c.own[address]; own != nil {
		return own, nil
	}
	u, err := url.Parse(address)
	if c.config.webhookTransport == nil && (err != nil || !input.IsLoopback(u.Hostname())) {
		return nil, errNotLoopback
	}
	return c.client, nil
}

// settled returns a channel that is closed when no parcel is on its way.
func (c *courier) settled() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle
}

// leave counts a parcel as on its way, with the lock held. What it returns ends that.
func (c *courier) leave() (arrive func()) {
	if c.open == 0 {
		c.idle = make(chan struct{})
	}
	c.open++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open--; c.open == 0 {
			close(c.idle)
		}
	}
}

// expect counts something as on its way, as leave does.
func (c *courier) expect() (arrive func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leave()
}

// start does work that end waits for.
func (c *courier) start(work func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.context.Err() == nil {
		c.running.Go(work)
	}
}

// end gives up what has not been delivered, and waits for attempts under way.
func (c *courier) end() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.running.Wait()
	if c.config.webhookTransport == nil {
		c.client.CloseIdleConnections()
	}
}

// courier is who delivers the events of the state.
func (s *Server) courier() *courier {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.courier
}

func (c *courier) deliveries() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.all()
}

// enqueue delivers a parcel once those before it for the same webhook have been tried.
func (c *courier) enqueue(p *parcel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.context.Err() != nil {
		return
	}
	before, tried := c.last[p.webhook.ID], make(chan struct{})
	c.last[p.webhook.ID] = tried
	arrive := c.leave()
	c.running.Go(func() {
		defer arrive()
		if before != nil {
			<-before
		}
		done := c.context.Err() != nil || c.deliver(p, 1)
		close(tried)
		for attempt := 2; !done && attempt <= deliveryAttempts && sleep(c.context, c.config.webhookPause); attempt++ {
			done = c.deliver(p, attempt)
		}
	})
}

// deliver makes one attempt, remembers it, and reports whether the event was taken.
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
	c.log.add(delivery)
	return delivery.succeeded()
}

var errNotLoopback = errors.New("only webhooks on this machine are delivered to (see WithWebhookTransport)")

func (c *courier) post(p *parcel, body []byte) (status int, err error) {
	client, err := c.clientFor(p.webhook.URL)
	if err != nil {
		return 0, err
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
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, maxBody)) //nolint:errcheck // The status is all that counts.
	return response.StatusCode, nil
}
