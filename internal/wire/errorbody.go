package wire

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrorBody is what the service says about a failure.
type ErrorBody struct {
	Code    string
	Message string
	Details map[string]any

	// What the live service says beside the message.
	Number int    // Its code; 0 where it gave none.
	Key    string // The field of the body that it is about, such as operators[1].name.
	Param  string // The parameter that it is about.
}

// The specification's codes on which it depends what happens next.
const (
	CodeInvalidToken  = "INVALID_TOKEN"
	CodeRateLimit     = "RATE_LIMIT_EXCEEDED"
	CodeInternalError = "INTERNAL_ERROR"
)

// DecodeError reads an error body in either dialect. It returns false for anything
// that is not one, such as a proxy's HTML page.
func DecodeError(body []byte) (ErrorBody, bool) {
	m, err := membersOf(trim(body))
	if err != nil {
		return ErrorBody{}, false
	}
	return m.readError()
}

// readError reads what an object says about a failure, in the dialect that makes
// most of it.
func (m members) readError() (found ErrorBody, ok bool) {
	for _, dialect := range dialects {
		answer, understood := dialect.readError(m)
		if understood && (answer.Code != "" || answer.Message != "") {
			return answer, true
		}
		if understood && !ok {
			found, ok = answer, true
		}
	}
	found.Message = m.why()
	return found, ok || m.fails()
}

// HiddenError finds the error in an answer whose status says success. One that
// begins with success and data, as the specification has it, is taken at its word,
// and so is one of the live service that does not speak of an error.
func HiddenError(body []byte) (ErrorBody, bool) {
	body = trim(body)
	if isPlainSuccess(body) {
		return ErrorBody{}, false // The common cases, at the price of one scan at most.
	}
	m, err := membersOf(body)
	if err != nil || meaningOf(m) != refused {
		return ErrorBody{}, false
	}
	if answer, ok := m.readError(); ok {
		return answer, true
	}
	return ErrorBody{Message: m.why()}, true // Not in any form that is known, but it is no success.
}

func isPlainSuccess(body []byte) bool {
	if data, ok := bytes.CutPrefix(body, []byte(`{"status":"success","data":`)); ok && len(data) > 0 && (data[0] == '{' || data[0] == '[') {
		return true
	}
	return len(body) == 0 || body[0] != '{' || bytes.HasPrefix(body, []byte(`{"url":`)) && !bytes.Contains(body, []byte(`"error"`))
}

// At returns the error as the status lets it be understood: 1001 means that the
// token has expired with 400 and 401 only, and may mean anything otherwise. What other
// services of the vendor's call a refused token or a missing scope has the
// specification's name, and so has a number that was written as a text. Where there is
// no code, such a name may be the whole message.
func (b ErrorBody) At(status int) ErrorBody {
	if n, err := strconv.Atoi(b.Code); err == nil && b.Number == 0 && codeNames[n] != "" {
		b.Number, b.Code = n, codeNames[n]
	}
	if b.Code == "" {
		b.Code = otherNames[strings.ToUpper(b.Message)]
	}
	b.Code = cmp.Or(otherNames[strings.ToUpper(b.Code)], b.Code)
	if b.Number == numberUnknownAuth && status != http.StatusBadRequest && status != http.StatusUnauthorized {
		b.Code = strconv.Itoa(b.Number)
	}
	return b
}

// otherNames are the specification's codes for those of the vendor's other services,
// whose servers share what checks tokens.
var otherNames = map[string]string{
	"AUTHENTICATION_FAILURE":  CodeInvalidToken,
	"AUTHENTICATION_FAILED":   CodeInvalidToken,
	"INVALID_TOKEN":           CodeInvalidToken, // In small letters, too.
	"INVALID_OAUTH":           CodeInvalidToken,
	"INVALID_OAUTHTOKEN":      CodeInvalidToken,
	"INVALID_OAUTH_TOKEN":     CodeInvalidToken,
	"INVALID_TICKET":          CodeInvalidToken,
	"INVALID_AUTHTOKEN":       CodeInvalidToken,
	"INVALID_OAUTH_SCOPE":     "INVALID_OAUTH_SCOPE",
	"OAUTH_SCOPE_MISMATCH":    "INVALID_OAUTH_SCOPE",
	"INVALID_OAUTHSCOPE":      "INVALID_OAUTH_SCOPE",
	"SCOPE_MISMATCH":          "INVALID_OAUTH_SCOPE",
	"INSUFFICIENT_OAUTHSCOPE": "INVALID_OAUTH_SCOPE",
}

