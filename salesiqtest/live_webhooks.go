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
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// liveWebhook is a webhook as the live service writes one.
func (s *state) liveWebhook(webhook *salesiq.Webhook) object {
	settings, owner := s.settingsOf(webhook.ID), object{"id": accountOwner}
	status, keys := "disabled", []object{}
	if webhook.Enabled {
		status = "enabled"
	}
	for _, key := range settings.keys {
		keys = append(keys, object{
			"id": key.id, "key": publicKeyText(&key.private.PublicKey), "creator": owner, "created_time": millis(key.created),
		})
	}
	return object{
		"id": webhook.ID, "url": webhook.URL, "type": settings.kind, "events": webhook.Events,
		"app_ids": append([]string{}, settings.apps...), "secured": settings.secured,
		"version": 1, "status": status, "public_keys": keys,
		"failures_count":                  strconv.Itoa(len(s.failedExecutions(webhook.ID))),
		"expiry_time_for_executions_data": strconv.FormatInt(settings.expiry.Milliseconds(), 10),
		"creator":                         owner, "modifier": owner,
		"created_time": millis(settings.created), "modified_time": millis(settings.modified),
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

// webhookInput is what webhooks are made of. The vendor's pages write a version 1
// and "1", a flag true and "true", so that what was read can be sent back.
type webhookInput struct {
	Type    string              `json:"type"`
	URL     string              `json:"url"`
	Events  []salesiq.EventName `json:"events"`
	AppIDs  []string            `json:"app_ids"`
	Secured json.RawMessage     `json:"secured"`
	Version json.RawMessage     `json:"version"`
	Expiry  json.RawMessage     `json:"expiry_time_for_executions_data"`
}

// unquoted is a scalar without the quotes that it may come in.
func unquoted(value json.RawMessage) string { return strings.Trim(string(value), `"`) }

func createLiveWebhook(c *call) (any, error) {
	made := newWebhook()
	made.Name = c.newID("live") // The live service has no names.
	settings := &webhookSettings{created: c.now, expiry: maxExpiry}
	if err := c.changeWebhook(&made, settings); err != nil {
		return nil, err
	}
	webhook, err := c.webhooks.add(c.state, made)
	if err != nil {
		return nil, err
	}
	c.settings[webhook.ID] = settings
	return webhook, nil
}

func updateLiveWebhook(c *call) (any, error) {
	webhook, err := c.webhooks.find(c.id)
	if err != nil {
		return nil, err
	}
	changed, settings := *webhook, *c.settingsOf(webhook.ID)
	if err := c.changeWebhook(&changed, &settings); err != nil {
		return nil, err
	}
	*webhook, c.settings[webhook.ID] = changed, &settings
	return webhook, nil
}

// changeWebhook takes over what a body says about a webhook, checks it, and probes the
// URL.
func (c *call) changeWebhook(webhook *salesiq.Webhook, settings *webhookSettings) error {
	in := webhookInput{
		Type: settings.kind, URL: webhook.URL, Events: webhook.Events, AppIDs: settings.apps,
		Secured: fmt.Append(nil, settings.secured), Version: json.RawMessage("1"), Expiry: fmt.Append(nil, settings.expiry.Milliseconds()),
	}
	if err := patch(&in, c.body); err != nil {
		return err
	}
	expiry, err := strconv.ParseInt(unquoted(in.Expiry), 10, 64)
	keeps := time.Duration(expiry) * time.Millisecond
	switch {
	case in.Type != "data" && in.Type != "administration":
		return invalid("type", "must be data or administration")
	case unquoted(in.Version) != "1":
		return invalid("version", "must be 1")
	case !slices.Contains([]string{"true", "false"}, unquoted(in.Secured)):
		return invalid("secured", "must be true or false")
	case err != nil || keeps < minExpiry || keeps > maxExpiry:
		return invalid("expiry_time_for_executions_data", "must be milliseconds, a week to 60 days of them")
	}
	for i, id := range in.AppIDs {
		if _, ok := c.brands.get(id); !ok {
			return invalid(element("app_ids", i), "is not the id of an app")
		}
	}
	webhook.URL, webhook.Events = in.URL, in.Events
	if err := c.checkWebhook(webhook, allFields); err != nil {
		return err
	}
	if err := c.courier.probe(in.URL); err != nil {
		return invalid("url", "must answer a HEAD request with 200: "+err.Error())
	}
	settings.kind, settings.apps, settings.expiry, settings.modified = in.Type, in.AppIDs, keeps, c.now
	settings.secured = unquoted(in.Secured) == "true"
	if settings.secured && len(settings.keys) == 0 {
		settings.keys = []signingKey{settings.newKey(c.now)}
	}
	return nil
}

// probe asks a URL whether it is there, as the live service does before it
// delivers anything.
func (c *courier) probe(address string) error {
	client, err := c.clientFor(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.context, deliveryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the status was %d", response.StatusCode)
	}
	return nil
}

func deleteKey(c *call) (any, error) { return nil, c.removeKey(c.id, c.path("key")) }

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

func listExecutions(c *call) (any, error) {
	page := c.query.number("pageno", 1, 1, endlessly)
	limit := c.query.number("limit", liveMaxExecutionPage, 5, liveMaxExecutionPage)
	if _, err := c.webhooks.find(c.id); err != nil {
		return nil, err
	}
	var executions []object
	for _, delivery := range c.failedExecutions(c.id) {
		event, _ := delivery.message.(*liveEvent)
		executions = append(executions, object{
			"id": executionID(&delivery), "webhook_id": c.id, "event": delivery.Event, "entity": event.EntityType,
			"entity_id": event.EntityID, "app_id": event.AppID, "remote_server_status": delivery.Status,
			"number_of_retries": delivery.Attempt - 1, "payload": event.payload, "last_execution_time": millis(delivery.At),
		})
	}
	return window(c, executions, (page-1)*limit, limit, nil)
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
			return nil, invalid(element("ids", i), "is not the id of a failed execution")
		}
		s.retried[id] = true
		s.courier.enqueue(&parcel{webhook: *webhook, event: failed[at].Event, message: failed[at].message})
	}
	return object{"skipped": []string{}}, nil
}
