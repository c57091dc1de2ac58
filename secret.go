package salesiq

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that must not be seen: a token, a client secret, a
// webhook's signing key. Printing, logging and encoding it show [Redacted];
// only a request to the service, and Reveal, hold the text itself.
type Secret string

// Redacted stands where a [Secret] was printed.
const Redacted = "[redacted]"

// Reveal returns the text of the secret.
func (s Secret) Reveal() string { return string(s) }

// String returns [Redacted], or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Redacted
}

// Format prints [Redacted] for every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	io.WriteString(f, s.String())
}

// MarshalText keeps the secret out of JSON, XML and every other encoding that
// asks a value for its text. To store a secret, store what Reveal returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps the secret out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// plainVerb is the verb that prints a struct by its fields. With any other,
// fmt would print one behind a pointer without asking the fields' methods.
func plainVerb(f fmt.State) string {
	switch {
	case f.Flag('#'):
		return "%#v"
	case f.Flag('+'):
		return "%+v"
	}
	return "%v"
}
