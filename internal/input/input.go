// Package input checks what callers pass in: arguments and options. Each check
// tells which field is wrong and why, in the words of all packages.
package input

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Checks makes the error of a package for a field that is wrong. Its methods
// return nil for what is right.
type Checks func(field, reason string) error

// Given refuses a value that is nil, or an interface that holds a nil pointer or
// func.
func (wrong Checks) Given(field string, value any) error {
	if usercode.IsNil(value) {
		return wrong(field, "must not be nil")
	}
	return nil
}

// Required refuses a text that is empty or nothing but white space.
func (wrong Checks) Required(field, text string) error {
	if IsBlank(text) {
		return wrong(field, "is required")
	}
	return nil
}

// Positive refuses a length of time that is zero or negative.
func (wrong Checks) Positive(field string, d time.Duration) error {
	if d <= 0 {
		return wrong(field, fmt.Sprintf("must be positive, not %s", d))
	}
	return nil
}

// NotNegative refuses a number below zero.
func (wrong Checks) NotNegative(field string, n int) error {
	if n < 0 {
		return wrong(field, fmt.Sprintf("must not be negative, as %d is", n))
	}
	return nil
}

// Between refuses a number outside of a range, whose ends belong to it.
func (wrong Checks) Between(field string, n, low, high int) error {
	if n < low || n > high {
		return wrong(field, fmt.Sprintf("must be from %d to %d, not %d", low, high, n))
	}
	return nil
}

// IsBlank reports whether a text is empty or nothing but white space.
func IsBlank(text string) bool { return strings.TrimSpace(text) == "" }

// HasSpaceAround reports whether a text begins or ends with white space, or with
// something else that cannot be seen: a byte order mark at the start of a file, or the
// zero-width space that comes along when a text is copied from a page.
func HasSpaceAround(text string) bool {
	return text != strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}

// IsLoopback reports whether a host, without a port, is this machine.
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
