package transport

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strings"
)

const (
	redacted    = "[redacted]"
	shortSecret = 8 // Bytes; what is shorter is a word.
)

// secrets are the token and the query of an attempt. What the service says may
// repeat them: proxies like to print the request that they could not serve.
type secrets [2]string

func secretsIn(request *http.Request) (s secrets) {
	_, s[0], _ = strings.Cut(request.Header.Get("Authorization"), " ")
	s[1] = request.URL.RawQuery
	for i := range s {
		if len(s[i]) < shortSecret {
			s[i] = ""
		}
	}
	return s
}

// maxSpoken bounds what is read of an answer that is not a success.
const maxSpoken = 64 << 10

// in returns the start of body without the secrets. It copies only if it must.
func (s secrets) in(body []byte) []byte {
	if len(body) > maxSpoken {
		body = s.cut(body[:maxSpoken])
	}
	for _, secret := range s {
		if secret != "" && bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(redacted))
		}
	}
	return body
}

// cut takes off the part of a secret that breaks off at the end of body.
func (s secrets) cut(body []byte) []byte {
	for _, secret := range s {
		for n := min(len(secret), len(body)); n > 0; n-- {
			if bytes.HasSuffix(body, []byte(secret[:n])) {
				body = body[:len(body)-n]
				break
			}
		}
	}
	return body
}

func (s secrets) inText(text string) string {
	for _, secret := range s {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
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
