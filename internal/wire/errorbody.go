package wire

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrorBody is what the service says about a failure.
type ErrorBody struct {
	Code    string
	Message string
	Details map[string]any
}

// DecodeError reads an error body. It returns false for anything that is not
// one, such as a proxy's HTML page.
func DecodeError(body []byte) (ErrorBody, bool) {
	var raw struct {
		Status  jsontext.Value `json:"status"`
		Code    jsontext.Value `json:"code"`
		Message jsontext.Value `json:"message"`
		Details jsontext.Value `json:"details"`
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
	return answer, text(raw.Status) == "error" || answer.Code != ""
}

// HiddenError finds the error in an answer whose status says success.
func HiddenError(body []byte) (ErrorBody, bool) {
	if !bytes.Contains(body, []byte(`"error"`)) {
		return ErrorBody{}, false // The common case, at the price of one scan.
	}
	var head struct {
		Status jsontext.Value `json:"status"`
	}
	if Unmarshal(body, &head) != nil || text(head.Status) != "error" {
		return ErrorBody{}, false
	}
	return DecodeError(body)
}

// text returns a string without its quotes, nothing for null, and any other
// value as it stands.
func text(value jsontext.Value) string {
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
