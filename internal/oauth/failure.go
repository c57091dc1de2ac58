package oauth

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// Failure is an exchange with the OAuth server that ended without success.
type Failure struct {
	Status      int           // 0 without an answer.
	Code        string        // The server's own, if it gave one.
	Description string        // The server's own, if it gave one.
	Location    string        // Where the account lives, if the server says so.
	Throttled   bool          // The server asks for a pause.
	Unreachable bool          // Another request, a moment later, may well get through.
	RetryAfter  time.Duration // The pause that the server asks for; 0 if it does not.
	Err         error         // What went wrong, unless the server gave a code.
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Err.Error()
	}
	return f.Code
}

func (f *Failure) Unwrap() error { return f.Err }

// ConsentFailure is what the server says, in the callback, of a user who comes
// back without a code.
func ConsentFailure(code, description string) *Failure {
	nothing := redact.Secrets{}
	return &Failure{Code: shortLine(code, nothing), Description: shortLine(description, nothing)}
}

// broken is the failure of an exchange that ended before it had an answer.
func broken(ctx context.Context, err error, hide redact.Secrets) *Failure {
	f := new(Failure)
	f.breakOff(ctx, err, hide)
	return f
}

// breakOff notes that the exchange ended early. What was there before then counts: that the
// server asks for a pause. The context's own reason comes before what the connection made of it.
func (f *Failure) breakOff(ctx context.Context, err error, hide redact.Secrets) {
	cause := context.Cause(ctx)
	f.Unreachable = cause == nil && !f.Throttled && !transport.IsPermanent(err)
	f.Err = cmp.Or(cause, hide.InError(redact.StripURL(err)))
}

const maxWords = 256 // Bytes, of the server's own code and description.

// shortLine makes what the server says fit for an error.
func shortLine(words string, hide redact.Secrets) string {
	words = hide.InText(redact.OneLine(words))
	return strings.ToValidUTF8(words[:min(len(words), maxWords)], "")
}
