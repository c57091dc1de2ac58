package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
)

type tokenServer func(*http.Request) (*http.Response, error)

func (f tokenServer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// refreshFrom makes a refresh with known secrets, to which answer is the answer.
func refreshFrom(t *testing.T, answer *http.Response, err error) (Token, error) {
	t.Helper()
	base := tokenServer(func(r *http.Request) (*http.Response, error) {
		require.Equal(t, "agent", r.Header.Get("User-Agent"))
		return answer, err
	})
	server := Server{URL: "https://accounts.example", Transport: base, UserAgent: "agent"}
	return server.Refresh(t.Context(), Application{ClientID: "id", ClientSecret: "shush"}, "r+1+1")
}

func answerWith(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// brokenAnswer is an answer whose body cannot be read.
func brokenAnswer(status int, err error) *http.Response {
	answer := answerWith(status, "")
	answer.Body = io.NopCloser(iotest.ErrReader(err))
	return answer
}

// brokenAfter is an answer whose body breaks off after its beginning.
func brokenAfter(status int, beginning string) *http.Response {
	answer := answerWith(status, "")
	answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(beginning), iotest.ErrReader(io.ErrUnexpectedEOF)))
	return answer
}

// endless is an answer whose body ends once it is closed.
func endless(status int) *http.Response {
	body, _ := io.Pipe()
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: body}
}

