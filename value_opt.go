package salesiq

import (
	"fmt"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// Opt is one field of a partial update. The zero Opt leaves the field alone, [Set]
// gives it a value (also 0, "" or an empty list), and [Null] clears it.
type Opt[T any] struct {
	state optState
	value T
}

type optState uint8

const (
	optUnset optState = iota
	optNull
	optSet
)

// Set returns an Opt that sets the field to value.
func Set[T any](value T) Opt[T] { return Opt[T]{state: optSet, value: value} }

// Null returns an Opt that sets the field to null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value and whether the Opt sets one.
func (o Opt[T]) Get() (value T, ok bool) { return o.value, o.state == optSet }

// IsNull reports whether the Opt clears the field.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether the Opt leaves the field alone. It makes the
// omitzero option of a json tag work.
func (o Opt[T]) IsZero() bool { return o.state == optUnset }

// Any returns the value as an any, or nil unless the Opt sets one.
func (o Opt[T]) Any() any {
	if o.state != optSet {
		return nil
	}
	return o.value
}

// MarshalJSON encodes the value, or null. A [Secret] stays hidden; only a
// request to the service holds it.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optSet {
		return []byte("null"), nil
	}
	return wire.MarshalPublic(o.value)
}

// UnmarshalJSON reads a value, or null.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = Null[T]()
		return nil
	}
	var value T
	if err := wire.UnmarshalObject(data, &value); err != nil {
		return err
	}
	*o = Set(value)
	return nil
}

// Format prints the value as its own type would be printed, so that a
// [Secret] in an Opt stays hidden.
func (o Opt[T]) Format(f fmt.State, verb rune) {
	switch o.state {
	case optSet:
		fmt.Fprintf(f, fmt.FormatString(f, verb), o.value)
	case optNull:
		fmt.Fprint(f, "null")
	default:
		fmt.Fprint(f, "unset")
	}
}
