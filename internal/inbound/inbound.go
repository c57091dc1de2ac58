// Package inbound reads what the service sends to a handler, whose signature covers the
// body as it was sent.
package inbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// What a body can be refused for. Any other error of [ReadBody] is a body that breaks off.
var (
	// ErrTooLarge means that a body is over the limit. The rest of it was not read, so
	// that the connection must be closed.
	ErrTooLarge = errors.New("the body is too large")
	// ErrCompressed means that a body is compressed. Nothing says which form is signed.
	ErrCompressed = errors.New("the body is compressed")
)

// Room that is made for a body before any of it has arrived.
const (
	unknownLength = 512     // Bytes, if no length was announced.
	firstRead     = 1 << 10 // Bytes at most, whatever length was announced.
)

// ReadBody returns the body of a request, if it has at most so many bytes. Anybody can
// announce a length, so the room for the body grows with what arrives: to twice that, but
// not beyond the announced length. One byte more lets the last read see the end.
func ReadBody(request *http.Request, most int64) ([]byte, error) {
	for _, encoding := range request.Header["Content-Encoding"] {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return nil, ErrCompressed
		}
	}
	if request.Body == nil {
		return nil, nil // A request that a test has made.
	}
	if request.ContentLength > most {
		return nil, ErrTooLarge
	}
	body := make([]byte, 0, min(max(request.ContentLength, unknownLength-1), firstRead)+1)
	for {
		n, err := request.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, readError(err)
		case len(body) == cap(body):
			room := int64(2 * len(body))
			if announced := request.ContentLength; announced >= int64(len(body)) {
				room = min(room, announced+1)
			}
			body = append(make([]byte, 0, room), body...)
		}
	}
}

// readError returns why a body could not be read. A limit of whoever is in front of the
// handler is one, too.
func readError(err error) error {
	if _, bounded := errors.AsType[*http.MaxBytesError](err); bounded {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("reading the body: %w", err)
}
