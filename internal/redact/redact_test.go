package redact

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

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

// As PHP, Gson, System.Text.Json, Python and others write it, and what they do to one
// another's texts.
func TestSecretIsHiddenHoweverItIsEscaped(t *testing.T) {
	t.Parallel()
	const secret = `a/b+c=d&e<f'gö"h\i😀j`
	everyRune := func(format string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(secret)) {
			fmt.Fprintf(&b, format, unit)
		}
		return b.String()
	}
	everyCharacter := func(format string) string {
		var b strings.Builder
		for _, c := range secret {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	everyByte := func(format string) string {
		var b strings.Builder
		for _, c := range []byte(secret) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	forms := []string{
		secret,
		`a\/b+c=d&e<f'g\u00f6\"h\\i\ud83d\ude00j`,                            // PHP.
		`a/b+c\u003dd\u0026e\u003cf\u0027gö\"h\\i😀j`,                         // Gson.
		`a/b\u002Bc=d\u0026e\u003Cf\u0027g\u00F6\u0022h\\i\uD83D\uDE00j`,     // System.Text.Json.
		`a/b+c=d&e<f'g\u00f6\"h\\i\ud83d\ude00j`,                             // Python.
		`a&#x2F;b&plus;c&equals;d&amp;e&lt;f&#39;g&ouml;&quot;h\i&#128512;j`, // HTML.
		`a%2Fb%2Bc%3Dd%26e%3Cf%27g%C3%B6%22h%5Ci%F0%9F%98%80j`,               // A query.
		`a%2fb%2bc%3dd%26e%3cf%27g%c3%b6%22h%5ci%f0%9f%98%80j`,               // In lower case.
		everyRune(`\u%04x`), everyRune(`\u%04X`), everyByte("%%%02x"), everyByte("%%%02X"),
		url.PathEscape(secret),
		everyByte(`\x%02x`), everyByte(`\x%02X`), everyByte(`\%03o`), everyRune("%%u%04x"), everyCharacter(`\U%08X`), everyCharacter(`\u{%x}`),
		everyCharacter("&#%d;"), everyCharacter("&#%05d;"), everyCharacter("&#X%x;"),
	}
	for _, form := range slices.Clone(forms) {
		for cut := 0; cut < len(form); cut += 11 {
			start := strings.Repeat("x", maxSpoken-cut)
			body := string(Secrets{Values: []string{secret}}.InBody([]byte(start + form)))
			rest := strings.TrimPrefix(body, start)
			require.NotEqual(t, body, rest, form)
			require.LessOrEqual(t, len(rest), len("&#12851"), "%s, cut at %d: %s", form, cut, rest) // An escape that breaks off.
		}
		forms = append(forms, quoted(form, true), quoted(form, false), html.EscapeString(form), url.QueryEscape(form))
	}
	for _, s := range []Secrets{{Token: secret}, {Query: secret}, {Values: []string{secret, "ö"}}} {
		for _, form := range forms {
			require.Equal(t, "a [redacted] z", s.InText("a "+form+" z"), form)
			require.Equal(t, "a [redacted]", s.InText("a "+form), "%s, at the end", form)
			require.Equal(t, `{"m":"[redacted]"}`, string(s.InBody([]byte(`{"m":"`+form+`"}`))), form) //nolint:testifylint // Bytes count.
		}
	}
}

// quoted returns text as it stands between the quotes of a JSON string.
func quoted(text string, forHTML bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(forHTML)
	if err := e.Encode(text); err != nil {
		return text
	}
	return strings.TrimSuffix(b.String()[1:], "\"\n")
}

// An error of one service in the error of another, in the JSON of a third.
func TestSecretIsHiddenInTextsWithinTexts(t *testing.T) {
	t.Parallel()
	const secret = `a/b+c=d&e<f'gö"h\i😀j`
	s := Secrets{Token: secret}
	ways := []func(string) string{
		func(text string) string { return quoted(text, true) }, html.EscapeString, url.QueryEscape, url.PathEscape,
	}
	for _, first := range ways {
		for _, second := range ways {
			for _, third := range ways {
				form := third(second(first(secret)))
				require.Equal(t, "a [redacted] z", s.InText("a "+form+" z"), form)
			}
		}
	}
	form := secret
	for range deepest {
		form = quoted(form, true)
	}
	require.Equal(t, "a [redacted] z", s.InText("a "+form+" z"), form)
}

func TestNumberOfACharacterNeedsNoSemicolon(t *testing.T) {
	t.Parallel()
	s := Secrets{Values: []string{`hu"sh`}}
	for _, form := range []string{`hu&#34sh`, `&#104&#117&#34&#115&#104`, `&#x68&#x75&#x22&#x73&#x68`, `hu&#X22sh`} {
		require.Equal(t, "a [redacted] z", s.InText("a "+form+" z"), form)
	}
	require.Equal(t, "a hu&quotsh z", s.InText("a hu&quotsh z"))
}

// A text may hold so many escapes that it can be read in any number of ways.
func TestTextIsReadInABoundedNumberOfWays(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(`\\u0026amp;#37;2525\\\\x26`, maxSpoken/40)
	require.LessOrEqual(t, len(readings([]byte(text))), maxReadings)
}

func TestWhatHoldsNoSecretStaysAsItIsWritten(t *testing.T) {
	t.Parallel()
	s := Secrets{Token: "1000.abcdef", Values: []string{"hush"}}
	for _, text := range []string{``, `\`, `\u`, `\u00`, `\ud83d`, `\ud83d\u`, `\ud83dx\u0041bcd`, `\x`, `&`, `&amp`, `&amp;`, `&nothing;`, `%`, `%4`, `%zz`, `+`, "\xff", `hus`, `\u0068us`} {
		for _, whole := range []string{text, "a " + text, text + " z", strings.Repeat(text+" ", 100)} {
			require.Equal(t, whole, s.InText(whole))
		}
	}
	require.Equal(t, "[redacted][redacted]", s.InText(`hush\u0068ush`))
	require.Equal(t, "[redacted]", Secrets{Values: []string{"hush", "shush"}}.InText("shush"))
	require.Equal(t, "[redacted]", Secrets{Values: []string{"abcd", "cdef"}}.InText("abcdef"), "two that overlap")
}

func TestSecretIsHiddenInTheLongestNameOfACharacter(t *testing.T) {
	t.Parallel()
	s := Secrets{Values: []string{"a∳b"}}
	require.Equal(t, "x [redacted] y", s.InText("x a&CounterClockwiseContourIntegral;b y"))
}

func TestSecretIsHiddenWhereItsLastEscapeEndsTheText(t *testing.T) {
	t.Parallel()
	s := Secrets{Values: []string{`hush"`}}
	for _, form := range []string{`hush\"`, `hush\u0022`, `hush%22`, `hush&quot;`, `hush&#34;`, `hush&#x22;`} {
		require.Equal(t, "a [redacted]", s.InText("a "+form))
	}
	require.Equal(t, "a [redacted]", Secrets{Values: []string{"hush "}}.InText("a hush+"))
}

func TestHalfAnEmojiDoesNotHideTheSecretBehindIt(t *testing.T) {
	t.Parallel()
	s := Secrets{Values: []string{"hush"}}
	require.Equal(t, `\ud83d[redacted]`, s.InText(`\ud83d\u0068ush`))
	require.Equal(t, `\ud83d[redacted]`, s.InText(`\ud83dhush`))
	require.Equal(t, `\ude00[redacted]`, s.InText(`\ude00\u0068ush`))
}

func TestTextWithoutASecretIsNotCopied(t *testing.T) {
	t.Parallel()
	for _, s := range []Secrets{{}, {Token: secret}} {
		body := []byte("nothing to hide")
		require.Same(t, &body[0], &s.InBody(body)[0])
	}
}

func FuzzHide(f *testing.F) {
	f.Add(`a\/b&#x2F;%2F\ud83d\ude00`, "a/b/")
	f.Add(`\u005cu0068ush%5c`, "hush")
	f.Fuzz(func(t *testing.T, text, secret string) {
		clean := Secrets{Values: []string{secret}}.InText(text)
		if len(secret) >= shortSecret && !strings.Contains(Mask, secret) && !strings.Contains(secret, "[") && !strings.Contains(secret, "]") {
			require.NotContains(t, clean, secret)
		}
		Secrets{Values: []string{secret}}.InBody([]byte(strings.Repeat("x", maxSpoken) + text))
	})
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

func TestNoMoreThanTheStartOfAnAnswerIsRead(t *testing.T) {
	t.Parallel()
	for _, s := range []Secrets{{}, {Token: secret}} {
		require.Len(t, s.InBody(make([]byte, 64<<10)), 64<<10)
		require.Len(t, s.InBody(make([]byte, 64<<10+1)), 64<<10)
	}
}

func TestErrorWithoutASecretStaysWhatItIs(t *testing.T) {
	t.Parallel()
	require.Same(t, io.EOF, Secrets{Token: secret}.InError(io.EOF))
}

func TestMemberThatIsSecretByItsNameIsHidden(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"client_Secret" : "a\"b","id":"w1"}`:  `{"client_Secret" : "[redacted]","id":"w1"}`,
		`{"access_token":"breaks o`:             `{"access_token":"[redacted]"`,
		`{"id":"w1","tokens":7}`:                `{"id":"w1","tokens":7}`,
		`{"client\u005fsecret":"s3cr3t","a":1}`: `{"client\u005fsecret":"[redacted]","a":1}`,
		`{"clientSec\u0072et":"s3\"cr3t`:        `{"clientSec\u0072et":"[redacted]"`,
		`{"a\/b":"not one","n":"x\n"}`:          `{"a\/b":"not one","n":"x\n"}`,
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

func TestSummaryJoinsLinesAndIsShort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		"\n \r\n\t":              "",
		"one":                    "one",
		"one\n\n  two\t\n":       "one; two",
		strings.Repeat("ö", 500): strings.Repeat("ö", 500),
		strings.Repeat("ö", 501): strings.Repeat("ö", 500) + "…",
	} {
		require.Equal(t, want, Summary(text))
	}
}