func TestTokenIsReadInWhateverFormItIsWritten(t *testing.T) {
	t.Parallel()
	for why, body := range map[string]string{
		"as documented":    `{"access_token":"a","refresh_token":"r","api_domain":"d","token_type":"Bearer","expires_in":60}`,
		"other types":      `{"access_token":"a","refresh_token":"r","api_domain":"d","expires_in":"60","scope":["x"]}`,
		"names twice":      `{"access_token":"b","access_token":"a","refresh_token":"r","api_domain":"d","expires_in":60}`,
		"an error of null": `{"access_token":"a","refresh_token":"r","api_domain":"d","expires_in":60,"error":null}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			got, err := refreshFrom(t, answerWith(http.StatusOK, body), nil)
			require.NoError(t, err, why)
			require.Equal(t, Token{AccessToken: "a", RefreshToken: "r", APIDomain: "d", Expiry: time.Now().Add(60 * time.Second)}, got, why)
		})
	}
}

// The monotonic clock stands still while the machine sleeps, and tokens expire.
func TestTokensAndCodesExpireByTheWallClock(t *testing.T) {
	t.Parallel()
	token, err := refreshFrom(t, answerWith(http.StatusOK, `{"access_token":"a","expires_in":60}`), nil)
	require.NoError(t, err)
	require.NotContains(t, token.Expiry.String(), "m=")
	server := Server{URL: "https://accounts.example", Transport: tokenServer(func(*http.Request) (*http.Response, error) {
		return answerWith(http.StatusOK, `{"device_code":"d","user_code":"u","verification_url":"https://v","expires_in":300}`), nil
	})}
	code, err := server.DeviceCode(t.Context(), "client", "scope", "")
	require.NoError(t, err)
	require.NotContains(t, code.Expiry.String(), "m=")
}

func TestFailureTellsItsKind(t *testing.T) {
	t.Parallel()
	lookup, certificate := &net.DNSError{IsNotFound: true}, &tls.CertificateVerificationError{Err: io.EOF}
	for why, test := range map[string]struct {
		answer *http.Response
		err    error
		want   Failure
		cause  error
	}{
		"refused":                 {answer: answerWith(200, `{"error":"invalid_code"}`), want: Failure{Status: 200, Code: "invalid_code"}},
		"secrets are taken out":   {answer: answerWith(400, `{"error":"no r+1+1, r%2B1%2B1","error_description":"nor\nshush"}`), want: Failure{Status: 400, Code: "no [redacted], [redacted]", Description: "nor [redacted]"}},
		"throttled":               {answer: answerWith(400, `{"error":"Access Denied"}`), want: Failure{Status: 400, Code: "Access Denied", Throttled: true}},
		"throttled, in words":     {answer: answerWith(200, `{"error":"failure","error_description":"Too many requests."}`), want: Failure{Status: 200, Code: "failure", Description: "Too many requests.", Throttled: true}},
		"throttled, no code":      {answer: answerWith(200, `{"error_description":"Too many requests."}`), want: Failure{Status: 200, Description: "Too many requests.", Throttled: true}, cause: transport.ErrDecode},
		"not throttled":           {answer: answerWith(200, `{"error":"access_denied"}`), want: Failure{Status: 200, Code: "access_denied"}},
		"no connection":           {err: io.EOF, want: Failure{Unreachable: true}, cause: io.EOF},
		"no HTTP":                 {err: errors.New(`malformed HTTP status code "shush"`), want: Failure{Unreachable: true, Err: errors.New(`malformed HTTP status code "[redacted]"`)}},
		"no such host":            {err: lookup, want: Failure{}, cause: lookup},
		"an unknown certificate":  {err: certificate, want: Failure{}, cause: certificate},
		"a proxy alone":           {answer: answerWith(503, "<html>"), want: Failure{Status: 503, Unreachable: true}, cause: transport.ErrDecode},
		"a gateway":               {answer: answerWith(502, "<html>"), want: Failure{Status: 502, Unreachable: true}, cause: transport.ErrDecode},
		"a masked refresh token":  {answer: answerWith(200, `{"access_token":"a","refresh_token":"[redacted]"}`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"a masked access token":   {answer: answerWith(200, `{"access_token":"[redacted]"}`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"a token that breaks off": {answer: answerWith(200, `{"access_token":"a`), want: Failure{Status: 200, Unreachable: true}, cause: transport.ErrDecode},
		"failure without error":   {answer: answerWith(200, `{"status":"failure","access_token":"a"}`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"a token and an error":    {answer: answerWith(200, `{"error":"general_error","access_token":"a"}`), want: Failure{Status: 200, Code: "general_error"}},
		"a token with status 500": {answer: answerWith(500, `{"access_token":"a"}`), want: Failure{Status: 500}, cause: transport.ErrDecode},
		"a token that is none":    {answer: answerWith(201, `{"access_token":"a\nb"}`), want: Failure{Status: 201}, cause: transport.ErrDecode},
		"a page":                  {answer: answerWith(501, "<html>"), want: Failure{Status: 501}, cause: transport.ErrDecode},
		"a page, throttled":       {answer: answerWith(503, "<h1>Access Denied</h1>"), want: Failure{Status: 503, Throttled: true}, cause: transport.ErrDecode},
		"429 without words":       {answer: answerWith(429, ""), want: Failure{Status: 429, Throttled: true}, cause: transport.ErrDecode},
		"nothing":                 {answer: answerWith(200, ""), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"a connection that broke": {answer: brokenAnswer(200, io.ErrUnexpectedEOF), want: Failure{Status: 200, Unreachable: true}, cause: io.ErrUnexpectedEOF},
		"a broken 429":            {answer: brokenAnswer(429, io.ErrUnexpectedEOF), want: Failure{Status: 429, Throttled: true}, cause: io.ErrUnexpectedEOF},
		"a broken 400":            {answer: brokenAnswer(400, io.ErrUnexpectedEOF), want: Failure{Status: 400, Unreachable: true}, cause: io.ErrUnexpectedEOF},
		"a 429 that is too much":  {answer: answerWith(429, strings.Repeat("<html>", maxAnswer)), want: Failure{Status: 429, Throttled: true}, cause: transport.ErrTooLarge},
		"a 503 that is too much":  {answer: answerWith(503, strings.Repeat("<html>", maxAnswer)), want: Failure{Status: 503, Unreachable: true}, cause: transport.ErrTooLarge},
		"JSON that is too much":   {answer: answerWith(200, strings.Repeat("[", maxAnswer+1)), want: Failure{Status: 200}, cause: transport.ErrTooLarge},
		"words before it broke":   {answer: brokenAfter(400, `{"error_description":"You have made too many requests contin`), want: Failure{Status: 400, Throttled: true}, cause: io.ErrUnexpectedEOF},
		"a code before it broke":  {answer: brokenAfter(400, `{"error":"invalid_code"}`), want: Failure{Status: 400, Code: "invalid_code"}},
		"no consent, in words":    {answer: answerWith(400, `{"error":"access_denied","error_description":"Access denied"}`), want: Failure{Status: 400, Code: "access_denied", Description: "Access denied"}},
		"no such client, denied":  {answer: answerWith(400, `{"error":"invalid_client","error_description":"Access Denied"}`), want: Failure{Status: 400, Code: "invalid_client", Description: "Access Denied"}},
		"no token":                {answer: answerWith(200, `{}`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"not an object":           {answer: answerWith(200, `["a"]`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"more after the end":      {answer: answerWith(200, `{"access_token":"a"}{"error":"e"}`), want: Failure{Status: 200}, cause: transport.ErrDecode},
		"too much":                {answer: answerWith(200, `{"access_token":"a"}`+strings.Repeat(" ", maxAnswer)), want: Failure{Status: 200}, cause: transport.ErrTooLarge},
		"another protocol":        {answer: endless(101), want: Failure{Status: 101}, cause: transport.ErrDecode},
		"a redirect":              {answer: answerWith(307, ""), want: Failure{Status: 307}, cause: transport.ErrRedirect},
	} {
		token, err := refreshFrom(t, test.answer, test.err)
		require.Zero(t, token, why)
		var got *Failure
		require.ErrorAs(t, err, &got, why)
		if test.cause != nil {
			require.ErrorIs(t, err, test.cause, why)
			got.Err = nil
		}
		require.Equal(t, test.want, *got, why)
	}
}

func TestPauseThatTheTokenServerAsksForIsTold(t *testing.T) {
	t.Parallel()
	for status, throttled := range map[int]bool{http.StatusTooManyRequests: true, http.StatusServiceUnavailable: false} {
		answer := answerWith(status, "")
		answer.Header.Set("Retry-After", "1200")
		_, err := refreshFrom(t, answer, nil)
		var f *Failure
		require.ErrorAs(t, err, &f)
		require.InDelta(t, 1200, f.RetryAfter.Seconds(), 1)
		require.Equal(t, throttled, f.Throttled)
		require.False(t, f.Unreachable, "another request a moment later is not what it asked for")
	}
	answer := answerWith(http.StatusServiceUnavailable, "")
	answer.Header.Set("Retry-After", "0")
	_, err := refreshFrom(t, answer, nil)
	var f *Failure
	require.ErrorAs(t, err, &f)
	require.True(t, f.Unreachable, "now is when it asked for")
}

func TestTokenBeforeAConnectionThatBreaksIsUsed(t *testing.T) {
	t.Parallel()
	token, err := refreshFrom(t, brokenAfter(http.StatusOK, `{"access_token":"a"}`), nil)
	require.NoError(t, err)
	require.Equal(t, "a", token.AccessToken)
}

// The status and the header of an answer are there before its body.
func TestPauseIsToldAlthoughTheBodyIsNotWhole(t *testing.T) {
	t.Parallel()
	for why, body := range map[string]func(*http.Request) io.Reader{
		"it breaks off":   func(*http.Request) io.Reader { return iotest.ErrReader(io.ErrUnexpectedEOF) },
		"it is too large": func(*http.Request) io.Reader { return strings.NewReader(strings.Repeat("x", maxAnswer+1)) },
		"it hangs": func(r *http.Request) io.Reader {
			reader, writer := io.Pipe()
			context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
			return reader
		},
	} {
		for status, throttled := range map[int]bool{http.StatusTooManyRequests: true, http.StatusBadRequest: false, http.StatusServiceUnavailable: false} {
			synctest.Test(t, func(t *testing.T) {
				server := Server{URL: "https://accounts.example", Transport: tokenServer(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"600"}}, Body: io.NopCloser(body(r))}, nil
				})}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				_, err := server.Refresh(ctx, Application{}, "refresh-token")
				var f *Failure
				require.ErrorAs(t, err, &f)
				require.Error(t, f.Err)
				require.NoError(t, ctx.Err(), "whoever waits has not gone yet")
				f.Err = nil
				require.Equal(t, Failure{Status: status, Throttled: throttled, RetryAfter: 10 * time.Minute}, *f, "%d: %s", status, why)
			})
		}
	}
}

func TestLifetimeIsTheNumberThatCanBeTrue(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]time.Duration{
		``:                       time.Hour,
		`,"expires_in":0`:        time.Hour,
		`,"expires_in":0.5`:      time.Hour,
		`,"expires_in":1`:        time.Second,
		`,"expires_in":2`:        2 * time.Second,
		`,"expires_in":86400`:    24 * time.Hour,
		`,"expires_in":86401`:    time.Hour,
		`,"expires_in":"soon"`:   time.Hour,
		`,"expires_in":3600000`:  time.Hour,
		`,"expires_in_sec":1800`: 30 * time.Minute,
		`,"expires_in":86400000,"expires_in_sec":86400`: 24 * time.Hour,
		`,"expires_in":7,"expires_in_sec":5`:            5 * time.Second,
		`,"expires_in":7,"expires_in_sec":0`:            7 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			token, err := refreshFrom(t, answerWith(http.StatusOK, `{"access_token":"a"`+fields+`}`), nil)
			require.NoError(t, err)
			require.Equal(t, want, time.Until(token.Expiry), fields)
		})
	}
}

func TestLargestAnswerIsRead(t *testing.T) {
	t.Parallel()
	token := `{"access_token":"a"}`
	_, err := refreshFrom(t, answerWith(http.StatusOK, token+strings.Repeat(" ", 1<<20-len(token))), nil)
	require.NoError(t, err)
	_, err = refreshFrom(t, answerWith(http.StatusOK, token+strings.Repeat(" ", 1<<20-len(token)+1)), nil)
	require.ErrorIs(t, err, transport.ErrTooLarge)
	require.ErrorContains(t, err, "over 1048576 bytes")
}

func TestWordsOfTheServerAreCutToFitALog(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]int{256: 256, 257: 256} {
		_, err := refreshFrom(t, answerWith(http.StatusBadRequest, `{"error":"`+strings.Repeat("e", length)+`"}`), nil)
		require.Len(t, err.Error(), want)
	}
}

