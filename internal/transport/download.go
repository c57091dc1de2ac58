package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Download takes the answer of a request as a file, as it arrives.
type Download struct {
	To    io.Writer
	Limit int64 // In bytes, after inflation.

	// Follow reports whether the answer may be fetched from an address that the
	// service redirects to. The request for it has no token.
	Follow func(*url.URL) bool

	Header  http.Header // Of the file, from before its first byte.
	Written int64       // Bytes that To has taken.
}

// rewinder is a writer that can begin anew, such as a file.
type rewinder interface {
	io.Seeker
	Truncate(size int64) error
}

// restartable reports whether To can take the file from its beginning.
func (d *Download) restartable() bool {
	if d.Written == 0 {
		return true
	}
	to, ok := d.To.(rewinder)
	if !ok {
		return false
	}
	return probe(to) == nil
}

// probe tells whether a writer can tell where it is. A pipe is a file that cannot.
func probe(to io.Seeker) (err error) {
	defer usercode.CatchPanic(&err)
	_, err = to.Seek(0, io.SeekCurrent)
	return err
}

// restart takes back what an earlier attempt has written.
func (d *Download) restart() (err error) {
	d.Header = nil
	if d.Written == 0 {
		return nil
	}
	defer usercode.CatchPanic(&err)
	to, ok := d.To.(rewinder)
	if !ok {
		return errUnwritten
	}
	start, err := to.Seek(-d.Written, io.SeekCurrent)
	if err == nil {
		err = to.Truncate(start)
	}
	if err == nil {
		d.Written = 0
	}
	return err
}

// errUnwritten means that the caller's own writer failed.
var errUnwritten = errors.New("the file could not be written")

// errNoFile means that the service has answered, but not with a file.
var errNoFile = fmt.Errorf("%w: no file", ErrDecode)

// errAway means that the file host did not give the file.
var errAway = errors.New("the file host refused")

// save hands an answer to the caller's writer. Header is that of the service's own
// answer, which may have been a redirect to the file.
func (s *sender) save(ctx context.Context, x *exchange, response *http.Response, header http.Header) *Failure {
	d := x.attempt.request.Download
	f := newFailure(response.StatusCode, header, nil, x.hide)
	f.Err = d.restart()
	if f.Err != nil {
		closeBody(response.Body)
		return f
	}
	x.Reader = response.Body
	err := s.copyFile(x, response, f)
	closeBody(response.Body)
	switch {
	case f.Said.Code != "" || f.Said.Message != "":
		return f
	case err == nil:
		x.answer = Answer{Status: response.StatusCode, Header: header, request: x.attempt.request, hide: &x.hide}
		return nil
	case errors.Is(err, errNoFile), errors.Is(err, ErrTooLarge), errors.Is(err, errUnwritten):
		f.Err = x.hide.InError(err)
		return f
	}
	return x.broken(ctx, err, f)
}

// peeked is how much of an answer may be a refusal or a page. Files are copied in
// pieces of that size.
const peeked = 32 << 10

// copyFile copies the body of an answer, unless it begins as something else than a
// file. A refusal is put into f.
func (s *sender) copyFile(x *exchange, response *http.Response, f *Failure) error {
	d := x.attempt.request.Download
	if response.ContentLength > d.Limit {
		return fmt.Errorf("%w: %d bytes, over %d", ErrTooLarge, response.ContentLength, d.Limit)
	}
	d.Header = response.Header
	block := make([]byte, peeked)
	n, err := 0, error(nil)
	if !isAttachment(response.Header) {
		n, err = fill(&x.watchdog, block)
		if what := s.refusal(response, block[:n], err, x.hide, f); what != nil {
			return what
		}
	}
	silence := 0
	for {
		if n > 0 {
			silence = 0
			if err := x.write(block[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // The end is a bare EOF.
			return nil
		case err != nil:
			return err
		case silence == maxSilence:
			return io.ErrNoProgress
		}
		silence++
		n, err = x.take(block)
	}
}

// take reads a piece of an answer. A reader that panics is an error.
func (x *exchange) take(b []byte) (n int, err error) {
	defer usercode.CatchPanic(&err)
	return x.Read(b)
}

// fill reads until b is full or the answer ends.
func fill(from io.Reader, b []byte) (n int, err error) {
	defer usercode.CatchPanic(&err)
	for silence := 0; n < len(b) && err == nil; silence++ {
		if silence == maxSilence {
			return n, io.ErrNoProgress
		}
		var more int
		if more, err = from.Read(b[n:]); more > 0 {
			n, silence = n+more, 0
		}
	}
	return n, err
}

// write hands a piece to the caller's writer, which may take its time.
func (x *exchange) write(piece []byte) error {
	d := x.attempt.request.Download
	if d.Written+int64(len(piece)) > d.Limit {
		return fmt.Errorf("%w: over %d bytes", ErrTooLarge, d.Limit)
	}
	return x.pauseFor(len(piece), func() error {
		n, err := d.hand(piece)
		d.Written += int64(max(0, min(n, len(piece))))
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errUnwritten, err)
		}
		return nil
	})
}

