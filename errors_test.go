package salesiq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
)

// codes are the specification's, with the status that goes with each.
var codes = []struct {
	status    int
	text      string
	code      salesiq.ErrorCode
	retryable bool
	why       string
}{
	{401, "INVALID_TOKEN", salesiq.ErrInvalidToken, false, "the client has tried another token already, if it had one"},
	{403, "INVALID_OAUTH_SCOPE", salesiq.ErrInvalidOAuthScope, false, "a scope does not grow"},
	{400, "INVALID_REQUEST", salesiq.ErrInvalidRequest, false, "the request stays as it is"},
	{400, "REQUIRED_FIELD_MISSING", salesiq.ErrRequiredFieldMissing, false, "the request stays as it is"},
	{404, "RESOURCE_NOT_FOUND", salesiq.ErrResourceNotFound, false, "what is not there does not appear"},
	{400, "DUPLICATE_RESOURCE", salesiq.ErrDuplicateResource, false, "what is there stays there"},
	{429, "RATE_LIMIT_EXCEEDED", salesiq.ErrRateLimitExceeded, true, "the window ends"},
	{500, "INTERNAL_ERROR", salesiq.ErrInternalError, true, "an outage ends"},
	{403, "PERMISSION_DENIED", salesiq.ErrPermissionDenied, false, "a permission does not grow"},
	{400, "INVALID_VISITOR_ID", salesiq.ErrInvalidVisitorID, false, "the request stays as it is"},
	{400, "CHAT_NOT_ACTIVE", salesiq.ErrChatNotActive, false, "a chat does not reopen"},
	{400, "OPERATOR_OFFLINE", salesiq.ErrOperatorOffline, false, "nobody knows when the operator returns"},
	{400, "INVALID_DEPARTMENT", salesiq.ErrInvalidDepartment, false, "the request stays as it is"},
}

func TestEveryCodeCanBeMatched(t *testing.T) {
	t.Parallel()
	require.Len(t, codes, 13)
	for _, row := range codes {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			body := fmt.Sprintf(`{"status":"error","code":%q,"message":"Why it failed","details":{"field":"x","list":[1]}}`, row.text)
			api := newAPIRecorder(t, answerJSON(row.status, body))
			_, err := api.client(t).Chats.Get(t.Context(), "c1")
			failure := requireOneLine(t, err)
			for _, other := range codes {
				assert.Equal(t, other.code == row.code, errors.Is(err, other.code), other.text)
			}
			assert.Equal(t, row.code, failure.Code)
			assert.Equal(t, row.text, row.code.Error())
			assert.Equal(t, row.status, failure.StatusCode)
			assert.Equal(t, "Why it failed", failure.Message)
			assert.Equal(t, map[string]any{"field": "x", "list": []any{1.0}}, failure.Details)
			assert.Equal(t, 1, failure.Attempts)
			assert.Equal(t, "GET", failure.Method)
			assert.Empty(t, failure.Excerpt, "the service spoke for itself")
			assert.Equal(t, row.retryable, salesiq.IsRetryable(err), row.why)
			text := fmt.Sprintf("salesiq: Chats.Get: HTTP %d: %s: Why it failed", row.status, row.text)
			if row.code == salesiq.ErrInvalidOAuthScope {
				text += "; the call needs the scope SalesIQ.chats.READ: sign in again with it"
			}
			assert.Equal(t, text, err.Error())

			wrapped := fmt.Errorf("while answering: %w", err)
			require.ErrorIs(t, wrapped, row.code)
			assert.Equal(t, row.retryable, salesiq.IsRetryable(wrapped))
		})
	}
}

func TestAnUnknownCodeIsKept(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]salesiq.ErrorCode{
		`{"status":"error","code":"QUOTA_FROZEN","message":"m"}`: "QUOTA_FROZEN",
		`{"status":"error","code":7016,"message":"m"}`:           "7016",
		`{"code":"QUOTA_FROZEN"}`:                                "QUOTA_FROZEN",
		`{"status":"error","code":null,"message":"m"}`:           "",
		`{"status":"error","message":"m","details":[]}`:          "",
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusConflict, body))
		_, err := api.client(t).Chats.Get(t.Context(), "c1")
		failure := requireOneLine(t, err)
		assert.Equal(t, want, failure.Code, body)
		assert.Empty(t, failure.Excerpt, body)
		require.NotErrorIs(t, err, salesiq.ErrorCode(""), "no code matches no code")
	}
}

