package salesiq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// ErrorCode is the service's own name for what went wrong. It is an error, so
// that it can be matched:
//
//	errors.Is(err, salesiq.ErrChatNotActive)
//
// The service may add others.
type ErrorCode string

// The error codes of the specification, "Common Error Codes".
const (
	ErrInvalidToken         ErrorCode = "INVALID_TOKEN"          // The access token is invalid or has expired.
	ErrInvalidOAuthScope    ErrorCode = "INVALID_OAUTH_SCOPE"    // The token lacks a scope.
	ErrInvalidRequest       ErrorCode = "INVALID_REQUEST"        // A parameter or the body is not understood.
	ErrRequiredFieldMissing ErrorCode = "REQUIRED_FIELD_MISSING" // A required field is not there.
	ErrResourceNotFound     ErrorCode = "RESOURCE_NOT_FOUND"     // Nothing has this id.
	ErrDuplicateResource    ErrorCode = "DUPLICATE_RESOURCE"     // Something like it exists.
	ErrRateLimitExceeded    ErrorCode = "RATE_LIMIT_EXCEEDED"    // Too many calls, or too many at once.
	ErrInternalError        ErrorCode = "INTERNAL_ERROR"         // The service failed.
	ErrPermissionDenied     ErrorCode = "PERMISSION_DENIED"      // The user may not do this.
	ErrInvalidVisitorID     ErrorCode = "INVALID_VISITOR_ID"     // The visitor id is not one.
	ErrChatNotActive        ErrorCode = "CHAT_NOT_ACTIVE"        // The chat is not active.
	ErrOperatorOffline      ErrorCode = "OPERATOR_OFFLINE"       // The operator is not there.
	ErrInvalidDepartment    ErrorCode = "INVALID_DEPARTMENT"     // No department has this id.
)

// Error returns the code.
func (c ErrorCode) Error() string { return string(c) }

// ErrPlanLimit means that the plan does not cover the call, or no more of its kind.
// Only the live service says so; the specification has no code for it.
const ErrPlanLimit ErrorCode = "PLAN_LIMIT"

// ErrMaybeProcessed means that the service may have carried the call out, although no
// answer says so, and that the call must not be repeated blindly. No [Error] has it as
// its Code, but errors match it, and it is a kind of [KindOf].
const ErrMaybeProcessed ErrorCode = "MAYBE_PROCESSED"

// What can go wrong apart from the service's own codes. Match with [errors.Is].
var (
	// ErrInvalidInput is the cause of every [InputError]. An [Error] matches it where
	// the live service does not know the portal, or the path.
	ErrInvalidInput = errors.New("invalid input")
	// ErrTransport means that no whole answer arrived: the connection failed, a
	// time limit passed, or the answer was cut.
	ErrTransport = transport.ErrTransport
	// ErrDecode means that an answer arrived and was not understood: a proxy's
	// HTML page, an empty body, JSON of the wrong type.
	ErrDecode = transport.ErrDecode
	// ErrAuth means that no access token could be had.
	ErrAuth = errors.New("no access token")
	// ErrWrongDataCenter means that the account lives in another data center
	// than the one the client uses.
	ErrWrongDataCenter = errors.New("wrong data center")
	// ErrRedirect means that the service answered with a redirect, which is not
	// followed, since it would take the token elsewhere. See [Download] for files.
	ErrRedirect = transport.ErrRedirect
	// ErrTooLarge means that an answer exceeded the limits of [WithMaxBody], or a file
	// that of its [Download].
	ErrTooLarge = transport.ErrTooLarge
	// ErrDailyLimit means that the day's calls of [WithPlan] are spent. It comes
	// with [ErrRateLimitExceeded].
	ErrDailyLimit = transport.ErrDailyLimit
	// ErrIncomplete means that a list ended with fewer items than the service had
	// told, or that some may have been skipped. What came before is good; see [Page].
	ErrIncomplete = errors.New("the list is incomplete")
)

// Error is what a call returns when it fails: everything that is known about
// the failure. It matches, with [errors.Is], the service's [ErrorCode], the
// sentinel errors above, and the context's error if that ended the call.
//
// It holds no credentials, and of the answer's body no more than a short
// excerpt of what was not understood.
type Error struct {
	Operation   string         // The method called, such as "Chats.SendMessage".
	Method      string         // Of the request.
	StatusCode  int            // Of the answer; 0 without one.
	Code        ErrorCode      // The service's own, if it gave one.
	Message     string         // The service's own, if it gave one.
	Details     map[string]any // The service's own, if it gave any.
	VendorCode  int            // The number that the live service has for it; 0 if it gave none.
	Key         string         // The field that the live service blames, such as operators[1].name.
	Param       string         // The parameter or header that the live service blames.
	ContentType string         // Of an answer that was not understood.
	Excerpt     string         // Its first bytes, on one line.
	RequestID   string         // The service's own, if it gave one.
	Attempts    int            // How often the request was sent, or tried to be.
	RateWindow  RateWindow     // As of the last answer.
	RetryAt     time.Time      // When to come back; zero if that is not known.

	// Remedy is what to change before the next call: the portal, the region, the
	// scopes. It is empty where nothing is known to help.
	Remedy string

	// MaybeProcessed is set when the call is one that must not be repeated
	// blindly and the service may have carried it out. Is reports it as
	// [ErrMaybeProcessed].
	MaybeProcessed bool

	// Err is the cause, where it is not an answer of the service.
	Err error `json:"-"`
}

// Error describes the failure in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("salesiq: ")
	b.WriteString(e.Operation)
	b.WriteString(": ")
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, "HTTP %d", e.StatusCode)
		if text := http.StatusText(e.StatusCode); e.Code == "" && text != "" {
			b.WriteString(" " + text)
		}
	}
	parts := []string{e.code(), e.Message}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	for _, part := range parts {
		if part = redact.Summary(part); part != "" {
			b.WriteString(separator(b.String()) + part)
		}
	}
	if e.Excerpt != "" {
		fmt.Fprintf(&b, " (%s: %q)", e.ContentType, e.Excerpt)
	}
	if e.MaybeProcessed {
		b.WriteString("; the service may have processed the call")
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (after %d attempts)", e.Attempts)
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	if !e.RetryAt.IsZero() && !errors.Is(e.Err, ErrAuth) { // The text of an AuthError has it.
		b.WriteString("; come back at " + e.RetryAt.UTC().Format(time.RFC3339))
	}
	return b.String()
}

