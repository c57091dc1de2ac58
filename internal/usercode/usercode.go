// Package usercode runs code that users bring along, such as a token store or a
// handler. It runs in a goroutine of its own, so that nothing it does is lost or
// takes others with it:
//
//	what the code does              what the caller gets
//	------------------------------  ------------------------------------------
//	it returns                      what it returned
//	it panics                       a [PanicError]
//	it ends its goroutine           [ErrGoexit]
//	it goes on after the context    the context's cause, at once ([Ask])
//
// [IsNil] tells whether a user brought anything along.
package usercode

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"time"
)

// IsNil reports whether value is nil, or an interface that holds a nil pointer or
// func: there is nothing to call.
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

// Result is what code has returned.
type Result[T any] struct {
	Value T
	Err   error
}

// Start runs f in a goroutine of its own. The result arrives in the channel.
func Start[T any](f func() (T, error)) <-chan Result[T] {
	ended := make(chan Result[T], 1)
	go contain(f, func(r Result[T]) { ended <- r })
	return ended
}

// Call runs f in a goroutine of its own, and waits for its end.
func Call(f func() error) error {
	return (<-Start(func() (struct{}, error) { return struct{}{}, f() })).Err
}

// contain calls f and tells of its result, whether f returns or not.
func contain[T any](f func() (T, error), tell func(Result[T])) {
	result := Result[T]{Err: ErrGoexit} // Unless f returns or panics.
	defer func() {
		if p := recover(); p != nil {
			result.Err = NewPanic(p)
		}
		tell(result)
	}()
	result.Value, result.Err = f()
}

// CatchPanic makes a panic the error of the func that defers it.
func CatchPanic(err *error) {
	if p := recover(); p != nil { //nolint:revive // It is deferred itself.
		*err = NewPanic(p)
	}
}

// Ask runs f in a goroutine of its own. It ends with ctx even if f ignores its
// context.
func Ask[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return Borrow(ctx, f, func(T) {})
}

// Borrow is [Ask] for a value that must be given back. A value that comes after the
// end of ctx goes to giveBack, which must not panic.
func Borrow[T any](ctx context.Context, f func(context.Context) (T, error), giveBack func(T)) (T, error) {
	results, gone := make(chan Result[T]), make(chan struct{})
	go contain(func() (T, error) { return f(ctx) }, func(r Result[T]) {
		select {
		case results <- r:
		case <-gone:
			if r.Err == nil {
				giveBack(r.Value)
			}
		}
	})
	select {
	case r := <-results:
		return r.Value, r.Err
	case <-ctx.Done():
		close(gone)
		var none T
		return none, context.Cause(ctx)
	}
}

// AskWithin is [Ask] with a time limit.
func AskWithin[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	return BorrowWithin(ctx, limit, f, func(T) {})
}

// BorrowWithin is [Borrow] with a time limit.
func BorrowWithin[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error), giveBack func(T)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	value, err := Borrow(ctx, f, giveBack)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return value, err
}

// ErrGoexit stands for what code does not return when it calls runtime.Goexit.
var ErrGoexit = errors.New("the code has ended its goroutine")

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
