// Package redact makes what others say fit for an error and for a log: without
// the secrets of the request, and on one line.
package redact

import (
	"bytes"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Mask stands where a secret was.
const Mask = "[redacted]"

const (
	shortWord   = 8 // Bytes; a shorter token or query may be any word, and is not hidden.
	shortSecret = 4 // Bytes; a shorter secret occurs in any text, and is not hidden.
)

// Secrets are what must not be seen of a request. The answer may repeat them:
// proxies like to print the request that they could not serve.
type Secrets struct {
	Token  string   // In a header.
	Query  string   // The whole query, since it may hold visitors' data.
	Values []string // Of fields in the query or the body.
}

// all returns the secrets that are to be hidden.
func (s Secrets) all() (all []string) {
	for _, secret := range s.Values {
		if len(secret) >= shortSecret {
			all = append(all, secret)
		}
	}
	for _, text := range []string{s.Token, s.Query} {
		if len(text) >= shortWord {
			all = append(all, text)
		}
	}
	return all
}

// hide masks the secrets in a text, in whatever notation they are written there.
func (s Secrets) hide(text []byte) []byte {
	secrets := s.all()
	if len(secrets) == 0 {
		return text
	}
	all := readings(text)
	var spans []span
	for _, secret := range secrets {
		spans = append(spans, find(all, secret)...)
	}
	return mask(text, spans)
}

// maxSpoken bounds what is read of an answer that is not a success.
const maxSpoken = 64 << 10

// InBody returns the start of body without the secrets. It copies only if it must.
func (s Secrets) InBody(body []byte) []byte {
	if len(body) <= maxSpoken {
		return s.hide(body)
	}
	body = s.hide(body[:maxSpoken])
	all, end := readings(body), len(body)
	for _, secret := range s.all() {
		end = min(end, findEnd(all, secret))
	}
	return body[:end]
}

// InText returns text without the secrets.
func (s Secrets) InText(text string) string { return string(s.hide([]byte(text))) }

// InError returns err, or its text alone if that must be changed.
func (s Secrets) InError(err error) error {
	text := err.Error()
	if clean := s.InText(text); clean != text {
		return errors.New(clean)
	}
	return err
}

// secretMembers finds the values of members that hold a secret by their names,
// be they cut off or not.
var secretMembers = regexp.MustCompile(`(?i)("[^"]*(?:secret|token|password)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// escapedMembers finds texts that are members by names with escapes.
var escapedMembers = regexp.MustCompile(`("(?:[^"\\]|\\.)*\\(?:[^"\\]|\\.)*"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// HideSecretMembers hides the values in a JSON text whose names say that they are
// secret, such as the one that a webhook was made with. A name may have escapes.
func HideSecretMembers(body []byte) []byte {
	body = secretMembers.ReplaceAll(body, []byte(`${1}"`+Mask+`"`))
	if bytes.IndexByte(body, '\\') < 0 {
		return body
	}
	return escapedMembers.ReplaceAllFunc(body, func(member []byte) []byte {
		written := escapedMembers.FindSubmatch(member)[1]
		read := (&reading{text: written}).as(notations[0]).text
		if !secretMembers.Match(append(read, `""`...)) {
			return member
		}
		return append(bytes.Clone(written), `"`+Mask+`"`...)
	})
}

// StripURL returns err without what net/http puts around it, more than once where
// a transport uses an http.Client of its own: a URL may hold visitors' data.
func StripURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return err
		}
		err = u.Err
	}
}

// Summary makes what others wrote fit for one line of a log: its lines, joined,
// up to 500 characters.
func Summary(text string) string {
	const most = 500
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	var lines []string
	for line := range strings.Lines(text) {
		if line = OneLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// OneLine makes what others wrote fit for one line of a log: what cannot be
// printed becomes a space, and several are one. Nothing is dropped, since two
// halves of a secret must not come together.
func OneLine(text string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, " "))
	return strings.Join(strings.Fields(visible), " ")
}
