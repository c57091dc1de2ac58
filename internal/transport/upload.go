package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
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

// uploading is an upload on its way in one attempt. The caller's reader runs in a
// goroutine of its own, since net/http waits for it, and it may hang. Nobody reads once
// the attempt is over.
type uploading struct {
	ctx    context.Context // Of the attempt.
	upload *Upload
	source io.ReadCloser
	watch  *watchdog
	over   chan struct{} // Closed when nobody is to read any more.

	mu      sync.Mutex // Guards what follows.
	piece   []byte     // That the source reads into.
	pending <-chan usercode.Result[int]
	silence int
	err     error // Of the source.
}

// maxPiece is how much is read at a time, which is what net/http asks for.
const maxPiece = 32 << 10

// open opens the upload of an exchange, if it has one. An earlier opening is ended
// first.
func (x *exchange) open(ctx context.Context, request *http.Request) error {
	u := x.attempt.request.Upload
	if u == nil {
		return nil
	}
	if ended, _ := x.endUpload(ctx); !ended { //nolint:errcheck // A read that has failed is tried anew.
		return fmt.Errorf("%w: a read has not ended", errUnread)
	}
	x.up = &uploading{ctx: ctx, upload: u, source: u.Open(), watch: &x.watchdog, piece: make([]byte, maxPiece), over: make(chan struct{})}
	request.Body, request.ContentLength = x.up, u.Length
	if u.Length == 0 {
		request.Body = http.NoBody
	}
	return nil
}

// Read reads from the source on behalf of net/http.
func (u *uploading) Read(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	select {
	case <-u.over:
		return 0, errOver
	case <-u.ctx.Done():
		return 0, errOver
	default:
	}
	piece := u.piece[:min(len(b), len(u.piece))]
	u.pending = usercode.Start(func() (int, error) { return u.source.Read(piece) })
	select {
	case r := <-u.pending:
		u.pending = nil
		n, err := u.judge(r.Value, len(piece), r.Err)
		return copy(b, piece[:n]), err
	case <-u.over:
		return 0, errOver
	case <-u.ctx.Done():
		return 0, errOver
	}
}

// judge notes the result of a read.
func (u *uploading) judge(n, most int, err error) (int, error) {
	switch {
	case n < 0 || n > most:
		n, err = 0, errors.New("the reader returned an impossible count")
	case n > 0:
		u.silence = 0
		u.watch.extend(n)
	case err == nil:
		if u.silence++; u.silence == maxSilence {
			err = io.ErrNoProgress
		}
	}
	if u.upload.Once && (n > 0 || err != nil) {
		u.upload.gone.Store(true)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // The end is a bare EOF.
		u.err = err
	}
	return n, err
}

// Close is for net/http. The source is closed when the attempt is over.
func (u *uploading) Close() error { return nil }

// endUpload waits until nobody reads from the source, and closes it. It does not wait
// for longer than a read may take: an upload whose reader hangs is not sent again, and is closed
// when the reader returns. It reports whether the reading has ended, and the error of
// the reader.
func (x *exchange) endUpload(ctx context.Context) (ended bool, unread error) {
	u := x.up
	if u == nil {
		return true, nil
	}
	x.up = nil
	close(u.over)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending != nil && !u.await(ctx, x.patience.stall) {
		u.upload.gone.Store(true)
		go func() {
			<-u.pending
			closeBody(u.source)
		}()
		return false, nil
	}
	closeBody(u.source)
	return true, u.err
}

// await reports whether the read that is under way has returned in time.
func (u *uploading) await(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-u.pending:
		u.judge(r.Value, maxPiece, r.Err) //nolint:errcheck // It is noted.
		return true
	case <-ctx.Done():
		return false
	case <-timer.C:
		return false
	}
}

// blameReader tells a failure of the caller's reader from one of the connection. A
// request whose body broke off was not a whole one, but some of it was sent.
func (x *exchange) blameReader(ctx context.Context, f *Failure, unread error) {
	if f != nil && f.Status == 0 && unread != nil && ctx.Err() == nil {
		f.Err = fmt.Errorf("%w: %w", errUnread, x.hide.InError(unread))
	}
}
