package salesiqtest

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
)

var eventNames = []salesiq.EventName{
	salesiq.EventChatStarted, salesiq.EventChatEnded, salesiq.EventChatMissed, salesiq.EventChatRating,
	salesiq.EventMessageReceived, salesiq.EventVisitorIdentified, salesiq.EventVisitorOnline,
	salesiq.EventVisitorOffline, salesiq.EventOperatorStatusChanged, salesiq.EventLeadCreated,
	salesiq.EventTriggerExecuted,
}

// withoutSecret is a webhook as it may be shown.
func withoutSecret(webhook salesiq.Webhook) salesiq.Webhook {
	webhook.Secret = salesiq.NewSecret("")
	return webhook
}

func listWebhooks(c *call) (*reply, error) {
	var shown table[salesiq.Webhook]
	for webhook := range c.state.webhooks.all() {
		copied := withoutSecret(*webhook)
		shown.put(copied.ID, &copied)
	}
	return list(c, &shown, nil)
}

func createWebhook(c *call) (*reply, error) {
	webhook := salesiq.Webhook{Enabled: true}
	if err := patch(&webhook, c.body, "id"); err != nil {
		return nil, err
	}
	if err := c.checkWebhook(&webhook); err != nil {
		return nil, err
	}
	webhook.ID = c.state.newID("webhook")
	c.state.webhooks.put(webhook.ID, &webhook)
	return created(withoutSecret(webhook))
}

func updateWebhook(c *call) (*reply, error) {
	webhook, ok := c.state.webhooks.get(c.id)
	if !ok {
		return nil, notFound("webhook", c.id)
	}
	changed := *webhook
	if err := patch(&changed, c.body, "id"); err != nil {
		return nil, err
	}
	if err := c.checkWebhook(&changed); err != nil {
		return nil, err
	}
	*webhook = changed
	return found(withoutSecret(changed))
}

func deleteWebhook(c *call) (*reply, error) {
	if !c.state.webhooks.remove(c.id) {
		return nil, notFound("webhook", c.id)
	}
	return deleted()
}

func (c *call) checkWebhook(webhook *salesiq.Webhook) error {
	requirements := []requirement{
		{"name", webhook.Name == "", ""},
		{"url", webhook.URL == "", ""},
		{"events", len(webhook.Events) == 0, ""},
		{"url", !deliverable(webhook.URL), "must be an absolute https URL; http is for loopback hosts only"},
	}
	for i, event := range webhook.Events {
		requirements = append(requirements, requirement{
			fmt.Sprintf("events[%d]", i), !slices.Contains(eventNames, event), "must be one of " + join(eventNames),
		})
	}
	if err := c.check(requirements...); err != nil {
		return err
	}
	_, taken := c.state.webhooks.find(func(other *salesiq.Webhook) bool {
		return other.ID != webhook.ID && other.URL == webhook.URL && other.Name == webhook.Name
	})
	if taken && (c.sets("name") || c.sets("url")) {
		return duplicate("webhook", "url")
	}
	return nil
}

// deliverable tells whether events can be sent to an address.
func deliverable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
