package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// These run inside the package: what they call has no name outside.

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "7", "-1", "1.5", "99999999999", "9223372036854775807", "Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "soon", "0x10", " 7 "} {
		f.Add(value, "Sat, 01 Jan 2000 00:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		header := http.Header{"Retry-After": {value}, "Date": {date}}
		now := time.Now()
		wait, ok := RetryAfter(header, now)
		if ok && (wait < 0 || wait > maxRetryAfter) {
			t.Errorf("Retry-After %q is a wait of %v", value, wait)
		}
		at := retryAt(false, header, now)
		if ok == at.IsZero() || ok && (at.Before(now) || at.Sub(now) > maxRetryAfter) {
			t.Errorf("Retry-After %q is at %v, now being %v", value, at, now)
		}
	})
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("<html>\r\n\t<title>Bad Gateway</title>"))
	f.Add([]byte("\xff\xfe\x00\x1b[31m\u2028\u202e"))
	f.Add(bytes.Repeat([]byte("ü"), excerptBytes))
	f.Fuzz(func(t *testing.T, body []byte) {
		text := excerpt(body)
		if len(text) > excerptBytes || !utf8.ValidString(text) {
			t.Errorf("%q has %d bytes", text, len(text))
		}
		if strings.ContainsAny(text, "\r\n\t\x00\x1b\u2028") {
			t.Errorf("%q is not one line", text)
		}
	})
}

// canned answers everything alike.
type canned struct {
	status      int
	contentType string
	body        []byte
}

func (c *canned) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode:    c.status,
		Header:        http.Header{"Content-Type": {c.contentType}},
		ContentLength: -1,
		Body:          io.NopCloser(bytes.NewReader(c.body)),
		Request:       request,
	}, nil
}

// knownToken is one that must not come back.
type knownToken struct{}

const known = "1000.0123456789abcdef.fedcba9876543210"

func (knownToken) Header(context.Context) (string, error) { return "Zoho-oauthtoken " + known, nil }
func (knownToken) Rejected(string) Refusal                { return TokenKept }
func (knownToken) Accepted(string)                        {}

type open struct{}

func (open) Acquire(context.Context) (Lease, error) { return open{}, nil }
func (open) Done(Outcome)                           {}

// FuzzAnswer sends any answer through the whole pipeline.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"status":"success","data":{}}`))
	f.Add(200, "application/json", []byte(`{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"`+known+`"}`))
	f.Add(502, "text/html; charset=", []byte("<html>"+known))
	f.Add(404, "application/json", []byte(`{"status":"error","code":7,"message":null,"details":[`))
	f.Add(302, "", []byte{})
	f.Add(502, "text/plain", []byte(known[:20]+"\x17"+known[20:]))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		pipeline := New(Config{
			Base: &canned{status, contentType, body}, Tokens: knownToken{}, Limiter: open{},
			AttemptTimeout: time.Minute, StallTimeout: time.Minute, MaxBody: 4 << 10, MaxAttempts: 1, MaxWait: time.Minute,
		})
		answer, err := pipeline.Do(t.Context(), &Request{Method: "GET", URL: "https://salesiq.example/?q=private", Idempotent: true})
		if err == nil {
			if status < 200 || status > 299 || len(body) > 4<<10 || !bytes.Equal(answer.Body, body) {
				t.Errorf("HTTP %d with %d bytes is a success", status, len(body))
			}
			return
		}
		failure, ok := errors.AsType[*Failure](err)
		if !ok {
			t.Fatalf("%T is no failure", err)
		}
		text := strings.Join([]string{failure.Error(), failure.Excerpt, failure.ContentType, failure.Said.Message, failure.Said.Code}, "\n")
		if strings.Contains(text, known) || strings.Contains(text, "private") {
			t.Errorf("%q shows too much", text)
		}
		if len(failure.Excerpt) > excerptBytes || len(failure.ContentType) > maxLabel {
			t.Errorf("%q and %q are too long", failure.Excerpt, failure.ContentType)
		}
	})
}