// RefusesToken reports whether another token might be accepted: the code says so,
// or the status does, unless it is about what the token permits, or how often. The code is
// that of At, which also knows the numbers of the live service (codeNames) and the names of
// other services (otherNames).
func (b ErrorBody) RefusesToken(status int) bool {
	switch code := strings.ToUpper(b.Code); {
	case code == CodeInvalidToken:
		return true
	case code == CodeRateLimit, strings.Contains(code, "SCOPE"), strings.Contains(code, "PERMISSION"):
		return false
	}
	return status == http.StatusUnauthorized
}

// lockPause is how long no call is made once the live service has locked the client's
// address. The service says only that a lock takes a while.
const lockPause = time.Minute

// Pause returns how long the service wants to be left alone by its code, or 0.
func (b ErrorBody) Pause() time.Duration {
	if b.Number == numberLocked {
		return lockPause
	}
	return 0
}

// The live service's codes that need more than a name.
const (
	numberUnknownAuth = 1001 // What is wrong with the token, or anything else.
	numberLocked      = 1023 // The address of the client has made too many calls.
)

// setNumber takes the live service's code over, under the name that the
// specification has for it.
func (b *ErrorBody) setNumber(code jsonValue) {
	b.Code = text(code)
	n, err := strconv.Atoi(b.Code)
	if err != nil {
		return
	}
	b.Number = n
	b.Code = cmp.Or(codeNames[n], b.Code)
}

// codeNames are the specification's codes for the live service's, and one for
// plans, which the specification has no code for.
var codeNames = map[int]string{
	numberUnknownAuth: CodeInvalidToken,
	1002:              CodeInvalidToken,
	1004:              "INVALID_REQUEST", // Method.
	1005:              "INVALID_REQUEST", // Portal: what is missing is not what was asked for.
	1006:              "INVALID_REQUEST", // URL.
	1007:              "INVALID_REQUEST",
	1008:              CodeInvalidToken,
	1009:              "INVALID_OAUTH_SCOPE",
	1010:              "INVALID_REQUEST", // Method.
	1011:              "INVALID_REQUEST",
	1014:              "DUPLICATE_RESOURCE",
	1015:              "INVALID_REQUEST",
	1016:              "PERMISSION_DENIED",
	1017:              "PLAN_LIMIT",
	1018:              "INVALID_REQUEST", // An empty file.
	1019:              "RESOURCE_NOT_FOUND",
	1020:              "OPERATOR_OFFLINE", // Or otherwise unfit.
	1021:              "PLAN_LIMIT",
	numberLocked:      CodeRateLimit,
	1024:              "OPERATOR_OFFLINE",
	1025:              "INVALID_DEPARTMENT",
	1026:              "INVALID_REQUEST", // The last of its kind must stay.
	1027:              "INVALID_REQUEST", // A file too large.
	1028:              "INVALID_REQUEST", // A file of the wrong type.
	1029:              "INVALID_REQUEST",
	1031:              "INVALID_REQUEST",
	1054:              "INVALID_REQUEST", // A header, such as the content type.
}

// text returns a string without its quotes, nothing for null, and any other
// value as it stands.
func text(value jsonValue) string {
	switch value.Kind() {
	case 'n':
		return ""
	case '"':
		var s string
		if err := Unmarshal(value, &s); err != nil {
			return ""
		}
		return s
	}
	return string(value)
}
