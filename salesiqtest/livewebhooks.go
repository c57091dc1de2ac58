package salesiqtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// webhookSettings is what the live dialect remembers about a webhook beside the
// rest.
type webhookSettings struct {
	kind    string
	apps    []string
	secured bool
	version string
	created time.Time
	keys    []liveKey // Oldest first; that one is in use.
}

type liveKey struct {
	id      string
	private *rsa.PrivateKey
	created time.Time
}

const maxLiveKeys = 2

// liveWebhook is a webhook as the live service writes one.
type liveWebhook struct {
	ID       string              `json:"id"`
	URL      string              `json:"url"`
	Type     string              `json:"type"`
	Events   []salesiq.EventName `json:"events"`
	AppIDs   []string            `json:"app_ids"`
	Secured  bool                `json:"secured"`
	Version  int                 `json:"version"`
	Status   string              `json:"status"`
	Failures string              `json:"failures_count"`
	Keys     []livePublicKey     `json:"public_keys"`
	Keeps    string              `json:"expiry_time_for_executions_data"`
	Created  string              `json:"created_time"`
}

type livePublicKey struct {
	ID      string `json:"id"`
	Key     string `json:"key"`
	Created string `json:"created_time"`
}

// liveSettings returns what the live dialect knows about a webhook. One of the
// specified dialect has none yet.
func (s *state) liveSettings(id string) *webhookSettings {
	if s.live.webhooks[id] == nil {
		s.live.webhooks[id] = &webhookSettings{kind: "data", version: "1"}
	}
	return s.live.webhooks[id]
}

func (s *state) liveWebhook(webhook *salesiq.Webhook) liveWebhook {
	settings := s.liveSettings(webhook.ID)
	version, _ := strconv.Atoi(settings.version) //nolint:errcheck // It was checked.
	out := liveWebhook{
		ID: webhook.ID, URL: webhook.URL, Type: settings.kind, Events: webhook.Events, AppIDs: append([]string{}, settings.apps...),
		Secured: settings.secured, Version: version, Status: "disabled", Keys: []livePublicKey{},
		Failures: strconv.Itoa(len(s.failedExecutions(webhook.ID))), Keeps: "5184000000", Created: millis(settings.created),
	}
	if webhook.Enabled {
		out.Status = "enabled"
	}
	for _, key := range settings.keys {
		out.Keys = append(out.Keys, livePublicKey{key.id, publicKeyText(&key.private.PublicKey), millis(key.created)})
	}
	return out
}

// publicKeyText writes a key as bare base64.
func publicKeyText(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: %v", err)) // It is a key of ours.
	}
	return base64.StdEncoding.EncodeToString(der)
}

func (c *call) webhook() (*salesiq.Webhook, error) {
	webhook, ok := c.state.webhooks.get(c.id)
	if !ok {
		return nil, notFound("webhook", c.id)
	}
	return webhook, nil
}

func listLiveWebhooks(c *call) (*reply, error) {
	webhooks := []liveWebhook{}
	for webhook := range c.state.webhooks.all() {
		webhooks = append(webhooks, c.state.liveWebhook(webhook))
	}
	return c.many(webhooks)
}

func getLiveWebhook(c *call) (*reply, error) {
	webhook, err := c.webhook()
	if err != nil {
		return nil, err
	}
	return c.one("webhook", c.state.liveWebhook(webhook))
}

// webhookInput is what webhooks are made of.
type webhookInput struct {
	Type    string              `json:"type"`
	URL     string              `json:"url"`
	Events  []salesiq.EventName `json:"events"`
	AppIDs  []string            `json:"app_ids"`
	Secured bool                `json:"secured"`
	Version string              `json:"version"`
}

func createLiveWebhook(c *call) (*reply, error) {
	webhook := &salesiq.Webhook{Name: "live", Enabled: true}
	settings := &webhookSettings{version: "1", created: c.now}
	if err := c.fill(webhook, settings); err != nil {
		return nil, err
	}
	webhook.ID = c.state.newID("webhook")
	c.state.webhooks.put(webhook.ID, webhook)
	c.state.live.webhooks[webhook.ID] = settings
	return c.one("webhook", c.state.liveWebhook(webhook))
}

func updateLiveWebhook(c *call) (*reply, error) {
	webhook, err := c.webhook()
	if err != nil {
		return nil, err
	}
	changed, settings := *webhook, *c.state.liveSettings(webhook.ID)
	if err := c.fill(&changed, &settings); err != nil {
		return nil, err
	}
	*webhook, c.state.live.webhooks[webhook.ID] = changed, &settings
	return c.one("webhook", c.state.liveWebhook(webhook))
}

// fill takes over what a body says about a webhook, checks it, and probes the
// URL.
func (c *call) fill(webhook *salesiq.Webhook, settings *webhookSettings) error {
	in := webhookInput{settings.kind, webhook.URL, webhook.Events, settings.apps, settings.secured, settings.version}
	if err := patch(&in, c.body); err != nil {
		return err
	}
	if err := c.checkLiveWebhook(&in); err != nil {
		return err
	}
	if err := c.state.courier.probe(in.URL); err != nil {
		return invalid("url", "must answer a HEAD request with 200: "+err.Error())
	}
	webhook.URL, webhook.Events = in.URL, in.Events
	settings.kind, settings.apps, settings.secured, settings.version = in.Type, in.AppIDs, in.Secured, in.Version
	if settings.secured && len(settings.keys) == 0 {
		settings.keys = []liveKey{c.newKey()}
	}
	return nil
}

