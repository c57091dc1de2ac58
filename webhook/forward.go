package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
)

// mostOfAnswer is how much of another service's answer is read, in bytes.
const mostOfAnswer = 4 << 10

// Forward registers a handler that tells another service of events of one type, such as
// a Slack channel by its incoming webhook: it posts what message makes of an event, as
// JSON. Where message returns nil, nothing is posted:
//
//	webhook.Forward(receiver, slackURL, func(e *webhook.ChatRated) any {
//		if e.Rating > 2 {
//			return nil
//		}
//		return map[string]any{"text": fmt.Sprintf("Chat %s was rated %d", e.ChatID, e.Rating)}
//	})
//
// The address is a secret, since whoever knows it can post: no error holds it. What
// visitors have written may be markup to the other service, which message escapes.
//
// An answer with another status than 2xx is an error of the handler, so that the event is
// tried again: by the [Sink] that it waits in, or when it is delivered again. With [Once],
// a message that was taken is not posted again when another handler fails. One whose
// answer is lost is posted again. The header Idempotency-Key has the id of the event, for
// a service that knows such keys. Slack does not.
//
// Errors: an [salesiq.InputError] that names the type of the events, for an address that
// is no absolute URL, and for no message; those of [On].
func Forward[E EventType](receiver *Receiver, address salesiq.Secret, message func(event *E) any, opts ...HandlerOption) error {
	of := "for " + reflect.TypeFor[E]().Name()
	target, err := url.Parse(address.Reveal())
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return inputError("address", of+" must be an absolute URL that begins with https:// or http://")
	}
	if message == nil {
		return inputError("message", of+" must not be nil")
	}
	return On(receiver, func(ctx context.Context, event *E) error {
		content := message(event)
		if content == nil {
			return nil
		}
		id := any(event).(Event).Info().EventID //nolint:forcetypeassert // All types of EventType are events.
		if err := post(ctx, address, id, content); err != nil {
			return fmt.Errorf("forward: %w", err)
		}
		return nil
	}, opts...)
}

// post sends content as JSON. A redirect is not followed: it would lead elsewhere.
func post(ctx context.Context, address salesiq.Secret, id string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.Reveal(), bytes.NewReader(body))
	if err != nil {
		return redact.StripURL(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if id != "" {
		request.Header.Set("Idempotency-Key", id)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return redact.StripURL(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, mostOfAnswer)) //nolint:errcheck // The status says whether it was taken.
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return nil
	}
	hidden := redact.Secrets{Values: []string{strings.Trim(request.URL.EscapedPath(), "/"), request.URL.RawQuery}}
	return fmt.Errorf("HTTP %d: %q", response.StatusCode, redact.Summary(hidden.InText(string(answer))))
}
