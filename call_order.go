package salesiq

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"sync"
)

// callsInOrder is inOrder for calls. The Response of [WithResponse] is filled when
// the consumer comes to the call.
func callsInOrder[In, Out any](
	ctx context.Context, client *Client, opts []CallOption, inputs iter.Seq[In],
	fn func(context.Context, In, []CallOption) Out,
) iter.Seq[Out] {
	if ctx == nil || client.usable() != nil { // Each call reports it.
		return inTurn(inputs, func(input In) Out { return fn(ctx, input, opts) })
	}
	options, _ := newCallOptions(opts) //nolint:errcheck // Each call reports it.
	response := options.response
	type outcome struct {
		out      Out
		response Response
	}
	run := func(ctx context.Context, input In) (o outcome) {
		own := opts
		if response != nil {
			own = append(slices.Clip(opts), WithResponse(&o.response))
		}
		o.out = fn(ctx, input, own)
		return o
	}
	return func(yield func(Out) bool) {
		for o := range inOrder(ctx, client.width, inputs, run) {
			if o.response.StatusCode != 0 {
				response.take(o.response)
			}
			if !yield(o.out) {
				return
			}
		}
	}
}

// inTurn applies fn to one input after the other.
func inTurn[In, Out any](inputs iter.Seq[In], fn func(In) Out) iter.Seq[Out] {
	return func(yield func(Out) bool) {
		for input := range inputs {
			if !yield(fn(input)) {
				return
			}
		}
	}
}

// inOrder applies fn to each input, up to width of them at a time, and yields
// the results in the order of the inputs. It works ahead of its consumer; once
// the consumer stops, it cancels what is under way and leaves no goroutine. The
// width, at least 1, may change meanwhile. If fn panics or ends its goroutine, the
// same happens to the consumer, as if the consumer had called fn.
func inOrder[In, Out any](ctx context.Context, width func() int, inputs iter.Seq[In], fn func(context.Context, In) Out) iter.Seq[Out] {
	return func(yield func(Out) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		next, stop := iter.Pull(inputs)
		defer stop()

		var waiting []chan ending[Out] // Oldest first.
		begin := func() {
			for len(waiting) < width() {
				input, ok := next()
				if !ok {
					return
				}
				result := make(chan ending[Out], 1)
				running.Go(func() { endWith(result, func() Out { return fn(ctx, input) }) })
				waiting = append(waiting, result)
			}
		}
		for begin(); len(waiting) > 0; {
			result := <-waiting[0]
			waiting = waiting[1:]
			begin()
			if !yield(result.must()) {
				return
			}
		}
	}
}

// ending is how a function ended: it returned, it panicked, or it ended its
// goroutine.
type ending[T any] struct {
	value    T
	returned bool
	panicked any
}

func endWith[T any](result chan<- ending[T], fn func() T) {
	var e ending[T]
	defer func() {
		e.panicked = recover()
		result <- e
	}()
	e.value = fn()
	e.returned = true
}

// must returns the value, or ends its caller as the function ended.
func (e ending[T]) must() T {
	if e.panicked != nil {
		panic(e.panicked)
	}
	if !e.returned {
		runtime.Goexit()
	}
	return e.value
}
