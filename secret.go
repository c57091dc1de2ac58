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

// opaque is embedded to keep the fields of a type from fmt, slog and encoders,
// which show its name instead. In an unexported field, though, fmt calls no
// methods, and may follow one pointer: so a type that embeds opaque is used by
// pointer, and keeps its secrets behind another one.
type opaque string

func (o opaque) String() string { return "salesiq." + string(o) + "(" + Redacted + ")" }

// Format prints the name for every verb.
func (o opaque) Format(f fmt.State, _ rune) {
	io.WriteString(f, o.String())
}

func (o opaque) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

func (o opaque) LogValue() slog.Value { return slog.StringValue(o.String()) }
