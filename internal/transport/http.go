package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// This file holds what is true of any exchange over HTTP, be it with the service
// or, in package oauth, with the OAuth server.

// What can be wrong with an exchange, as causes of a Failure.
var (
	ErrTransport = errors.New("no complete answer")
	ErrDecode    = errors.New("the answer was not understood")
	ErrRedirect  = errors.New("refused to follow a redirect")
	ErrTooLarge  = errors.New("the answer is too large")
)

// IsPermanent reports whether a broken exchange would break again.
func IsPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var lookup *net.DNSError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &lookup) && lookup.IsNotFound
}

// RefuseUpgrade closes a connection that the other side would go on to use for
// another protocol. It would be the answer's body, and no context ends that.
func RefuseUpgrade(response *http.Response) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		response.Body.Close()
		response.Body = http.NoBody
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
