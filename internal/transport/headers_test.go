package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/redact"
)

func TestRateHeadersAreBelievedWithinReason(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	at := func(in time.Duration) string { return strconv.FormatInt(now.Add(in).Unix(), 10) }
	most := strconv.Itoa(math.MaxInt32)
	for _, tt := range []struct {
		why                     string
		limit, remaining, reset string
		want                    Window
	}{
		{"nothing", "", "", "", Window{}},
		{"all", "10", "7", at(time.Minute), Window{Known: true, Limit: 10, Remaining: 7, Reset: now.Add(time.Minute), ResetIn: time.Minute}},
		{"the smallest numbers", "1", "0", at(time.Second), Window{Known: true, Limit: 1, Reset: now.Add(time.Second), ResetIn: time.Second}},
		{"the largest numbers", most, most, "", Window{Known: true, Limit: math.MaxInt32, Remaining: math.MaxInt32}},
		{"more than the largest that remain", "10", "9000000000", "", Window{Known: true, Limit: 10, Remaining: math.MaxInt32}},
		{"a limit of none", "0", "0", "", Window{}},
		{"a limit of more than the largest", "2147483648", "7", "", Window{}},
		{"a limit that is no number", "ten", "7", "", Window{}},
		{"fewer than none remain", "10", "-1", "", Window{}},
		{"a limit alone", "10", "", "", Window{}},
		{"what remains alone", "", "7", "", Window{}},
		{"a reset that is now", "", "", at(0), Window{Reset: now}},
		{"a reset in the past", "", "", at(-time.Second), Window{Reset: now.Add(-time.Second)}},
		{"a reset further away", "", "", at(time.Hour + time.Second), Window{Reset: now.Add(time.Hour + time.Second)}},
		{"the first second of all", "", "", "1", Window{Reset: time.Unix(1, 0)}},
		{"a reset of zero", "", "", "0", Window{}},
		{"a reset in milliseconds", "", "", at(0) + "000", Window{}},
		{"the last reset that can be seconds", "", "", "8589934588", Window{Reset: time.Unix(8589934588, 0)}},
		{"one more", "", "", "8589934589", Window{}},
	} {
		header := http.Header{"X-Ratelimit-Limit": {tt.limit}, "X-Ratelimit-Remaining": {tt.remaining}, "X-Ratelimit-Reset": {tt.reset}}
		assert.Equal(t, tt.want, ParseWindow(header, now), tt.why)
		limit, ok := ParseLimit(header)
		if tt.want.Known {
			assert.True(t, ok, tt.why)
			assert.Equal(t, tt.want.Limit, limit, tt.why)
		}
	}
	header := http.Header{"Date": {now.Add(time.Hour).UTC().Format(http.TimeFormat)}, "X-Ratelimit-Reset": {at(time.Hour + time.Minute)}}
	assert.Equal(t, time.Minute, ParseWindow(header, now).ResetIn, "by the clock that told it")
}

// R4, R5: without a Date nobody knows by which clock a reset is. No window is as long as it
// would have to be.
func TestResetIsUnknownIfOneOfTheClocksMustBeWrong(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		why  string
		date time.Time // Zero for none.
		in   time.Duration
		want time.Duration
	}{
		{"a reset of its Date's clock", now, 62 * time.Second, 62 * time.Second},
		{"the furthest reset", now, time.Hour, time.Hour},
		{"a reset further away", now, time.Hour + time.Second, 0},
		{"the furthest reset of a clock ten minutes ahead", now.Add(10 * time.Minute), 70 * time.Minute, time.Hour},
		{"no Date, and the furthest reset", time.Time{}, 62 * time.Second, 62 * time.Second},
		{"no Date, and a reset further away", time.Time{}, 63 * time.Second, 0},
		{"no Date, and a clock ten minutes ahead", time.Time{}, 10*time.Minute + 30*time.Second, 0},
		{"no Date, and a clock ten minutes behind", time.Time{}, -10*time.Minute + 30*time.Second, 0},
	} {
		header := http.Header{"X-Ratelimit-Reset": {strconv.FormatInt(now.Add(tt.in).Unix(), 10)}}
		if !tt.date.IsZero() {
			header.Set("Date", tt.date.UTC().Format(http.TimeFormat))
		}
		w := ParseWindow(header, now)
		assert.Equal(t, tt.want, w.ResetIn, tt.why)
		assert.Equal(t, now.Add(tt.in), w.Reset, tt.why)
	}
}

