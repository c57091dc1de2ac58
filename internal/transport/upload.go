package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Upload is a body that is sent as it is read.
type Upload struct {
	Length int64 // In bytes; -1 if it is not known.
	Once   bool  // What Open returns can be read once.

	// Open begins the body anew, and leaves what may fail or take time to the first
	// read. A body that can be read once may be opened again as long as nothing of
	// it was read.
	Open func() io.ReadCloser

	gone atomic.Bool // It cannot be sent again.
}

// repeatable reports whether another attempt can send the same request and take an
// answer from its beginning.
func (r *Request) repeatable() bool {
	return (r.Upload == nil || !r.Upload.gone.Load()) && (r.Download == nil || r.Download.restartable())
}

// errUnread means that the caller's own reader failed.
var errUnread = errors.New("the body could not be read")

// errOver ends the reading of a body whose attempt is over.
var errOver = errors.New("the attempt is over")

// uploading is an upload on its way in one attempt. Nobody reads from the source once
// the attempt is over, although net/http might.
type uploading struct {
	upload  *Upload
	source  io.ReadCloser
	watch   *watchdog
	gate    chan struct{} // Holds one value while nobody reads.
	over    atomic.Bool
	closed  bool
	silence int
	err     error // Of the source.
}

// open opens the upload of an exchange, if it has one. An earlier opening is ended
// first.
func (x *exchange) open(ctx context.Context, request *http.Request) error {
	u := x.attempt.request.Upload
	if u == nil {
		return nil
	}
	if !x.endUpload(ctx) {
		return fmt.Errorf("%w: a read has not ended", errUnread)
	}
	x.up = &uploading{upload: u, source: u.Open(), watch: &x.watchdog, gate: make(chan struct{}, 1)}
	x.up.gate <- struct{}{}
	request.Body, request.ContentLength = x.up, u.Length
	if u.Length == 0 {
		request.Body = http.NoBody
	}
	return nil
}

// Read reads from the source on behalf of net/http.
func (u *uploading) Read(b []byte) (n int, err error) {
	<-u.gate
	defer func() {
		if u.over.Load() {
			u.close()
		}
		u.gate <- struct{}{}
	}()
	if u.over.Load() {
		return 0, errOver
	}
	defer func() {
		if err != nil && err != io.EOF { //nolint:errorlint // The end is a bare EOF.
			u.err = err
		}
	}()
	n, err = u.read(b)
	if n > 0 {
		u.watch.extend(n)
	}
	return n, err
}

func (u *uploading) read(b []byte) (n int, err error) {
	defer usercode.CatchPanic(&err)
	n, err = u.source.Read(b)
	switch {
	case n < 0 || n > len(b):
		return 0, errors.New("the reader returned an impossible count")
	case n > 0:
		u.silence = 0
	case err == nil:
		if u.silence++; u.silence == maxSilence {
			err = io.ErrNoProgress
		}
	}
	if u.upload.Once && (n > 0 || err != nil) {
		u.upload.gone.Store(true)
	}
	return n, err
}

// close is for whoever holds the gate.
func (u *uploading) close() {
	if !u.closed {
		u.closed = true
		closeBody(u.source)
	}
}

// Close is for net/http. The source is closed when the attempt is over.
func (u *uploading) Close() error { return nil }

// endUpload waits until nobody reads from the source, and closes it. It does not wait
// for longer than a read may take: an upload whose reader hangs is not sent again, and
// is closed when the read returns. It reports whether the reading has ended.
func (x *exchange) endUpload(ctx context.Context) bool {
	u := x.up
	if u == nil {
		return true
	}
	x.up = nil
	u.over.Store(true)
	timer := time.NewTimer(x.stall)
	defer timer.Stop()
	select {
	case <-u.gate:
	default:
		select {
		case <-u.gate:
		case <-ctx.Done():
			u.upload.gone.Store(true)
			return false
		case <-timer.C:
			u.upload.gone.Store(true)
			return false
		}
	}
	x.unread = u.err
	u.close()
	u.gate <- struct{}{}
	return true
}

// blameReader tells a failure of the caller's reader from one of the connection. A
// request whose body broke off was not a whole one, but some of it was sent.
func (x *exchange) blameReader(ctx context.Context, f *Failure) {
	if f != nil && f.Status == 0 && x.unread != nil && ctx.Err() == nil {
		f.Err = fmt.Errorf("%w: %w", errUnread, x.hide.InError(x.unread))
	}
}
