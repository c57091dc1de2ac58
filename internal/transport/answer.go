package transport

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Answer is a successful outcome.
type Answer struct {
	Status   int
	Header   http.Header
	Body     []byte // Valid until Release.
	Attempts int
	Waited   time.Duration // Of its call; zero unless somebody wants to know.

	request *Request
	hide    *redact.Secrets // What must not be seen of the request; nil for nothing.
	buffer  *buffer         // That Body is in; nil if nobody else uses its memory.
}

// secrets is what must not be seen of the request.
func (a *Answer) secrets() redact.Secrets {
	if a.hide == nil {
		return redact.Secrets{}
	}
	return *a.hide
}

// Release gives the body's memory back. Whoever keeps the body copies it first.
func (a *Answer) Release() {
	if a.buffer != nil {
		a.buffer.free()
		a.buffer, a.Body = nil, nil
	}
}

// Undecodable is the failure of a caller who could not make sense of the body.
func (a *Answer) Undecodable(cause error) *Failure {
	kind := ErrDecode
	if errors.Is(cause, io.ErrUnexpectedEOF) {
		kind = ErrTransport
	}
	hide := a.secrets()
	f := newFailure(a.Status, a.Header, a.Body, hide)
	f.Err = fmt.Errorf("%w: %w", kind, hide.InError(cause))
	f.MaybeProcessed = !a.request.Idempotent
	return f
}

// buffer is memory that answers use one after the other.
type buffer struct{ data []byte }

// buffers holds memory between answers. Rare large ones are left to the garbage
// collector.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

const maxPooled = 1 << 20

// free gives the memory back. Nobody may use a part of it after that.
func (b *buffer) free() {
	if cap(b.data) <= maxPooled {
		b.data = b.data[:0]
		buffers.Put(b)
	}
}

const (
	minBuffer  = 4 << 10
	maxSilence = 100 // Reads that return nothing, one after the other.
)

// readAll reads src into a pooled buffer. It believes a header's size only so
// far, and grows such that all memory together, outgrown buffers included, is no
// larger than twice the limit. A reader that panics, or has nothing to say for too
// often, is an error.
func readAll(src io.Reader, sizeHint, limit int64) (whole *buffer, err error) {
	most := int(min(limit, math.MaxInt-1)) + 1 // A byte over the limit tells.
	whole = buffers.Get().(*buffer)            //nolint:forcetypeassert // The pool holds nothing else.
	defer func() {
		if p := recover(); p != nil {
			err = usercode.NewPanic(p)
		}
	}()
	b, silence := whole.data, 0
	if want := int(min(sizeHint, maxPooled-1)) + 1; want > cap(b) {
		b = make([]byte, 0, max(want, minBuffer))
	}
	for {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), nextSize(cap(b), most))
			copy(grown, b)
			b = grown
		}
		n, err := src.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		whole.data = b
		if silence++; n > 0 {
			silence = 0
		}
		switch {
		case len(b) >= most:
			return whole, ErrTooLarge
		case err == io.EOF:
			return whole, nil
		case err != nil:
			return whole, err
		case silence == maxSilence:
			return whole, io.ErrNoProgress
		}
	}
}

func nextSize(size, most int) int {
	next := 2 * max(size, minBuffer)
	if next > most/2 {
		return most
	}
	return next
}