func TestPauseThatAServerAsksForIsBelievedUpToADay(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	date := func(in time.Duration) string { return now.Add(in).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		value, date string
		wait        time.Duration
		ok          bool
	}{
		{"", "", -1, false},
		{"0", "", 0, true},
		{"1", "", time.Second, true},
		{"86400", "", 24 * time.Hour, true},
		{"86401", "", 24*time.Hour + time.Second, false},
		{"-1", "", -time.Second, false},
		{"soon", "", -1, false},
		{date(time.Minute), "", time.Minute, true},
		{date(-time.Minute), "", 0, true},
		{date(24 * time.Hour), "", 24 * time.Hour, true},
		{date(25 * time.Hour), "", 25 * time.Hour, false},
		{date(25 * time.Hour), date(24 * time.Hour), time.Hour, true},
	} {
		wait, ok := RetryAfter(http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}, now)
		assert.Equal(t, tt.ok, ok, "%q, on %q", tt.value, tt.date)
		assert.Equal(t, tt.wait, wait, "%q, on %q", tt.value, tt.date)
	}
}

func TestTokenThatFitsIntoAHeader(t *testing.T) {
	t.Parallel()
	for token, valid := range map[string]bool{
		"": false, "a": true, "1000.a-b_c~!": true, "a b": false, " ": false, "!": true, "~": true, "\x7f": false, "a\n": false, "ö": false,
		strings.Repeat("a", 8<<10): true, strings.Repeat("a", 8<<10+1): false,
	} {
		assert.Equal(t, valid, ValidToken(token), "%.20q, %d bytes", token, len(token))
	}
}

func TestWhichBrokenExchangesWouldBreakAgain(t *testing.T) {
	t.Parallel()
	alert := func(operation, text string) error {
		return fmt.Errorf("wrapped: %w", &net.OpError{Op: operation, Err: errors.New(text)})
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("reset"), false},
		{&net.DNSError{IsNotFound: true}, true},
		{&net.DNSError{IsTimeout: true}, false},
		{&tls.CertificateVerificationError{Err: errors.New("expired")}, true},
		{tls.RecordHeaderError{Msg: "no TLS"}, true},
		{alert("remote error", "tls: handshake failure"), true},
		{alert("remote error", "tls: protocol version not supported"), true},
		{alert("remote error", "tls: internal error"), false},
		{alert("remote error", "tls: user canceled"), false},
		{alert("remote error", "tls: bad record MAC"), false},
		{alert("remote error", "tls: unexpected message"), false},
		{alert("remote error", "tls: close notify"), false},
		{alert("read", "tls: handshake failure"), false},
	} {
		assert.Equal(t, tt.want, IsPermanent(tt.err), "%v", tt.err)
	}
}

func TestFailureQuotesNoMoreThanFitsIntoALog(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]int{511: 511, 512: 512, 513: 512, 5000: 512} {
		assert.Len(t, excerpt([]byte(strings.Repeat("x", length))), want)
	}
	for length, want := range map[int]int{127: 127, 128: 128, 129: 128} {
		assert.Len(t, label(strings.Repeat("x", length)), want)
	}
	// A secret that begins before the cut and ends behind it is hidden.
	assert.NotContains(t, excerpt([]byte(`{"x":"`+strings.Repeat("x", 480)+`","token":"`+strings.Repeat("s", 1000)+`"}`)), "ss")
	assert.Equal(t, "r1", requestID(http.Header{"X-Request-Id": {"r1"}, "X-Correlation-Id": {"r2"}}, redact.Secrets{}))
	assert.Equal(t, "r2", requestID(http.Header{"X-Correlation-Id": {"r2"}}, redact.Secrets{}))
	assert.Empty(t, requestID(http.Header{}, redact.Secrets{}))
}
