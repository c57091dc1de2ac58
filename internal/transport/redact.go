package transport

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
)

const (
	redacted    = "[redacted]"
	shortSecret = 8 // Bytes; what is shorter is a word, not a token.
)

// secret is the token of an attempt. What the service says about the attempt
// may repeat it: proxies like to print the request that they could not serve.
type secret string

func secretOf(request *http.Request) secret {
	_, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	if len(token) < shortSecret {
		return ""
	}
	return secret(token)
}

// in returns body without the secret. It copies only if it must.
func (s secret) in(body []byte) []byte {
	if s == "" || !bytes.Contains(body, []byte(s)) {
		return body
	}
	return bytes.ReplaceAll(body, []byte(s), []byte(redacted))
}

func (s secret) inText(text string) string {
	if s == "" {
		return text
	}
	return strings.ReplaceAll(text, string(s), redacted)
}

// inError returns err, or its text alone if that must be changed.
func (s secret) inError(err error) error {
	text := err.Error()
	if clean := s.inText(text); clean != text {
		return errors.New(clean)
	}
	return err
}
