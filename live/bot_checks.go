package live

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/usercode"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// The checks of what a bot answers. Each names the field that is wrong by its path in the
// answer, such as input.options[3].

// element is the path to an element of a list.
func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// checkPart checks a reply or a card.
func checkPart(at string, part botPart) error {
	if usercode.IsNil(part) {
		return inputError("", at, "must not be nil")
	}
	return part.check(at)
}

// checkTexts checks a list of texts, of so many at least. Each has at most so many
// characters, or any number if length is 0.
func checkTexts(field string, texts []string, least, length int) error {
	if len(texts) < least {
		return inputError("", field, "is required")
	}
	for i, text := range texts {
		if input.IsBlank(text) {
			return inputError("", element(field, i), "must not be empty")
		}
		if length == 0 {
			continue
		}
		if err := checkLength(element(field, i), text, length); err != nil {
			return err
		}
	}
	return nil
}

// checkLength bounds a text.
func checkLength(field, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return inputError("", field, fmt.Sprintf("must have at most %d characters, not %d", most, n))
	}
	return nil
}

// checkCount bounds a list.
func checkCount(field string, n, most int) error {
	if n > most {
		return inputError("", field, fmt.Sprintf("must be at most %d, not %d", most, n))
	}
	return nil
}

// checkFormat checks a day or a time of day.
func checkFormat(field, text, layout, what string) error {
	if parsed, err := time.Parse(layout, text); err != nil || parsed.Format(layout) != text {
		return inputError("", field, "must be "+what)
	}
	return nil
}

// checkURL checks the address of something that the service or the visitor's browser
// fetches.
func checkURL(field, address string) error {
	if err := required(field, address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return inputError("", field, "must be a URL that begins with https:// or http://")
	}
	return nil
}

// checkLink checks the address of what a visitor may click: also a phone number or an
// address for mail, and no script.
func checkLink(field, address string) error {
	if err := required(field, address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "mailto" || u.Scheme == "tel") {
		return nil
	}
	return checkURL(field, address)
}

// checkFree checks that a value is an object in JSON.
func checkFree(field string, value any) error {
	data, err := wire.MarshalPublic(value)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return inputError("", field, "must be an object in JSON")
	}
	return nil
}

// CheckBotURL checks the address that a bot is to be registered with. The service
// cannot reach one that names a port, nor one of this machine. It recommends https.
//
// Source: [V] zobot-webhook-authentication-2.0.html.
//
// Errors: a [salesiq.InputError].
func CheckBotURL(address string) error {
	const field = "bot URL"
	if err := checkURL(field, address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return inputError("", field, "must be a URL")
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return inputError("", field, "must not name a port")
	case input.IsLoopback(u.Hostname()):
		return inputError("", field, "must be one that the service can reach")
	}
	return nil
}
