package wire

import (
	"bytes"
	"cmp"
	"strconv"
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

// DecodeError reads an error body, as specified or as the live service writes
// it. It returns false for anything that is not one, such as a proxy's HTML
// page.
func DecodeError(body []byte) (ErrorBody, bool) {
	var raw struct {
		Status  jsonValue `json:"status"`
		Code    jsonValue `json:"code"`
		Message jsonValue `json:"message"`
		Details jsonValue `json:"details"`
		Error   jsonValue `json:"error"`
	}
	if err := Unmarshal(body, &raw); err != nil {
		return ErrorBody{}, false
	}
	var details map[string]any
	if raw.Details.Kind() == '{' {
		if err := Unmarshal(raw.Details, &details); err != nil {
			return ErrorBody{}, false
		}
	}
	answer := ErrorBody{Code: text(raw.Code), Message: text(raw.Message), Details: details}
	if raw.Code.Kind() == '0' {
		setCode(&answer, raw.Code)
	}
	if text(raw.Status) == "error" || answer.Code != "" {
		return answer, true
	}
	return decodeLiveError(raw.Error)
}

// decodeLiveError reads the error member of the live service's answers: an
// object, or a text or a number alone.
func decodeLiveError(value jsonValue) (answer ErrorBody, ok bool) {
	switch value.Kind() {
	case '"':
		answer.Message = text(value)
	case '0':
		if text(value) != "0" {
			setCode(&answer, value)
		}
	case '{':
		var raw struct {
			Code    jsonValue `json:"code"`
			Message jsonValue `json:"message"`
			Key     jsonValue `json:"json_key"`
			Param   jsonValue `json:"param"`
			Header  jsonValue `json:"header"`
		}
		if err := Unmarshal(value, &raw); err != nil {
			return ErrorBody{}, false
		}
		answer = ErrorBody{Message: text(raw.Message), Key: text(raw.Key), Param: text(raw.Param)}
		if header := text(raw.Header); answer.Param == "" {
			answer.Param = header
		}
		setCode(&answer, raw.Code)
	}
	return answer, answer.Code != "" || answer.Message != ""
}

// setCode takes the live service's code over, under the name that the
// specification has for it.
func setCode(b *ErrorBody, code jsonValue) {
	b.Code = text(code)
	n, err := strconv.Atoi(b.Code)
	if err != nil {
		return
	}
	b.Number = n
	if name := codeNames[n]; name != "" {
		b.Code = name
	}
}

// The live service's codes that need more than a name.
const (
	NumberUnknownAuth = 1001 // What is wrong with the token, or anything else.
	NumberLocked      = 1023 // The address of the client has made too many calls.
)

// codeNames are the specification's codes for the live service's, and one for
// plans, which the specification has no code for.
var codeNames = map[int]string{
	NumberUnknownAuth: "INVALID_TOKEN",
	1002:              "INVALID_TOKEN",
	1004:              "INVALID_REQUEST",    // Method.
	1005:              "RESOURCE_NOT_FOUND", // Portal.
	1006:              "RESOURCE_NOT_FOUND", // URL.
	1007:              "INVALID_REQUEST",
	1008:              "INVALID_TOKEN",
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
	NumberLocked:      "RATE_LIMIT_EXCEEDED",
	1024:              "OPERATOR_OFFLINE",
	1025:              "INVALID_DEPARTMENT",
	1026:              "INVALID_REQUEST", // The last of its kind must stay.
	1027:              "INVALID_REQUEST", // A file too large.
	1028:              "INVALID_REQUEST", // A file of the wrong type.
	1029:              "INVALID_REQUEST",
	1031:              "INVALID_REQUEST",
	1054:              "INVALID_REQUEST", // A header, such as the content type.
}

// At returns the error as the status lets it be understood: 1001 means that the
// token has expired with 400 and 401 only, and may mean anything otherwise.
func (b ErrorBody) At(status int) ErrorBody {
	if b.Number == NumberUnknownAuth && status != 400 && status != 401 {
		b.Code = strconv.Itoa(b.Number)
	}
	return b
}

// HiddenError finds the error in an answer whose status says success. One that
// begins with success and data, as the specification has it, is taken at its word.
func HiddenError(body []byte) (ErrorBody, bool) {
	data, ok := bytes.CutPrefix(body, []byte(`{"status":"success","data":`))
	if ok && len(data) > 0 && (data[0] == '{' || data[0] == '[') || !bytes.Contains(body, []byte(`"error"`)) {
		return ErrorBody{}, false // The common cases, at the price of one scan at most.
	}
	var head struct {
		Status  jsonValue `json:"status"`
		Message jsonValue `json:"message"`
		Error   jsonValue `json:"error"`
	}
	if Unmarshal(body, &head) != nil {
		return ErrorBody{}, false
	}
	if _, found := decodeLiveError(head.Error); found || text(head.Status) == "error" {
		return DecodeError(body)
	}
	switch words := text(head.Error); words {
	case "", "0", "false", "{}", "[]":
		return ErrorBody{}, false
	default: // Not in any form that is known, but it is no success.
		return ErrorBody{Message: cmp.Or(text(head.Message), words)}, true
	}
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
