package redact

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const secret = `hush "<hush>" & \hush`

func TestSecretIsHiddenInEveryNotation(t *testing.T) {
	t.Parallel()
	for _, s := range []Secrets{{Token: secret}, {Query: secret}, {Values: []string{"hush", secret}}} {
		for _, form := range []string{
			secret, html.EscapeString(secret), url.QueryEscape(secret),
			`hush \"<hush>\" & \\hush`, `hush \"\u003chush\u003e\" \u0026 \\hush`,
		} {
			require.Equal(t, "a [redacted] z", s.InText("a "+form+" z"))
			require.Equal(t, "a [redacted] z", string(s.InBody([]byte("a "+form+" z"))))
			require.EqualError(t, s.InError(errors.New("a "+form+" z")), "a [redacted] z")
		}
	}
}

func TestWordThatMayBeAnyIsNotTakenForASecret(t *testing.T) {
	t.Parallel()
	s := Secrets{Token: "invalid", Query: "page=1", Values: []string{"the", ""}}
	const text = "the token is invalid for page=1"
	require.Equal(t, text, s.InText(text))
	require.Equal(t, text, string(s.InBody([]byte(text))))
}

func TestSecretThatBreaksOffWithWhatIsReadIsHidden(t *testing.T) {
	t.Parallel()
	s := Secrets{Values: []string{secret}}
	body := s.InBody([]byte(strings.Repeat("x", maxSpoken-7) + secret))
	require.Equal(t, strings.Repeat("x", maxSpoken-7), string(body))
}

func TestErrorWithoutASecretStaysWhatItIs(t *testing.T) {
	t.Parallel()
	require.Same(t, io.EOF, Secrets{Token: secret}.InError(io.EOF))
}

func TestMemberThatIsSecretByItsNameIsHidden(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"client_Secret" : "a\"b","id":"w1"}`: `{"client_Secret" : "[redacted]","id":"w1"}`,
		`{"access_token":"breaks o`:            `{"access_token":"[redacted]"`,
		`{"id":"w1","tokens":7}`:               `{"id":"w1","tokens":7}`,
	} {
		require.Equal(t, want, string(HideSecretMembers([]byte(body))))
	}
}

func TestErrorLosesEveryURL(t *testing.T) {
	t.Parallel()
	inner := &url.Error{Op: "Get", URL: "https://salesiq.example/?email=ada@example.com", Err: io.EOF}
	outer := &url.Error{Op: "Get", URL: inner.URL, Err: fmt.Errorf("mine: %w", inner)}
	require.Same(t, io.EOF, StripURL(outer))
	require.Same(t, io.EOF, StripURL(io.EOF))
}

func TestWhatOthersWroteIsOneLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b [31m c d", OneLine("\n a\r\n\tb\x1b[31m\u2028c\xffd "))
	require.Equal(t, "two halves", OneLine("two\x00halves"), "they must not come together")
}