func TestIsRetryable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why  string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"another package's error", errors.New("other"), false},
		{"a refused argument", &salesiq.InputError{Field: "page"}, false},
		{"the rate limit", &salesiq.Error{StatusCode: 429}, true},
		{"the rate limit, for a POST: it was not processed", &salesiq.Error{StatusCode: 429, Method: "POST", Code: salesiq.ErrRateLimitExceeded}, true},
		{"an outage", &salesiq.Error{StatusCode: 503}, true},
		{"a proxy's outage", &salesiq.Error{StatusCode: 502, Err: salesiq.ErrDecode}, true},
		{"never implemented", &salesiq.Error{StatusCode: 501}, false},
		{"a gateway that could not reach the service", &salesiq.Error{StatusCode: 522}, true},
		{"a gateway that does not accept the service's certificate", &salesiq.Error{StatusCode: 526}, false},
		{"no room for what was to be stored", &salesiq.Error{StatusCode: 507}, false},
		{"a name that is not found", &salesiq.Error{Err: fmt.Errorf("%w: %w", salesiq.ErrTransport, &net.DNSError{IsNotFound: true})}, false},
		{"an outage, too large to read", &salesiq.Error{StatusCode: 503, Err: salesiq.ErrTooLarge}, false},
		{"an outage, but a message may have been sent", &salesiq.Error{StatusCode: 503, MaybeProcessed: true}, false},
		{"a broken connection", &salesiq.Error{Err: salesiq.ErrTransport}, true},
		{"a broken connection, but a message may have been sent", &salesiq.Error{Err: salesiq.ErrTransport, MaybeProcessed: true}, false},
		{"an internal error that hides behind a 200", &salesiq.Error{StatusCode: 200, Code: salesiq.ErrInternalError}, true},
		{"an answer that was not understood", &salesiq.Error{StatusCode: 200, Err: salesiq.ErrDecode}, false},
		{"an answer that is too large", &salesiq.Error{StatusCode: 200, Err: salesiq.ErrTooLarge}, false},
		{"a redirect", &salesiq.Error{StatusCode: 302, Err: salesiq.ErrRedirect}, false},
		{"the caller gave up", &salesiq.Error{Err: context.Canceled}, false},
		{"the caller's time was up, whatever else happened",
			&salesiq.Error{StatusCode: 503, Err: errors.Join(context.DeadlineExceeded, salesiq.ErrTransport)}, true},
	} {
		assert.Equal(t, row.want, salesiq.IsRetryable(row.err), row.why)
	}
}

func TestKindTellsWhatToDo(t *testing.T) {
	t.Parallel()
	coded := func(codes ...salesiq.ErrorCode) (errs []error) {
		for _, code := range codes {
			errs = append(errs, &salesiq.Error{Code: code})
		}
		return errs
	}
	for _, row := range []struct {
		kind salesiq.ErrorCode
		of   []error
	}{
		{salesiq.ErrMaybeProcessed, []error{&salesiq.Error{MaybeProcessed: true, StatusCode: 503}, &salesiq.Error{MaybeProcessed: true, Err: context.Canceled}}},
		{salesiq.ErrInvalidRequest, append(coded(salesiq.ErrInvalidRequest, salesiq.ErrRequiredFieldMissing, salesiq.ErrInvalidVisitorID, salesiq.ErrInvalidDepartment), &salesiq.InputError{Field: "page"})},
		{salesiq.ErrResourceNotFound, append(coded(salesiq.ErrResourceNotFound), &salesiq.Error{StatusCode: 404})},
		{salesiq.ErrChatNotActive, coded(salesiq.ErrChatNotActive, salesiq.ErrOperatorOffline, salesiq.ErrDuplicateResource)},
		{salesiq.ErrPermissionDenied, coded(salesiq.ErrPermissionDenied, salesiq.ErrInvalidOAuthScope)},
		{salesiq.ErrRateLimitExceeded, []error{&salesiq.Error{StatusCode: 429}, &salesiq.Error{Code: salesiq.ErrRateLimitExceeded, Err: context.DeadlineExceeded}}},
		{salesiq.ErrInternalError, []error{
			&salesiq.Error{StatusCode: 503}, &salesiq.Error{Err: salesiq.ErrTransport}, &salesiq.Error{StatusCode: 500, Code: salesiq.ErrInternalError},
			&salesiq.Error{Err: errors.Join(context.DeadlineExceeded, salesiq.ErrTransport)}, &salesiq.Error{Err: errors.Join(salesiq.ErrAuth, &salesiq.AuthError{})},
			context.DeadlineExceeded, &salesiq.Error{Err: context.DeadlineExceeded},
		}},
		{salesiq.ErrInvalidToken, append(coded(salesiq.ErrInvalidToken), &salesiq.Error{Err: errors.Join(salesiq.ErrAuth, &salesiq.AuthError{Permanent: true})})},
		{"", []error{
			nil, context.Canceled, &salesiq.Error{StatusCode: 503, Err: context.Canceled}, &salesiq.Error{Err: errors.Join(context.Canceled, salesiq.ErrAuth)},
			&salesiq.Error{Err: errors.Join(context.Canceled, context.DeadlineExceeded)}, errors.New("other"), &salesiq.Error{StatusCode: 200, Err: salesiq.ErrDecode},
		}},
	} {
		for _, err := range row.of {
			assert.Equal(t, row.kind, salesiq.KindOf(err), "%v", err)
			if err != nil {
				assert.Equal(t, row.kind, salesiq.KindOf(fmt.Errorf("tenant north: %w", err)), "%v", err)
			}
		}
	}
}

func TestDeadlineBeforeAnythingWasSentIsForLater(t *testing.T) {
	t.Parallel()
	hangs := func(path string) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == path {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"access_token":"a","expires_in":3600,"status":"success","data":{}}`))}, nil
		})
	}
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("s"), RefreshToken: salesiq.NewSecret("r")}
	deadline := func(t *testing.T) (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), time.Second)
	}
	cancel := func(t *testing.T) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}
	const token, message = "/oauth/v2/token", "/api/v2/chats/c1/messages"
	for why, row := range map[string]struct {
		hangs string
		end   func(t *testing.T) (context.Context, context.CancelFunc)
		want  salesiq.ErrorCode
	}{
		"no token came in time":          {token, deadline, salesiq.ErrInternalError},
		"the message may have been sent": {message, deadline, salesiq.ErrMaybeProcessed},
		"the caller gave up":             {token, cancel, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.NewMemoryTokenStore()), salesiq.WithHTTPClient(&http.Client{Transport: hangs(row.hangs)}))
			require.NoError(t, err)
			ctx, stop := row.end(t)
			defer stop()
			_, err = client.Chats.SendMessage(ctx, "c1", salesiq.TextMessage("Hello!"))
			require.ErrorIs(t, err, ctx.Err(), why)
			assert.Equal(t, row.want, salesiq.KindOf(err), "%s: %v", why, err)
			time.Sleep(time.Hour) // The refresh outlives the call.
		})
	}
}

// failing answers all requests with a status or an error, and counts them.
type failing struct {
	status   int
	err      error
	requests int
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.requests++
	if f.err != nil {
		return nil, f.err
	}
	return &http.Response{StatusCode: f.status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func TestIsRetryableAgreesWithWhatIsRepeated(t *testing.T) {
	t.Parallel()
	remote := func(alert string) error { return &net.OpError{Op: "remote error", Err: errors.New("tls: " + alert)} }
	services := map[string]*failing{
		"name not found":    {err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}},
		"name server down":  {err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}},
		"nobody listens":    {err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		"no HTTP":           {err: errors.New("malformed HTTP response")},
		"handshake failure": {err: remote("handshake failure")},
		"protocol version":  {err: remote("protocol version not supported")},
		"unknown name":      {err: remote("unrecognized name")},
		"internal error":    {err: remote("internal error")},
		"bad record":        {err: remote("bad record MAC")},
	}
	for status := 300; status < 600; status++ {
		if status != http.StatusUnauthorized {
			services[strconv.Itoa(status)] = &failing{status: status}
		}
	}
	for name, service := range services {
		synctest.Test(t, func(t *testing.T) {
			client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithHTTPClient(&http.Client{Transport: service}))
			require.NoError(t, err)
			_, err = client.Chats.Get(t.Context(), "c1")
			require.Error(t, err)
			assert.Equal(t, service.requests > 1, salesiq.IsRetryable(err), name)
		})
	}
}

func TestErrorsAreOneReadableLine(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  salesiq.Error
		want string
	}{
		{salesiq.Error{Operation: "Chats.Get", StatusCode: 404, Code: salesiq.ErrResourceNotFound, Message: "No such chat"},
			"salesiq: Chats.Get: HTTP 404: RESOURCE_NOT_FOUND: No such chat"},
		{salesiq.Error{Operation: "Chats.Get", StatusCode: 503, Err: salesiq.ErrDecode, ContentType: "text/html", Excerpt: "<h1>Down</h1>", Attempts: 4},
			`salesiq: Chats.Get: HTTP 503 Service Unavailable: the answer was not understood (text/html: "<h1>Down</h1>") (after 4 attempts)`},
		{salesiq.Error{Operation: "Chats.SendMessage", Err: fmt.Errorf("%w: unexpected EOF", salesiq.ErrTransport), MaybeProcessed: true},
			"salesiq: Chats.SendMessage: no complete answer: unexpected EOF; the service may have processed the call"},
		{salesiq.Error{Operation: "Chats.Get", StatusCode: 500, Code: "X", Message: "first\r\n\tsecond\n\nthird\x1b[2J\x00"},
			"salesiq: Chats.Get: HTTP 500: X: first; second; third [2J"},
		{salesiq.Error{Operation: "Chats.Get", Err: errors.Join(context.Canceled, salesiq.ErrTransport)},
			"salesiq: Chats.Get: context canceled; no complete answer"},
		{salesiq.Error{Operation: "Chats.Get", StatusCode: 599},
			"salesiq: Chats.Get: HTTP 599"},
	} {
		assert.Equal(t, row.want, row.err.Error())
	}
	long := salesiq.Error{Operation: "Chats.Get", Message: strings.Repeat("é", 1<<20)}
	assert.Less(t, len(long.Error()), 2000)
	assert.True(t, strings.HasSuffix(long.Error(), "é…"))
}

func TestErrorsTellWhenToComeBack(t *testing.T) {
	t.Parallel()
	reset := time.Now().Add(30 * time.Second).Truncate(time.Second)
	api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ratelimit-Limit", "20")
		w.Header().Set("X-Ratelimit-Remaining", "0")
		w.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		w.Header().Set("X-Request-ID", "req-9")
		answerJSON(http.StatusTooManyRequests, `{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"Slow down"}`)(w, r)
	})
	_, err := api.client(t).Chats.Get(t.Context(), "c1")
	failure := requireOneLine(t, err)
	assert.WithinDuration(t, reset, failure.RetryAt, 2*time.Second)
	assert.WithinDuration(t, reset, failure.RateWindow.Reset, 2*time.Second)
	assert.Equal(t, 20, failure.RateWindow.Limit)
	assert.Zero(t, failure.RateWindow.Remaining)
	assert.True(t, failure.RateWindow.Known)
	assert.Equal(t, "req-9", failure.RequestID)
}

func TestErrorsAreStructuredInLogs(t *testing.T) {
	t.Parallel()
	err := &salesiq.Error{
		Operation: "Chats.End", StatusCode: 400, Code: salesiq.ErrChatNotActive, Message: "It is over",
		RequestID: "req-9", Attempts: 2, MaybeProcessed: true, Err: salesiq.ErrTransport,
		RetryAt: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Error("failed", "err", err.LogFields())
	var line struct {
		Err map[string]any `json:"err"`
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, map[string]any{
		"operation": "Chats.End", "status": 400.0, "code": "CHAT_NOT_ACTIVE", "message": "It is over",
		"attempts": 2.0, "maybe_processed": true, "request_id": "req-9", "cause": "no complete answer",
		"retry_at": "2026-03-01T09:30:00Z",
	}, line.Err)
}

// Whoever reads logs by program needs to know what kind of value an error is.
func TestAnErrorIsATextInLogsWrappedOrNot(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&salesiq.Error{Operation: "Chats.End", StatusCode: 400, Code: salesiq.ErrChatNotActive},
		&salesiq.AuthError{Code: "invalid_code", StatusCode: 400},
		&salesiq.InputError{Field: "page", Reason: "must be positive"},
	} {
		for _, logged := range []error{err, fmt.Errorf("export: %w", err)} {
			var text, out bytes.Buffer
			slog.New(slog.NewTextHandler(&text, nil)).Error("failed", "err", logged)
			slog.New(slog.NewJSONHandler(&out, nil)).Error("failed", "err", logged)
			var line map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &line))
			assert.Equal(t, logged.Error(), line["err"])
			assert.Contains(t, text.String(), "err="+strconv.Quote(logged.Error()))
		}
	}
}

// A proxy may print what it was sent, and the service may name the token that
// it refuses.
func TestNoErrorShowsTheToken(t *testing.T) {
	t.Parallel()
	for why, answer := range map[string]http.HandlerFunc{
		"a proxy's page with the request's headers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprintf(w, "<pre>Authorization: %s\nAccept: */*</pre>", r.Header.Get("Authorization"))
		},
		"a success that is not understood": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "<pre>%s</pre>", r.Header.Get("Authorization"))
		},
		"the service's message": func(w http.ResponseWriter, r *http.Request) {
			answerJSON(http.StatusUnauthorized, fmt.Sprintf(
				`{"status":"error","code":"INVALID_TOKEN","message":"Refused %s"}`, r.Header.Get("Authorization")))(w, r)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.test/?token="+testToken)
			w.WriteHeader(http.StatusFound)
		},
	} {
		api := newAPIRecorder(t, answer)
		_, err := api.client(t).Chats.Get(t.Context(), "c1")
		failure := requireOneLine(t, err)
		for way, shown := range everyWay(t, failure) {
			assert.NotContains(t, shown, testToken, "%s: %s", why, way)
		}
	}
}

func TestInputErrorsAreReadable(t *testing.T) {
	t.Parallel()
	_, err := newAPIRecorder(t, answerSuitably).client(t).Chats.Rate(t.Context(), "c1", &salesiq.ChatRating{Rating: 6})
	require.EqualError(t, err, "salesiq: Chats.Rate: rating must be from 1 to 5, not 6")
	assert.Equal(t, "salesiq: portal is required", (&salesiq.InputError{Field: "portal", Reason: "is required"}).Error())
}

// The page of somebody in between says nothing of what the service has.
func TestNotFoundNeedsNoCodeUnlessItIsAPageOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer testkit.Behavior
		found  bool
	}{
		"a code":    {testkit.Answer(404, "application/json", `{"status":"error","code":"RESOURCE_NOT_FOUND"}`), true},
		"no code":   {testkit.Answer(404, "application/json", `{"status":"error","message":"gone"}`), true},
		"no body":   {testkit.Empty(404), true},
		"a page":    {testkit.HTML(404, "<html>no such host</html>"), false},
		"no status": {testkit.Answer(400, "application/json", `{"status":"error","message":"gone"}`), false},
	} {
		_, err := faultyClient(t, testkit.NewServer(t, row.answer)).Chats.Get(t.Context(), "c1")
		require.Error(t, err, name)
		assert.Equal(t, row.found, errors.Is(err, salesiq.ErrResourceNotFound), "%s: %s", name, err)
	}
}

func TestPermanentAuthErrorDoesNotTellToTryAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
	const when = "next try at 2026-03-05T09:00:00Z"
	assert.NotContains(t, (&salesiq.AuthError{Code: "invalid_code", Permanent: true, RetryAt: at}).Error(), when)
	assert.Contains(t, (&salesiq.AuthError{Code: "access_denied", RetryAt: at}).Error(), when)
}

func TestUnknownPortalIsNotSomethingMissingInEitherDialect(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"error":{"code":1005,"message":"m"}}`, `{"error":{"code":"1006","message":"m"}}`,
		`{"status":"error","code":"1005","message":"m"}`, `{"status":"error","code":1006,"message":"m"}`, `{"code":1005,"message":"m"}`,
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusNotFound} {
			for _, opts := range [][]salesiq.Option{nil, {salesiq.WithPortal("acme")}} {
				client := newAPIRecorder(t, answerJSON(status, body)).client(t, opts...)
				err := client.Webhooks.Delete(t.Context(), "w1")
				require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%s with %d", body, status)
				require.NotErrorIs(t, err, salesiq.ErrResourceNotFound, "%s with %d", body, status)
				require.ErrorContains(t, err, "WithPortal", "%s with %d", body, status)
			}
		}
	}
}