// code names the code, the vendor's own number for it, and what it is about.
func (e *Error) code() string {
	words := []string{string(e.Code)}
	if number := strconv.Itoa(e.VendorCode); e.VendorCode != 0 && number != words[0] {
		words = append(words, "("+number+")")
	}
	for _, about := range []string{e.Key, e.Param} {
		if about != "" {
			words = append(words, "["+about+"]")
		}
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

func separator(before string) string {
	if strings.HasSuffix(before, ": ") {
		return ""
	}
	return ": "
}

// The live service's numbers for a portal or path that it does not have.
const (
	vendorNoPortal = 1005
	vendorNoURL    = 1006
)

// misconfigured reports whether it is the address that the service does not know, so
// that the error tells nothing about what was asked for.
func (e *Error) misconfigured() bool {
	return e.VendorCode == vendorNoPortal || e.VendorCode == vendorNoURL
}

// addRemedy tells what to change about a call that failed, where that is known.
func (client *Client) addRemedy(c *call, e *Error) {
	switch {
	case e.misconfigured():
		e.Remedy = client.portalRemedy()
	case e.Code == ErrInvalidOAuthScope:
		e.Remedy = client.scopeRemedy(c)
	case e.Code == ErrInvalidToken, e.Code == "" && e.StatusCode == http.StatusUnauthorized:
		e.Remedy = client.tokenRemedy()
	}
}

func (client *Client) portalRemedy() string {
	if name := client.Portal(); name != "" {
		return fmt.Sprintf("check the path, and that the account has the portal %q of WithPortal (SALESIQ_PORTAL): OAuth.Find names its portals", name)
	}
	return "name the portal with WithPortal (SALESIQ_PORTAL): OAuth.Find names those of the account"
}

// scopeRemedy names the scope that the call needs and those that the token has.
func (client *Client) scopeRemedy(c *call) string {
	remedy := "the token lacks a scope: sign in again with it"
	if need := neededScope(c.request.Method, c.path, client.dialect.Portal()); need != "" {
		remedy = fmt.Sprintf("the call needs the scope %s: sign in again with it", need)
	}
	known, ok := client.tokens.(interface{ scopes() []Scope })
	if !ok || len(known.scopes()) == 0 {
		return remedy
	}
	return remedy + "; the token has " + joinScopes(known.scopes())
}

// tokenRemedy suggests the region, which is why a new token is refused. Hosts that are
// not Zoho's say nothing about it.
func (client *Client) tokenRemedy() string {
	if client.site.region == "" {
		return ""
	}
	elsewhere := fmt.Sprintf("another data center than %s: OAuth.Find tells which", shortName(client.site.region))
	if known, ok := client.tokens.(interface{ refusesNewTokens() bool }); ok && known.refusesNewTokens() {
		return "the token is new, so the account probably lives in " + elsewhere
	}
	return "the token is too old, or of " + elsewhere
}

// neededScope returns the scope that a call needs, or "" where that is not known. The
// specification has few families of scopes, the live service one for most resources.
func neededScope(method, path, portal string) Scope {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for _, root := range []string{"api", "visitor"} {
		if len(segments) > 1 && segments[0] == root {
			segments = segments[1:]
		}
	}
	if apiVersion.MatchString(segments[0]) {
		segments = segments[1:]
	}
	if len(segments) > 1 && portal != "" && segments[0] == portal {
		segments = segments[1:]
	}
	verb, ok := scopeVerbs[method]
	if !ok || len(segments) == 0 {
		return ""
	}
	if portal != "" || segments[0] == "portals" {
		return liveScope(segments, verb)
	}
	return specifiedScope(segments[0], verb)
}

var (
	apiVersion = regexp.MustCompile(`^v[0-9]$`)
	scopeVerbs = map[string]string{http.MethodGet: "READ", http.MethodPost: "CREATE", http.MethodPut: "UPDATE", http.MethodPatch: "UPDATE", http.MethodDelete: "DELETE"}
)

func specifiedScope(resource, verb string) Scope {
	family, known := scopeFamilies[resource]
	switch {
	case !known:
		return ""
	case resource == "devices", resource == "notifications":
		verb = "UPDATE"
	case verb == "READ", family == "operators":
	case family == "chats":
		verb = "UPDATE"
	default:
		verb = "ALL"
	}
	return Scope("SalesIQ." + family + "." + verb)
}

// scopeFamilies are those of the specification's resources.
var scopeFamilies = map[string]string{
	"chats": "chats", "visitors": "visitors", "operators": "operators", "devices": "operators", "notifications": "operators",
	"brands": "settings", "routing": "settings", "webhooks": "settings",
}

// liveScope returns the scope of a call of the live service. Most are named after the
// resource and the method; live/calls.tsv has them all.
func liveScope(segments []string, verb string) Scope {
	resource, last := segments[0], segments[len(segments)-1]
	family, known := liveFamilies[resource]
	switch {
	case !known:
		return ""
	case family == "":
		family = resource
	case family == "callbacks":
		verb = "UPDATE"
	}
	switch {
	case resource == "conversations" && last == "calls":
		family = "media"
	case resource == "conversations" && last == "feedback" && verb == "READ":
		family = "feedbacks"
	case resource == "visitors" && last == "messages":
		family = "conversations"
	case resource == "webhooks" && verb == "CREATE" && (last == "events" || last == "apps"):
		verb = "UPDATE"
	}
	return Scope("SalesIQ." + family + "." + verb)
}

// liveFamilies are the families of the live service's scopes by resource: empty for
// one that is named after it.
var liveFamilies = map[string]string{
	"portals": "", "conversations": "", "chats": "", "visitors": "", "companies": "", "operators": "", "departments": "",
	"apps": "", "tags": "", "webhooks": "", "articles": "", "cannedresponses": "", "encryptions": "", "counts": "",
	"visitorroutingrules": "", "chatroutingrules": "", "callroutingrules": "", "criteriafields": "",
	"leadscorerules": "", "leadscoreconfigs": "", "triggerrules": "", "trackingpresets": "",
	"visitorhistoryviews": "", "userpreferences": "", "chatmonitors": "", "blockedips": "",
	"feedbacks": "conversations", "callbacks": "callbacks", "calls": "media", "articlecategories": "articles",
	"cannedresponsecategories": "cannedresponses", "smalltalkpacks": "faqs", "visitorsview": "visitordetails",
}

// Is reports whether the error is target: its code, or one of the conditions
// that it carries as a field. An error about the portal is [ErrInvalidInput]. Status
// 429 needs no code, since a proxy gives none. Nor does 404, unless its body is a page
// of somebody else's, who may not know the service.
func (e *Error) Is(target error) bool {
	if target == ErrMaybeProcessed {
		return e.MaybeProcessed
	}
	if target == ErrInvalidInput {
		return e.misconfigured()
	}
	code, ok := target.(ErrorCode)
	if !ok || e.Code != "" {
		return ok && code == e.Code
	}
	switch e.StatusCode {
	case http.StatusTooManyRequests:
		return code == ErrRateLimitExceeded
	case http.StatusNotFound:
		return code == ErrResourceNotFound && e.Excerpt == ""
	}
	return false
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// LogValue returns the error's text, for structured logs: an error in them is a text,
// whether or not it is wrapped. For its fields, see LogFields.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// LogFields returns the error's fields as a group, to stand beside the error in
// structured logs:
//
//	logger.Error("no answer", "error", err, "fields", e.LogFields())
func (e *Error) LogFields() slog.Value {
	attrs := []slog.Attr{
		slog.String("operation", e.Operation),
		slog.Int("status", e.StatusCode),
		slog.String("code", string(e.Code)),
		slog.String("message", e.Message),
		slog.Int("attempts", e.Attempts),
		slog.Bool("maybe_processed", e.MaybeProcessed),
	}
	if e.VendorCode != 0 {
		attrs = append(attrs, slog.Int("vendor_code", e.VendorCode))
	}
	if e.Remedy != "" {
		attrs = append(attrs, slog.String("remedy", e.Remedy))
	}
	if e.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", e.RequestID))
	}
	if !e.RetryAt.IsZero() {
		attrs = append(attrs, slog.Time("retry_at", e.RetryAt))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("cause", e.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// IsRetryable reports whether the same call may succeed later: after the rate limit, an
// outage or a broken connection, for which the client has made it again by itself, and for
// want of a token, unless that is permanent. It is false where making the call again could
// do something twice; see [ErrMaybeProcessed].
func IsRetryable(err error) bool {
	if auth, ok := errors.AsType[*AuthError](err); ok {
		return !auth.Permanent
	}
	var e *Error
	if !errors.As(err, &e) || e.MaybeProcessed {
		return false
	}
	return transport.IsTransient(e.StatusCode, string(e.Code), e.Err)
}

// KindOf sorts errors by what to do about them. It returns the first of these kinds that
// an error is of:
//
//	ErrMaybeProcessed      look whether it was done before repeating it
//	ErrInvalidRequest      change the arguments
//	ErrResourceNotFound    there is nothing of that id
//	ErrChatNotActive       the state does not allow it
//	ErrPermissionDenied    sign in with other scopes, or as another user
//	ErrRateLimitExceeded   come back at Error.RetryAt
//	ErrInternalError       try again later, since the service or the network fails or is slow
//	ErrInvalidToken        sign in again
//
// Each stands for those like it: ErrInvalidRequest also for every [InputError], and for
// [ErrRequiredFieldMissing], [ErrInvalidVisitorID] and [ErrInvalidDepartment];
// ErrChatNotActive for [ErrOperatorOffline] and [ErrDuplicateResource];
// ErrPermissionDenied for [ErrInvalidOAuthScope]; ErrInternalError for whatever
// [IsRetryable] is true of, and for a deadline of the caller's that passed before anything
// was sent; ErrInvalidToken for [ErrAuth]. The kind is empty for nil, for what the caller
// has canceled, and for any other error, which somebody has to look at.
func KindOf(err error) ErrorCode {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(ErrMaybeProcessed):
		return ErrMaybeProcessed
	case is(context.Canceled):
		return ""
	}
	for _, kind := range kinds {
		if is(kind.code) || slices.ContainsFunc(kind.of, is) || kind.code == ErrInternalError && IsRetryable(err) {
			return kind.code
		}
	}
	if is(context.DeadlineExceeded) {
		return ErrInternalError // Something else was slow, and nothing was done.
	}
	return ""
}

// kinds are those of KindOf after ErrMaybeProcessed, in the order in which they are tested.
var kinds = []struct {
	code ErrorCode
	of   []error // Apart from the code itself.
}{
	{ErrInvalidRequest, []error{ErrInvalidInput, ErrRequiredFieldMissing, ErrInvalidVisitorID, ErrInvalidDepartment, transport.ErrLongHeader}},
	{code: ErrResourceNotFound},
	{ErrChatNotActive, []error{ErrOperatorOffline, ErrDuplicateResource}},
	{ErrPermissionDenied, []error{ErrInvalidOAuthScope}},
	{code: ErrRateLimitExceeded},
	{code: ErrInternalError},
	{ErrInvalidToken, []error{ErrAuth}},
}

// InputError says which argument was refused before any request was made. It
// matches [ErrInvalidInput].
type InputError struct {
	Operation string // The method called; empty outside of a call.
	Field     string // The field's name on the wire, such as "per_page".
	Reason    string
}

// Error names the field and the reason.
func (e *InputError) Error() string {
	if e.Operation == "" {
		return "salesiq: " + e.Field + " " + e.Reason
	}
	return "salesiq: " + e.Operation + ": " + e.Field + " " + e.Reason
}

// Unwrap returns [ErrInvalidInput].
func (e *InputError) Unwrap() error { return ErrInvalidInput }
