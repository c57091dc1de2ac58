// Package hooks calls the funcs of tracers. One that is told of a beginning
// returns a context in which the rest goes on, and a func for the end.
package hooks

import (
	"context"
	"slices"
)

// Start is told of a beginning. Either of its results may be nil.
type Start[B, E any] = func(context.Context, B) (context.Context, func(E))

// Starts are told of a beginning one after the other.
type Starts[B, E any] []Start[B, E]

// Add adds a hook, unless it is nil.
func (s *Starts[B, E]) Add(hook Start[B, E]) {
	if hook != nil {
		*s = append(*s, hook)
	}
}

// Begin tells of a beginning. The contexts nest, the first outermost.
func (s Starts[B, E]) Begin(ctx context.Context, what B) (context.Context, Ends[E]) {
	var ends Ends[E]
	for _, hook := range s {
		inner, end := hook(ctx, what)
		if inner != nil {
			ctx = inner //nolint:fatcontext // Tracers nest, and are few.
		}
		ends.Add(end)
	}
	return ctx, ends
}

// Ends are told of an end, the last one first.
type Ends[E any] struct {
	first func(E) // On its own, since a single one shall not allocate.
	more  []func(E)
}

// Add adds a func for the end, unless it is nil.
func (e *Ends[E]) Add(end func(E)) {
	switch {
	case end == nil:
	case e.first == nil:
		e.first = end
	default:
		e.more = append(e.more, end)
	}
}

// Empty reports whether nobody is told.
func (e Ends[E]) Empty() bool { return e.first == nil }

// Tell tells of the end.
func (e Ends[E]) Tell(how E) {
	for _, end := range slices.Backward(e.more) {
		end(how)
	}
	if e.first != nil {
		e.first(how)
	}
}
