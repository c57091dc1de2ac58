package transport

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// This file holds what is true of any request over HTTP, be it to the service
// or, in package oauth, to the OAuth server.

// What can be wrong with a request or its answer, as causes of a Failure.
var (
	ErrTransport = errors.New("no complete answer")
	ErrDecode    = errors.New("the answer was not understood")
	ErrRedirect  = errors.New("refused to follow a redirect")
	ErrTooLarge  = errors.New("the answer is too large")
)

// IsPermanent reports whether a request that failed with err would fail again.
func IsPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var lookup *net.DNSError
	var panicked *usercode.PanicError
	var proxy *ProxyError
	return errors.As(err, &proxy) && proxy.permanent() || errors.As(err, &panicked) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &lookup) && lookup.IsNotFound || isRefusal(err)
}

// isRefusal reports whether the other side ended a TLS handshake with an alert: it
// wants another version, name or certificate. Other alerts are about one connection
// alone. TestTLSSaysWithWhichAlertAServerRefuses holds the texts.
func isRefusal(err error) bool {
	alert, ok := errors.AsType[*net.OpError](err)
	if !ok || alert.Op != "remote error" {
		return false
	}
	switch alert.Err.Error() {
	case "tls: internal error", "tls: user canceled", "tls: bad record MAC", "tls: unexpected message", "tls: close notify":
		return false
	}
	return true
}

// RoundTrip sends a request through a RoundTripper that may be careless: the answer
// it returns has a header and a body, or it returns an error. An answer in another
// protocol has no body: it would be the connection, and no context ends that.
func RoundTrip(base http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := base.RoundTrip(request)
	if err != nil {
		err = nameProxy(base, err)
	}
	if response == nil {
		return nil, cmp.Or(err, errNothing)
	}
	if err != nil || response.StatusCode == http.StatusSwitchingProtocols {
		closeBody(response.Body)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusSwitchingProtocols || response.Body == nil || response.Header == nil {
		response = new(*response) // It may be used again by whoever made it.
		if response.StatusCode == http.StatusSwitchingProtocols || response.Body == nil {
			response.Body = http.NoBody
		}
		if response.Header == nil {
			response.Header = http.Header{}
		}
	}
	return response, nil
}

var errNothing = errors.New("the transport returned neither an answer nor an error")

// closeBody closes a body of which nothing more is wanted, whatever its Close does.
func closeBody(body io.Closer) {
	defer func() { _ = recover() }() //nolint:errcheck // See above.
	if body != nil {
		body.Close() //nolint:errcheck // See above.
	}
}

// RefuseRedirect returns an [ErrRedirect] that names the host, or nil for any
// other answer.
func RefuseRedirect(response *http.Response, hide redact.Secrets) error {
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return nil
	}
	host := "nowhere"
	if location, err := response.Location(); err == nil {
		host = location.Scheme + "://" + location.Host
	}
	return fmt.Errorf("%w to %s", ErrRedirect, hide.InText(host))
}

// RetryAfter reads the pause that a server asks for in the header of that name. A
// date is compared with the answer's own Date, so that a wrong local clock changes
// nothing; now stands in where there is none.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	wait := time.Duration(-1)
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		if date := parseDate(header.Get("Date")); !date.IsZero() {
			now = date
		}
		wait = max(0, at.Sub(now))
	}
	return wait, wait >= 0 && wait <= maxRetryAfter
}
