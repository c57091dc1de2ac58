package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/redact"
)

// Checks of arguments, made before a request. Each returns nil or an
// *InputError; cmp.Or puts them together.

func inputError(field, reason string) error { return &InputError{Field: field, Reason: reason} }

// given refuses a value that is nil, or an interface that holds a nil pointer or
// func.
func given(field string, value any) error { return input.Checks(inputError).Given(field, value) }

// givenContext refuses a nil context, which would panic somewhere below.
func givenContext(ctx context.Context) error {
	if ctx == nil {
		return inputError("context", "must not be nil")
	}
	return nil
}

func required(field, value string) error { return input.Checks(inputError).Required(field, value) }

// requiredSecret refuses an empty secret, which is also what the mask of one becomes
// when it is decoded.
func requiredSecret(field string, secret Secret) error {
	if secret.IsZero() {
		return inputError(field, `is required ("`+redact.Mask+`" is the mask of a secret, not a secret)`)
	}
	return exactly(field, secret.Reveal())
}

// exactly refuses an empty value, and white space around it: a secret that is
// mounted as a file often ends with a newline.
func exactly(field, value string) error {
	if err := required(field, value); err != nil {
		return err
	}
	if input.HasSpaceAround(value) {
		return inputError(field, "must not begin or end with white space, such as the newline at the end of a file, or its byte order mark")
	}
	return printable(field, value)
}

// notMask refuses the mask of a secret in its place.
func notMask(field, text string) error {
	if text == redact.Mask {
		return inputError(field, "is the mask of a secret, not the secret")
	}
	return nil
}

// token checks a word of HTTP, such as a method or a header's name.
func token(field, value string) error {
	const signs = "!#$%&'*+-.^_`|~"
	for _, c := range []byte(value) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(signs, c) < 0 {
			return inputError(field, "must be letters, digits and "+signs)
		}
	}
	return required(field, value)
}

func checkTarget(out any) error {
	if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || v.IsNil() {
		return inputError("out", fmt.Sprintf("must be a pointer that is not nil; it is a %T", out))
	}
	_, writes := out.(io.Writer)
	_, reads := out.(interface{ UnmarshalAnswer(body []byte) error })
	if _, decodes := out.(json.Unmarshaler); writes && !reads && !decodes {
		return inputError("out", fmt.Sprintf("is a writer, which no JSON can be decoded into; to write the answer to it, give a *Download: %T", out))
	}
	return nil
}

func printable(field, value string) error {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return inputError(field, "must not hold control characters")
	}
	return nil
}

func requiredList[T any](field string, values []T) error {
	if len(values) == 0 {
		return inputError(field, "needs at least one entry")
	}
	return nil
}

func requiredTexts[T ~string](field string, values []T) error {
	for _, value := range values {
		if strings.TrimSpace(string(value)) == "" {
			return inputError(field, "must not hold an empty entry")
		}
	}
	return requiredList(field, values)
}

func between(field string, value, low, high int) error {
	if value < low || value > high {
		return inputError(field, fmt.Sprintf("must be from %d to %d, not %d", low, high, value))
	}
	return nil
}

func optionalAtLeast(field string, value Opt[int], low int) error {
	if n, ok := value.Get(); ok && n < low {
		return inputError(field, fmt.Sprintf("must be at least %d, not %d", low, n))
	}
	return nil
}

// checkPaging accepts zeros, which stand for the defaults.
func checkPaging(page, perPage int) error {
	if page < 0 {
		return inputError("page", fmt.Sprintf("must be at least 1, not %d", page))
	}
	if perPage == 0 {
		return nil
	}
	return between("per_page", perPage, 1, maxPerPage)
}

func checkDates(from, to time.Time) error {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return inputError("to_date", "is before from_date")
	}
	return nil
}

func absoluteURL(field, value string) error {
	if err := exactly(field, value); err != nil {
		return err
	}
	u, err := url.Parse(value)
	if err != nil || strings.Trim(u.Hostname(), ".") == "" || u.Scheme != "https" && u.Scheme != "http" {
		return inputError(field, "must be an absolute http or https URL")
	}
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "1"), 10, 16); err != nil || port == 0 {
		return inputError(field, "has a port that is none")
	}
	return nil
}

// checkID refuses what cannot be one path segment. Everything else is escaped
// and arrives as it is.
func checkID(field, id string) error {
	if err := required(field, id); err != nil {
		return err
	}
	if id == "." || id == ".." {
		return inputError(field, fmt.Sprintf("must not be %q", id))
	}
	if strings.ContainsFunc(id, unicode.IsControl) {
		return inputError(field, "must not hold control characters")
	}
	return nil
}
