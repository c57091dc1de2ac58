package main

import (
	"errors"
	"iter"
)

var errNone = errors.New("there is none")

// first returns the first item that matches; a nil match takes any.
func first[T any](items iter.Seq2[*T, error], match func(*T) bool) (*T, error) {
	for item, err := range items {
		if err != nil || match == nil || match(item) {
			return item, err
		}
	}
	return nil, errNone
}