// FuzzTokenAnswer: whatever the server sends, what comes out is a token that
// fits into a header and a lifetime within reason, or a failure without a word
// of the request's secrets.
func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"a","refresh_token":"r","expires_in":3600}`,
		`{"access_token":"a","expires_in":"NaN"}`, `{"access_token":"a","expires_in":-1e400}`,
		`{"error":"invalid_code"}`, `{"error":"r+1+1"}`, `{"error":{"a":"shush"}}`, `<html>Access Denied`, ``, `null`, `{"ERROR":"x"}`,
		"{\"access_token\":\"a\\r\\nb\"}", `{"error_description":"shushushsh r+1r+1+1+1"}`,
	} {
		f.Add(200, body)
		f.Add(500, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		start := time.Now()
		token, err := refreshFrom(t, answerWith(status, body), nil)
		if err != nil {
			var failure *Failure
			if !errors.As(err, &failure) {
				t.Fatalf("%T is not a failure of the kind", err)
			}
			for _, words := range []string{failure.Code, failure.Description} {
				if strings.Contains(words, "r+1+1") || strings.Contains(words, "shush") {
					t.Fatalf("%q holds a secret", words)
				}
				if len(words) > maxWords || strings.ContainsAny(words, "\r\n") {
					t.Fatalf("%q is not fit for a log", words)
				}
			}
			return
		}
		earliest, latest := start.Add(time.Second), time.Now().Add(maxLifetime)
		if !transport.ValidToken(token.AccessToken) || token.Expiry.Before(earliest) || token.Expiry.After(latest) || status < 200 || status > 299 {
			t.Fatalf("status %d: %+v", status, token)
		}
	})
}

func TestCodeOfADeviceIsReadInWhateverUnitItLives(t *testing.T) {
	t.Parallel()
	for expires, want := range map[string]time.Duration{
		`300`: 5 * time.Minute, `300000`: 5 * time.Minute, `3600`: time.Hour, `3600000`: time.Hour, `"300000"`: 5 * time.Minute,
		`0`: 5 * time.Minute, `"soon"`: 5 * time.Minute, `1e12`: 5 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			server := Server{URL: "https://accounts.example", Transport: tokenServer(func(*http.Request) (*http.Response, error) {
				return answerWith(200, `{"device_code":"d","user_code":"u","verification_url":"https://v","expires_in":`+expires+`}`), nil
			})}
			code, err := server.DeviceCode(t.Context(), "id", "scope", "")
			require.NoError(t, err)
			require.Equal(t, DeviceCode{DeviceCode: "d", UserCode: "u", Address: "https://v", Expiry: time.Now().Add(want)}, code, expires)
		})
	}
	for _, body := range []string{`{}`, `{"device_code":"d","user_code":"u"}`, `{"device_code":"d d","user_code":"u","verification_url":"v"}`, `{"error":"invalid_client"}`} {
		server := Server{URL: "https://accounts.example", Transport: tokenServer(func(*http.Request) (*http.Response, error) {
			return answerWith(200, body), nil
		})}
		_, err := server.DeviceCode(t.Context(), "id", "scope", "consent")
		var f *Failure
		require.ErrorAs(t, err, &f, body)
	}
}

func TestDataCenterOfTheUserIsTold(t *testing.T) {
	t.Parallel()
	_, err := refreshFrom(t, answerWith(200, `{"error":"other_dc","user_location":"eu"}`), nil)
	var f *Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, Failure{Status: 200, Code: "other_dc", Location: "eu"}, *f)
}
