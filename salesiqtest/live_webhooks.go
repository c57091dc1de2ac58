package salesiqtest

import (
	"cmp"
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

// vendorEvents are the vendor's names for the events of the default data's webhook.
var vendorEvents = map[salesiq.EventName]salesiq.EventName{
	salesiq.EventChatEnded: "conversation.completed", salesiq.EventChatRated: "conversation.rated",
}

// eventsOfDialect names events as the dialect does that the server speaks.
func (s *state) eventsOfDialect(events []salesiq.EventName) []salesiq.EventName {
	named := slices.Clone(events)
	for i, event := range named {
		if vendors, ok := vendorEvents[event]; ok && !slices.Contains(s.events, event) {
			named[i] = vendors
		}
	}
	return named
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
	return probe(c.context, client, address)
}

func probe(ctx context.Context, client *http.Client, address string) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
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

// failedExecutions are the events that were given up, and neither retried nor
// deleted since, as long as they are kept.
func (s *state) failedExecutions(webhookID string) (failed []Delivery) {
	kept := span{from: s.now.Add(-s.settingsOf(webhookID).expiry)}
	for _, delivery := range s.courier.deliveries() {
		_, ok := delivery.message.(*liveEvent)
		if ok && delivery.WebhookID == webhookID && delivery.Attempt == deliveryAttempts && !delivery.succeeded() &&
			kept.holds(delivery.At) && !s.retried[executionID(&delivery)] {
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
	if _, err := c.webhooks.find(c.id); err != nil {
		return nil, err
	}
	if oneOf(&c.query, "mode", []string{"meta"}) == "meta" {
		return c.countExecutions(), nil
	}
	page := c.query.number("pageno", 1, 1, endlessly)
	limit := c.query.number("limit", liveMaxExecutionPage, 5, liveMaxExecutionPage)
	tried := span{c.query.milli("from_time"), c.query.milli("to_time")}
	events := strings.Split(c.query.text("events"), ",")
	var executions []object
	for _, delivery := range c.failedExecutions(c.id) {
		if !tried.holds(delivery.At) || events[0] != "" && !slices.Contains(events, string(delivery.Event)) {
			continue
		}
		event, _ := delivery.message.(*liveEvent)
		executions = append(executions, object{
			"id": executionID(&delivery), "webhook_id": c.id, "event": delivery.Event, "entity": event.EntityType,
			"entity_id": event.EntityID, "app_id": event.AppID, "remote_server_status": delivery.Status,
			"number_of_retries": delivery.Attempt - 1 + c.retries[event.id], "payload": event.payload, "last_execution_time": millis(delivery.At),
		})
	}
	return window(c, executions, (page-1)*limit, limit, nil)
}

func (c *call) countExecutions() *reply {
	byApp := map[string]int{}
	failed := c.failedExecutions(c.id)
	for _, delivery := range failed {
		event, _ := delivery.message.(*liveEvent)
		byApp[event.AppID]++
	}
	return c.summary(len(failed), byApp)
}

// summary counts things in all and by app.
func (c *call) summary(all int, byApp map[string]int) *reply {
	apps := object{}
	for app, count := range byApp {
		apps[app] = strconv.Itoa(count)
	}
	data := object{"all": strconv.Itoa(all), "app_based": apps}
	return &reply{http.StatusOK, object{"url": c.url, "object": "summary", "data": data}}
}

// executions finds failed executions by their ids.
func (s *state) executions(webhookID string, ids []string) ([]Delivery, error) {
	if _, err := s.webhooks.find(webhookID); err != nil {
		return nil, err
	}
	var found []Delivery
	failed := s.failedExecutions(webhookID)
	for i, id := range ids {
		at := slices.IndexFunc(failed, func(d Delivery) bool { return executionID(&d) == id })
		if at < 0 {
			return nil, invalid(element("ids", i), "is not the id of a failed execution")
		}
		found = append(found, failed[at])
	}
	return found, nil
}

// maxRetries is how often an event can be retried, maxExecutions how many at once.
const (
	maxRetries    = 99
	maxExecutions = 300
)

// retryExecutions delivers once more what was given up, but for what has been
// retried too often.
func retryExecutions(c *call) (any, error) {
	ids := []string{c.path("execution")}
	if ids[0] == "" {
		var err error
		if ids, err = c.idsOfBody(); err != nil {
			return nil, err
		}
	}
	failed, err := c.executions(c.id, ids)
	if err != nil {
		return nil, err
	}
	webhook, _ := c.webhooks.get(c.id)
	skipped := []string{}
	for i, delivery := range failed {
		event, _ := delivery.message.(*liveEvent)
		if c.retries[event.id] == maxRetries {
			skipped = append(skipped, ids[i])
			continue
		}
		c.retries[event.id]++
		c.retried[ids[i]] = true
		c.courier.enqueue(&parcel{webhook: *webhook, event: delivery.Event, message: delivery.message})
	}
	return object{"skipped": skipped}, nil
}

// deleteExecutions forgets what was given up. The ids are a parameter in the page's
// text, and the body in its sample.
func deleteExecutions(c *call) (any, error) {
	ids, err := c.idsOfQuery()
	if len(c.body) > 0 {
		ids, err = c.idsOfBody()
	}
	if err == nil && len(ids) > maxExecutions {
		err = invalid("ids", "must be at most 300")
	}
	if err != nil {
		return nil, err
	}
	if _, err := c.executions(c.id, ids); err != nil {
		return nil, aboutQuery(len(c.body) == 0, err)
	}
	for _, id := range ids {
		c.retried[id] = true
	}
	return nil, nil
}

// listLiveWebhooks answers with those of one type, or counts them.
func listLiveWebhooks(c *call) (any, error) {
	p := &c.query
	if oneOf(p, "mode", []string{"meta"}) == "meta" {
		byApp := map[string]int{}
		for webhook := range c.webhooks.all() {
			for _, app := range c.settingsOf(webhook.ID).apps {
				byApp[app]++
			}
		}
		return c.summary(len(c.webhooks.order), byApp), nil
	}
	kind := oneOf(p, "type", []string{"data", "administration"}) // The page calls it mandatory, and leaves it out in its example.
	apps := strings.Split(p.text("app_ids"), ",")
	if apps[0] != "" && kind == "administration" {
		p.fail("app_ids", "is for the type data only")
	}
	items := c.webhooks.matching(func(webhook *salesiq.Webhook) bool {
		settings := c.settingsOf(webhook.ID)
		return passes(kind, settings.kind) && (apps[0] == "" || slices.ContainsFunc(apps, func(app string) bool { return slices.Contains(settings.apps, app) }))
	})
	by := cmp.Or(oneOf(p, "sort_by", []string{"+created_time", "-created_time", "+modified_time", "-modified_time"}), "+modified_time")
	slices.SortStableFunc(items, func(a, b *salesiq.Webhook) int {
		one, other := c.settingsOf(a.ID), c.settingsOf(b.ID)
		order := one.modified.Compare(other.modified)
		if strings.HasSuffix(by, "created_time") {
			order = one.created.Compare(other.created)
		}
		if by[0] == '-' {
			return -order
		}
		return order
	})
	return window(c, items, 0, len(items), nil)
}

// changeEvents adds to the events of a webhook, or takes from them. Where it adds,
// the page calls the events of the answer ids.
func changeEvents(adds bool) handler {
	return changeList(adds, func(c *call, webhook *salesiq.Webhook, ids []string) (any, error) {
		events := slices.Clone(webhook.Events)
		for _, id := range ids {
			events = slices.DeleteFunc(events, func(event salesiq.EventName) bool { return string(event) == id })
			if adds {
				events = append(events, salesiq.EventName(id))
			}
		}
		changed := *webhook
		changed.Events = events
		if err := c.checkWebhook(&changed, allFields); err != nil {
			return nil, err
		}
		*webhook = changed
		shown := c.liveWebhook(webhook)
		delete(shown, "events")
		return shown.with("ids", events), nil
	})
}

// changeApps adds to the apps of a webhook, or takes from them.
func changeApps(adds bool) handler {
	return changeList(adds, func(c *call, webhook *salesiq.Webhook, ids []string) (any, error) {
		settings := c.settingsOf(webhook.ID)
		apps := slices.Clone(settings.apps)
		for i, id := range ids {
			if _, err := theApps.check(c.state, element("ids", i), id); err != nil {
				return nil, err
			}
			apps = slices.DeleteFunc(apps, func(app string) bool { return app == id })
			if adds {
				apps = append(apps, id)
			}
		}
		settings.apps = apps
		return webhook, nil
	})
}

// changeList finds the webhook and the ids of a call.
func changeList(adds bool, change func(c *call, webhook *salesiq.Webhook, ids []string) (any, error)) handler {
	return func(c *call) (any, error) {
		webhook, err := c.webhooks.find(c.id)
		if err != nil {
			return nil, err
		}
		ids, err := c.idsOfQuery()
		if adds {
			ids, err = c.idsOfBody()
		}
		if err != nil {
			return nil, err
		}
		result, err := change(c, webhook, ids)
		if err != nil {
			return nil, aboutQuery(!adds, err)
		}
		c.settingsOf(webhook.ID).modified = c.now
		return result, nil
	}
}