func (c *call) checkLiveWebhook(in *webhookInput) error {
	switch {
	case in.Type != "data" && in.Type != "administration":
		return invalid("type", "must be data or administration")
	case in.URL == "":
		return missing("url")
	case len(in.Events) == 0:
		return missing("events")
	case !deliverable(in.URL):
		return invalid("url", "must be an absolute https URL; http is for loopback hosts only")
	case in.Version != "1":
		return invalid("version", "must be 1")
	}
	for i, event := range in.Events {
		if !slices.Contains(liveEventNames, event) {
			return invalid(fmt.Sprintf("events[%d]", i), "is no event")
		}
	}
	for i, id := range in.AppIDs {
		if _, ok := c.state.brands.get(id); !ok {
			return invalid(fmt.Sprintf("app_ids[%d]", i), "is no app")
		}
	}
	return nil
}

// probe asks a URL whether it is there, as the live service does before it
// delivers anything.
func (c *courier) probe(address string) error {
	if u, err := url.Parse(address); c.config.webhookTransport == nil && (err != nil || !isLoopback(u.Hostname())) {
		return errNotLoopback
	}
	ctx, cancel := context.WithTimeout(c.context, deliveryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the status was %d", response.StatusCode)
	}
	return nil
}

const liveKeyBits = 2048

func (c *call) newKey() liveKey {
	private, err := rsa.GenerateKey(rand.Reader, liveKeyBits)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: %v", err)) // There is no randomness left in the world.
	}
	return liveKey{c.state.newID("key"), private, c.now}
}

func generateKey(c *call) (*reply, error) {
	webhook, err := c.webhook()
	if err != nil {
		return nil, err
	}
	settings := c.state.liveSettings(webhook.ID)
	if len(settings.keys) == maxLiveKeys {
		return nil, invalid("keys", "are two already")
	}
	settings.keys = append(settings.keys, c.newKey())
	return c.one("webhook", c.state.liveWebhook(webhook))
}

func deleteKey(c *call) (*reply, error) {
	webhook, err := c.webhook()
	if err != nil {
		return nil, err
	}
	settings, id := c.state.liveSettings(webhook.ID), c.path("key")
	kept := slices.DeleteFunc(slices.Clone(settings.keys), func(key liveKey) bool { return key.id == id })
	if len(kept) == len(settings.keys) {
		return nil, notFound("key", id)
	}
	settings.keys = kept
	return deleted()
}

// liveExecution is a delivery that was given up.
type liveExecution struct {
	ID           string            `json:"id"`
	WebhookID    string            `json:"webhook_id"`
	Event        salesiq.EventName `json:"event"`
	Entity       string            `json:"entity"`
	EntityID     string            `json:"entity_id"`
	RemoteStatus int               `json:"remote_server_status"`
	Retries      int               `json:"number_of_retries"`
	Payload      json.RawMessage   `json:"payload"`
	LastTried    string            `json:"last_execution_time"`

	event *liveEvent
}

// failedExecutions are the events that were given up, and not retried since.
func (s *state) failedExecutions(webhookID string) []liveExecution {
	s.courier.mu.Lock()
	defer s.courier.mu.Unlock()
	failed := []liveExecution{}
	for i := range s.courier.log {
		delivery := &s.courier.log[i]
		if delivery.WebhookID != webhookID || delivery.Attempt < deliveryAttempts || delivery.succeeded() || delivery.live == nil {
			continue
		}
		if id := delivery.live.id + "-" + strconv.FormatInt(delivery.At.UnixNano(), 36); !s.live.retried[id] {
			failed = append(failed, liveExecution{
				ID: id, WebhookID: webhookID, Event: delivery.Event,
				Entity: delivery.live.EntityType, EntityID: delivery.live.EntityID,
				RemoteStatus: delivery.Status, Retries: delivery.Attempt - 1, Payload: delivery.live.Entity, LastTried: millis(delivery.At),
				event: delivery.live,
			})
		}
	}
	return failed
}

func listExecutions(c *call) (*reply, error) {
	if _, err := c.webhook(); err != nil {
		return nil, err
	}
	p := params{query: c.query}
	page, limit := p.number("pageno", 1, 1, 1_000_000_000), p.number("limit", 50, 5, 50)
	if p.err != nil {
		return nil, p.err
	}
	return window(c, c.state.failedExecutions(c.id), (page-1)*limit, limit, false)
}

// retryExecutions delivers once more what was given up.
func retryExecutions(c *call) (*reply, error) {
	webhook, err := c.webhook()
	if err != nil {
		return nil, err
	}
	ids, err := c.ids()
	if err != nil {
		return nil, err
	}
	failed := c.state.failedExecutions(c.id)
	for i, id := range ids {
		at := slices.IndexFunc(failed, func(e liveExecution) bool { return e.ID == id })
		if at < 0 {
			return nil, invalid(fmt.Sprintf("ids[%d]", i), "is no failed execution")
		}
		c.state.live.retried[id] = true
		c.state.courier.take(parcel{webhook: *webhook, event: failed[at].Event, live: failed[at].event})
	}
	return c.one("webhook", map[string][]string{"skipped": {}})
}
