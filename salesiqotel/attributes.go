package salesiqotel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// What the semantic conventions have no name for.
const (
	operationName   = attribute.Key("salesiq.operation")
	errorCode       = attribute.Key("salesiq.error.code")
	attempts        = attribute.Key("salesiq.attempts")
	fromCache       = attribute.Key("salesiq.cached")
	duration        = attribute.Key("salesiq.duration")
	waitReason      = attribute.Key("salesiq.wait.reason")
	quotaPeriod     = attribute.Key("salesiq.quota.period")
	tokenSource     = attribute.Key("salesiq.token.source")
	eventName       = attribute.Key("salesiq.event")
	deliveryOutcome = attribute.Key("salesiq.delivery.outcome")
	backlogName     = attribute.Key("salesiq.backlog.name")
)

// other stands for whatever is in no small set.
const other = "_OTHER"

type attributes = []attribute.KeyValue

// requestName is the name of the span of a request.
func requestName(call salesiq.CallTrace) string {
	name := method(call.Method)
	if name == other {
		name = "HTTP"
	}
	if call.Template == "" {
		return name
	}
	return name + " " + call.Template
}

// asked describes what is asked, and of whom.
func asked(call salesiq.CallTrace) attributes {
	all := append(server(call), semconv.HTTPRequestMethodKey.String(method(call.Method)))
	if call.Template != "" {
		all = append(all, semconv.URLTemplate(call.Template))
	}
	return all
}

// server is the service's address.
func server(call salesiq.CallTrace) attributes {
	host, text, _ := net.SplitHostPort(call.Host) //nolint:errcheck // The client has put it together.
	port, _ := strconv.Atoi(text)                 //nolint:errcheck // As above.
	return attributes{semconv.ServerAddress(host), semconv.ServerPort(port)}
}

// method keeps to those that the conventions know.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect, "QUERY":
		return name
	}
	return other
}

// methodOriginal tells a method that the conventions do not know, if it looks like
// the name of one.
func methodOriginal(name string) attributes {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if method(name) != other || len(name) > 20 || strings.Trim(name, letters) != "" {
		return nil
	}
	return attributes{semconv.HTTPRequestMethodOriginal(name)}
}

// answered is what came of a request, and over which version of HTTP.
func answered(result salesiq.AttemptTrace) attributes {
	all := outcome(result.StatusCode, result.Err)
	if version, ok := strings.CutPrefix(result.Protocol, "HTTP/"); ok {
		all = append(all, semconv.NetworkProtocolVersion(strings.TrimSuffix(version, ".0")))
	}
	return all
}

func operation(call salesiq.CallTrace) attributes {
	return attributes{operationName.String(call.Operation)}
}

// outcome is what came of a request.
func outcome(status int, err error) attributes {
	if status == 0 {
		return failure(status, err)
	}
	return append(failure(status, err), semconv.HTTPResponseStatusCode(status))
}

func failure(status int, err error) attributes {
	if err == nil {
		return nil
	}
	return attributes{semconv.ErrorTypeKey.String(errorType(status, err))}
}

func resends(n int) attributes {
	if n < 1 {
		return nil
	}
	return attributes{semconv.HTTPRequestResendCount(n)}
}

func cached(result salesiq.CallTrace) attributes {
	if result.Attempts > 0 || result.Err != nil {
		return nil
	}
	return attributes{fromCache.Bool(true)}
}

func serviceCode(err error) attributes {
	if code := knownCode(err); code != "" {
		return attributes{errorCode.String(code)}
	}
	return nil
}

// errorTypes are the names of failures without an answer, the more telling ones
// first: an error may match several.
var errorTypes = []struct {
	err  error
	name string
}{
	{salesiq.ErrDailyLimit, "daily_limit"},
	{salesiq.ErrRateLimitExceeded, "rate_limit"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{salesiq.ErrAuth, "auth"},
	{salesiq.ErrRedirect, "redirect"},
	{salesiq.ErrTooLarge, "too_large"},
	{salesiq.ErrDecode, "decode"},
	{salesiq.ErrTransport, "transport"},
}

func errorType(status int, err error) string {
	if status >= http.StatusBadRequest {
		return strconv.Itoa(status)
	}
	if code := knownCode(err); status != 0 && code != "" {
		return code
	}
	for _, known := range errorTypes {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return other
}

// knownCodes are the codes that are few enough to be values. The service may
// make up others.
var knownCodes = []salesiq.ErrorCode{
	salesiq.ErrInvalidToken, salesiq.ErrInvalidOAuthScope, salesiq.ErrInvalidRequest, salesiq.ErrRequiredFieldMissing,
	salesiq.ErrResourceNotFound, salesiq.ErrDuplicateResource, salesiq.ErrRateLimitExceeded, salesiq.ErrInternalError,
	salesiq.ErrPermissionDenied, salesiq.ErrInvalidVisitorID, salesiq.ErrChatNotActive, salesiq.ErrOperatorOffline,
	salesiq.ErrInvalidDepartment, salesiq.ErrPlanLimit,
}

func knownCode(err error) string {
	e, ok := errors.AsType[*salesiq.Error](err)
	if !ok || !slices.Contains(knownCodes, e.Code) {
		return ""
	}
	return string(e.Code)
}

// delivered describes a delivery.
func delivered(result webhook.DeliveryResult) attributes {
	all := attributes{semconv.HTTPResponseStatusCode(result.StatusCode)}
	if result.Event == nil {
		return append(all, deliveryOutcome.String("refused"))
	}
	return append(all, eventName.String(knownEvent(result.Event)), deliveryOutcome.String(deliveryWord(result)))
}

// knownEvent is the name of an event, unless the service has made it up.
func knownEvent(event webhook.Event) string {
	if _, unknown := event.(*webhook.UnknownEvent); unknown {
		return other
	}
	return string(event.Info().EventName)
}

func deliveryWord(result webhook.DeliveryResult) string {
	switch {
	case result.Duplicate:
		return "duplicate"
	case result.Err != nil || result.StatusCode >= http.StatusBadRequest:
		return "failed"
	}
	return "handled"
}
