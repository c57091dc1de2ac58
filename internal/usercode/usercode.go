// Package usercode runs code that users bring along, such as a token store or a
// handler. It ends in time, and a panic in it is an error. [IsNil] tells whether
// there is any.
package usercode

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"time"
)

// IsNil reports whether there is no code to run: value is nil, or an interface that
// holds a nil pointer or func.
func IsNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return v.IsNil()
	default:
		return false
	}
}

// Ask runs f in a goroutine of its own. It ends with ctx even if f ignores its
// context, and returns a panic as an error.
func Ask[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
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
				a.err = NewPanic(p)
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

// AskWithin is [Ask] with a time limit.
func AskWithin[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	value, err := Ask(ctx, f)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return value, err
}

// PanicError is the error that stands for a panic. The panic's value may hold a
// secret, so Error shows it only if it is an error of the Go runtime.
type PanicError struct {
	Stack []byte // Where it happened.

	text string
}

// NewPanic returns the error for what recover returned.
func NewPanic(value any) error {
	p := &PanicError{text: fmt.Sprintf("%T", value), Stack: debug.Stack()}
	if err, ok := value.(runtime.Error); ok {
		p.text = err.Error()
	}
	return p
}

func (p *PanicError) Error() string { return "panic: " + p.text }
