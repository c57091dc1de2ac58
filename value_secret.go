package salesiq

import (
	"fmt"
	"io"
	"log/slog"
	"unique"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// Secret is a text that must not be seen: a token, a client secret, a webhook's
// signing key. Printing, logging and encoding a Secret shows "[redacted]". In an
// unexported field of a struct, which package fmt reads without calling methods, it
// shows an address. Only a request to the service, and Reveal, give the text away.
//
// The zero Secret is empty. Secrets are compared with ==, and may be keys of a
// map. Decoding JSON or text makes a Secret. "[redacted]" is decoded as an empty
// one, since an encoder has written it in place of a secret.
type Secret struct {
	text unique.Handle[string] // A pointer, which no printer follows. Zero if empty.
}

// NewSecret returns a secret. It is empty for "" and for "[redacted]", so that
// nothing signs in with the mask of another secret.
func NewSecret(text string) Secret {
	if text == "" || text == redact.Mask {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the text of the secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// String returns "[redacted]", or "" for an empty secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redact.Mask
}

// Format prints what String returns, for every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	io.WriteString(f, s.String())
}

// LogValue returns what String returns, for structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns, for JSON, XML and other encodings
// of text. To store a secret, store what Reveal returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// MarshalBinary returns what String returns, for encoding/gob and other binary
// encodings.
func (s Secret) MarshalBinary() ([]byte, error) { return s.MarshalText() }

// UnmarshalBinary reads a secret.
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }
