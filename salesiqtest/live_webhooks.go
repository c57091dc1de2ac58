package salesiqtest

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/salesiq-go/salesiq"
)

// liveWebhook is a webhook as the live service writes one.
func (s *state) liveWebhook(webhook *salesiq.Webhook) object {
	settings := s.settingsOf(webhook.ID)
	status, keys := "disabled", []object{}
	if webhook.Enabled {
		status = "enabled"
	}
	for _, key := range settings.keys {
		keys = append(keys, object{"id": key.id, "key": publicKeyText(&key.private.PublicKey), "created_time": millis(key.created)})
	}
	return object{
		"id": webhook.ID, "url": webhook.URL, "type": settings.kind, "events": webhook.Events,
		"app_ids": append([]string{}, settings.apps...), "secured": settings.secured,
		"version": json.RawMessage(settings.version), "status": status, "public_keys": keys,
		"failures_count":                  strconv.Itoa(len(s.failedExecutions(webhook.ID))),
		"expiry_time_for_executions_data": "5184000000", "created_time": millis(settings.created),
	}
}

// publicKeyText writes a key as bare base64.
func publicKeyText(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: %v", err)) // It is a key of ours.
	}
	return base64.StdEncoding.EncodeToString(der)
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
	made := newWebhook()
	made.Name = c.newID("live") // The live service has no names.
	settings := &webhookSettings{version: "1", created: c.now}
	if err := c.fill(&made, settings); err != nil {
		return nil, err
	}
	webhook, err := c.webhooks.add(c.state, made)
	if err != nil {
		return nil, err
	}
	c.settings[webhook.ID] = settings
	return c.liveReply("webhook", c.liveWebhook(webhook), nil)
}

func updateLiveWebhook(c *call) (*reply, error) {
	webhook, err := c.webhooks.find(c.id)
	if err != nil {
		return nil, err
	}
	changed, settings := *webhook, *c.settingsOf(webhook.ID)
	if err := c.fill(&changed, &settings); err != nil {
		return nil, err
	}
	*webhook, c.settings[webhook.ID] = changed, &settings
	return c.liveReply("webhook", c.liveWebhook(webhook), nil)
}

// fill takes over what a body says about a webhook, checks it, and probes the
// URL.
func (c *call) fill(webhook *salesiq.Webhook, settings *webhookSettings) error {
	in := webhookInput{settings.kind, webhook.URL, webhook.Events, settings.apps, settings.secured, settings.version}
	if err := patch(&in, c.body); err != nil {
		return err
	}
	switch {
	case in.Type != "data" && in.Type != "administration":
		return invalid("type", "must be data or administration")
	case in.Version != "1":
		return invalid("version", "must be 1")
	}
	for i, id := range in.AppIDs {
		if _, ok := c.brands.get(id); !ok {
			return invalid(element("app_ids", i), "is no app")
		}
	}
	webhook.URL, webhook.Events = in.URL, in.Events
	if err := c.checkWebhook(webhook, func(string) bool { return true }); err != nil {
		return err
	}
	if err := c.courier.probe(in.URL); err != nil {
		return invalid("url", "must answer a HEAD request with 200: "+err.Error())
	}
	settings.kind, settings.apps, settings.secured, settings.version = in.Type, in.AppIDs, in.Secured, in.Version
	if settings.secured && len(settings.keys) == 0 {
		settings.keys = []signingKey{c.newKey()}
	}
	return nil
}

// probe asks a URL whether it is there, as the live service does before it
// delivers anything.
func (c *courier) probe(address string) error {
	if !c.reaches(address) {
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

func generateKey(c *call) (*reply, error) {
	webhook, err := c.addKey(c.id)
	if err != nil {
		return nil, err
	}
	return c.liveReply("webhook", c.liveWebhook(webhook), nil)
}

func deleteKey(c *call) (*reply, error) {
	return c.liveReply("", nil, c.removeKey(c.id, c.path("key")))
}

// failedExecutions are the events that were given up, and not retried since.
func (s *state) failedExecutions(webhookID string) (failed []Delivery) {
	for _, delivery := range s.courier.deliveries() {
		_, ok := delivery.message.(*liveEvent)
		if ok && delivery.WebhookID == webhookID && delivery.Attempt == deliveryAttempts && !delivery.succeeded() && !s.retried[executionID(&delivery)] {
			failed = append(failed, delivery)
		}
	}
	return failed
}

// executionID tells a delivery from the later ones of its event.
func executionID(delivery *Delivery) string {
	event, _ := delivery.message.(*liveEvent)
	return event.id + "-" + strconv.FormatInt(delivery.At.UnixNano(), 36)
}

func listExecutions(c *call) (*reply, error) {
	page, limit := c.query.number("pageno", 1, 1, endlessly), c.query.number("limit", 50, 5, 50)
	_, err := c.webhooks.find(c.id)
	var executions []object
	for _, delivery := range c.failedExecutions(c.id) {
		event, _ := delivery.message.(*liveEvent)
		executions = append(executions, object{
			"id": executionID(&delivery), "webhook_id": c.id, "event": delivery.Event, "entity": event.EntityType,
			"entity_id": event.EntityID, "remote_server_status": delivery.Status, "number_of_retries": delivery.Attempt - 1,
			"payload": event.Entity, "last_execution_time": millis(delivery.At),
		})
	}
	return c.liveWindow(executions, (page-1)*limit, limit, nil, err)
}

// retryExecutions delivers once more what was given up.
func (s *state) retryExecutions(webhookID string, in idList) (any, error) {
	webhook, err := s.webhooks.find(webhookID)
	if err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 {
		return nil, missing("ids")
	}
	failed := s.failedExecutions(webhookID)
	for i, id := range in.IDs {
		at := slices.IndexFunc(failed, func(d Delivery) bool { return executionID(&d) == id })
		if at < 0 {
			return nil, invalid(element("ids", i), "is no failed execution")
		}
		s.retried[id] = true
		s.courier.take(&parcel{webhook: *webhook, event: failed[at].Event, message: failed[at].message})
	}
	return object{"skipped": []string{}}, nil
}