// hand calls the caller's writer. A panic is an error.
func (d *Download) hand(piece []byte) (n int, err error) {
	defer usercode.CatchPanic(&err)
	return d.To.Write(piece)
}

// isAttachment reports whether an answer calls itself a file.
func isAttachment(header http.Header) bool {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	return err == nil && (strings.EqualFold(kind, "attachment") || params["filename"] != "")
}

// refusal tells what else than a file an answer is that does not call itself one. The
// service refuses with status 200, too, and a proxy may answer with a page. Start is
// where the answer begins, or all of it if err is its end.
func (s *sender) refusal(response *http.Response, start []byte, err error, hide redact.Secrets, f *Failure) error {
	if err == io.EOF { //nolint:errorlint // The end is a bare EOF.
		if _, refused := wire.Refusal(start); refused {
			said, _ := wire.Refusal(hide.InBody(start))
			f.Dialect = wire.Spoken(start)
			f.say(said)
			return errNoFile
		}
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) //nolint:errcheck // As good as absent.
	if kind == "text/html" || kind == "" && bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) {
		f.Excerpt = excerpt(hide.InBody(start))
		return fmt.Errorf("%w, but a page", errNoFile)
	}
	return nil
}

// isFile reports whether an answer may be the file that is due.
func isFile(response *http.Response, asked http.Header) bool {
	switch response.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNonAuthoritativeInfo:
		return true
	case http.StatusPartialContent:
		return asked.Get("Range") != ""
	}
	return false
}

// mostHops bounds the redirects on the way to a file.
const mostHops = 3

// receiveFile reads the answer to a request for a file: here, or where it redirects to.
func (s *sender) receiveFile(ctx context.Context, x *exchange, response *http.Response) *Failure {
	if isFile(response, x.attempt.request.Header) {
		return s.save(ctx, x, response, response.Header)
	}
	address := s.elsewhere(x, response)
	if address == nil {
		return s.receiveNoFile(ctx, x, response)
	}
	closeBody(response.Body)
	first := response
	for range mostHops {
		host := address.Host
		next, err := s.fetch(ctx, address) //nolint:bodyclose // It is closed below, or by save.
		if err != nil {
			return x.broken(ctx, fmt.Errorf("%s: %w", host, redact.StripURL(err)), newFailure(first.StatusCode, first.Header, nil, x.hide))
		}
		if isFile(next, nil) {
			return s.save(ctx, x, next, first.Header)
		}
		closeBody(next.Body)
		if address = s.elsewhere(x, next); address == nil {
			return x.refusedBy(next, host, first)
		}
	}
	f := newFailure(first.StatusCode, first.Header, nil, x.hide)
	f.Err = fmt.Errorf("%w: one too many", ErrRedirect)
	return f
}

// receiveNoFile reads an answer that is no file, which is a failure.
func (s *sender) receiveNoFile(ctx context.Context, x *exchange, response *http.Response) *Failure {
	f := s.receive(ctx, x, response)
	if f == nil {
		f = newFailure(response.StatusCode, response.Header, x.answer.Body, x.hide)
		f.Err = fmt.Errorf("%w, but HTTP %d", errNoFile, response.StatusCode)
		x.answer.Release()
	}
	return f
}

// elsewhere returns where an answer redirects to, if the file may be fetched there.
func (s *sender) elsewhere(x *exchange, response *http.Response) *url.URL {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if x.attempt.request.Method != http.MethodGet {
			return nil
		}
	default:
		return nil
	}
	address, err := response.Location()
	if err != nil || address.User != nil || !x.attempt.request.Download.Follow(address) {
		return nil
	}
	return address
}

// fetch asks for a file at another address, without token, cookies and the caller's
// headers. Its request is part of an attempt: it has no lease, no line in the log and no
// tracer of its own, and net/http may repeat it.
func (s *sender) fetch(ctx context.Context, address *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody) //nolint:gosec // Follow permits the address.
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Accept": anyType, "User-Agent": s.userAgent}
	response, err := RoundTrip(s.base.next, request)
	if err == nil && response.Request == nil {
		response = new(*response)
		response.Request = request // Against which it resolves a redirect.
	}
	return response, err
}

// refusedBy is the failure of a file host. It has the status of the service's own
// answer, since what a file host says is not about the service.
func (x *exchange) refusedBy(answer *http.Response, host string, first *http.Response) *Failure {
	f := newFailure(first.StatusCode, first.Header, nil, x.hide)
	f.RequestID = cmp.Or(f.RequestID, requestID(answer.Header, x.hide))
	cause := errAway
	if isOutage(answer.StatusCode) || answer.StatusCode == http.StatusTooManyRequests {
		cause = fmt.Errorf("%w: %w", ErrTransport, errAway)
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		cause = fmt.Errorf("%w: %w", ErrRedirect, errAway)
	}
	f.Err = fmt.Errorf("%w: %s answered HTTP %d", cause, x.hide.InText(host), answer.StatusCode)
	return f
}
