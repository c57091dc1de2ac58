package salesiq

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// ask runs code of the user's, such as a token store or a token source. It ends
// with ctx even if that code ignores its context, and returns a panic as an
// error.
func ask[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() { answers <- a }()
		defer func() {
			if p := recover(); p != nil {
				a.err = newPanicError(p)
			}
		}()
		a.value, a.err = f(ctx)
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// askFor is ask with a time limit.
func askFor[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	value, err := ask(ctx, f)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return value, err
}

// panicError is a panic in code of the user's. Its value may hold a secret, and is
// shown only if it is an error of the Go runtime.
type panicError struct {
	text  string
	stack []byte
}

func newPanicError(value any) error {
	p := &panicError{text: fmt.Sprintf("%T", value), stack: debug.Stack()}
	if err, ok := value.(runtime.Error); ok {
		p.text = err.Error()
	}
	return p
}

func (p *panicError) Error() string { return "panic: " + p.text }
