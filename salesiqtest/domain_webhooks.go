package salesiqtest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

// newWebhook is a webhook that is on.
func newWebhook() salesiq.Webhook { return salesiq.Webhook{Enabled: true} }

func (s *state) checkWebhook(webhook *salesiq.Webhook, sets func(string) bool) error {
	requirements := []requirement{
		{"name", webhook.Name == "", ""},
		{"url", webhook.URL == "", ""},
		{"events", len(webhook.Events) == 0, ""},
		{"url", !deliverable(webhook.URL), "must be an absolute https URL; http is for loopback hosts only"},
	}
	for i, event := range webhook.Events {
		requirements = append(requirements, isOneOf(element("events", i), event, s.events))
	}
	if err := check(sets, requirements...); err != nil {
		return err
	}
	_, taken := s.webhooks.first(func(other *salesiq.Webhook) bool {
		return other.ID != webhook.ID && other.URL == webhook.URL && other.Name == webhook.Name
	})
	if taken && (sets("name") || sets("url")) {
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
	return u.Scheme == "https" || u.Scheme == "http" && input.IsLoopback(u.Hostname())
}

// webhookSettings is what a webhook has beyond the specification.
type webhookSettings struct {
	kind     string // What its events are about: data or administration.
	apps     []string
	secured  bool
	expiry   time.Duration // How long deliveries that failed are kept.
	created  time.Time
	modified time.Time
	keys     []signingKey // Oldest first; that one is in use.
}

// signingKey signs what a webhook delivers.
type signingKey struct {
	id      string
	private *rsa.PrivateKey
	created time.Time
}

const (
	maxSigningKeys = 2
	signingKeyBits = 2048
	minExpiry      = 7 * 24 * time.Hour
	maxExpiry      = 60 * 24 * time.Hour
)

// settingsOf returns the settings of a webhook, or those that it begins with.
func (s *state) settingsOf(webhookID string) *webhookSettings {
	if s.settings[webhookID] == nil {
		s.settings[webhookID] = &webhookSettings{kind: "data", expiry: maxExpiry, created: s.now, modified: s.now}
	}
	return s.settings[webhookID]
}

// newKey makes a key whose id is the time at which it is made, or the next free one.
func (s *webhookSettings) newKey(now time.Time) signingKey {
	private, err := rsa.GenerateKey(rand.Reader, signingKeyBits)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: %v", err)) // There is no randomness left in the world.
	}
	if last := len(s.keys) - 1; last >= 0 && !now.After(s.keys[last].created) {
		now = s.keys[last].created.Add(time.Millisecond)
	}
	return signingKey{millis(now), private, now}
}

// addKey gives a webhook one more key.
func (s *state) addKey(webhookID string) (*salesiq.Webhook, error) {
	webhook, err := s.webhooks.find(webhookID)
	if err != nil {
		return nil, err
	}
	settings := s.settingsOf(webhookID)
	if len(settings.keys) == maxSigningKeys {
		return nil, invalid("keys", "are two already")
	}
	settings.keys = append(settings.keys, settings.newKey(s.now))
	return webhook, nil
}

// removeKey takes a key from a webhook.
func (s *state) removeKey(webhookID, keyID string) error {
	if _, err := s.webhooks.find(webhookID); err != nil {
		return err
	}
	settings := s.settingsOf(webhookID)
	kept := slices.DeleteFunc(slices.Clone(settings.keys), func(key signingKey) bool { return key.id == keyID })
	if len(kept) == len(settings.keys) {
		return notFound("key", keyID)
	}
	settings.keys = kept
	return nil
}
