// Package redact makes what others say fit for an error and for a log: without
// the secrets of the request, and on one line.
package redact

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"regexp"
	"slices"
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

// all returns the secrets, but for a token or query that may be any word.
func (s Secrets) all() []string {
	all := slices.Clip(s.Values)
	for _, text := range []string{s.Token, s.Query} {
		if len(text) >= shortWord {
			all = append(all, text)
		}
	}
	return all
}

// forms returns the secrets in the notations of JSON, HTML and URLs, the longest
// first, since one may be part of another.
func (s Secrets) forms() (forms []string) {
	for _, secret := range s.all() {
		if len(secret) < shortSecret {
			continue
		}
		for _, text := range []string{secret, quoted(secret, false), quoted(secret, true)} {
			forms = append(forms, text, html.EscapeString(text), url.QueryEscape(text))
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(forms)
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

// maxSpoken bounds what is read of an answer that is not a success.
const maxSpoken = 64 << 10

// InBody returns the start of body without the secrets. It copies only if it must.
func (s Secrets) InBody(body []byte) []byte {
	all, forms := len(body) <= maxSpoken, s.forms()
	body = body[:min(len(body), maxSpoken)]
	for _, secret := range forms {
		if bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(Mask))
		}
	}
	for _, secret := range forms {
		if !all {
			body = withoutEnd(body, secret)
		}
	}
	return body
}

// withoutEnd takes off the part of a secret that breaks off with body.
func withoutEnd(body []byte, secret string) []byte {
	for n := min(len(secret), len(body)); n > 0; n-- {
		if bytes.HasSuffix(body, []byte(secret[:n])) {
			return body[:len(body)-n]
		}
	}
	return body
}

// InText returns text without the secrets.
func (s Secrets) InText(text string) string {
	for _, secret := range s.forms() {
		text = strings.ReplaceAll(text, secret, Mask)
	}
	return text
}

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

// HideSecretMembers hides the values in a JSON text whose names say that they are
// secret, such as the one that a webhook was made with.
func HideSecretMembers(body []byte) []byte {
	return secretMembers.ReplaceAll(body, []byte(`${1}"`+Mask+`"`))
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
