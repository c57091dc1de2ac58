package transport

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	redacted    = "[redacted]"
	shortWord   = 8 // Bytes; a shorter token or query may be any word, and is not hidden.
	shortSecret = 4 // Bytes; a shorter secret occurs in any text, and is not hidden.
)

// secrets are the token, the query, and the secrets in the body of an attempt.
// What the service says may repeat them: proxies like to print the request that
// they could not serve.
type secrets struct {
	token, query string
	body         []string
}

// secretsIn gathers them without a list of their own, since few answers need one.
func secretsIn(request *http.Request) secrets {
	_, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	return secrets{token, request.URL.RawQuery, callOf(request.Context()).request.Secrets}
}

// all returns the secrets, but for a token or query that may be any word.
func (s secrets) all() []string {
	all := slices.Clip(s.body)
	for _, text := range []string{s.token, s.query} {
		if len(text) >= shortWord {
			all = append(all, text)
		}
	}
	return all
}

// forms returns the secrets in the notations of JSON, HTML and URLs, the longest
// first, since one may be part of another.
func (s secrets) forms() (forms []string) {
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

// in returns the start of body without the secrets. It copies only if it must.
func (s secrets) in(body []byte) []byte {
	all, forms := len(body) <= maxSpoken, s.forms()
	body = body[:min(len(body), maxSpoken)]
	for _, secret := range forms {
		if bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(redacted))
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

func (s secrets) inText(text string) string {
	for _, secret := range s.forms() {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	return text
}

// inError returns err, or its text alone if that must be changed.
func (s secrets) inError(err error) error {
	text := err.Error()
	if clean := s.inText(text); clean != text {
		return errors.New(clean)
	}
	return err
}

// secretMembers finds the values of members that hold a secret by their names,
// be they cut off or not.
var secretMembers = regexp.MustCompile(`(?i)("[^"]*(?:secret|token|password)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// withoutMembers hides, in the start of a body, what a webhook was made with.
func withoutMembers(body []byte) []byte {
	return secretMembers.ReplaceAll(body[:min(len(body), 4*excerptBytes)], []byte(`${1}"`+redacted+`"`))
}
