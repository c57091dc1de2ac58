package wire

import (
	"strconv"
	"strings"
)

// Specified is the dialect of the specification.
var Specified Dialect = specified{}

type specified struct{}

func (specified) Address(host, path string) string { return address(host, Root, path) }

func (specified) Portal() string { return "" }

func (specified) hint() string {
	return "this is an answer as specified, where paths have no portal: a client speaks so without WithPortal"
}

func (specified) speaks(m members) bool {
	status := m.word("status")
	return status == "success" || status == "error" && m["code"].Kind() == '"'
}

func (specified) exceptions() []exception { return specifiedExceptions }

var specifiedExceptions = []exception{
	{
		example: `{"status":"error","code":"CHAT_NOT_ACTIVE","message":"It is over"}`,
		means:   refused,
		when:    func(m members) bool { return m.word("status") == "error" },
		reason:  "an error is one whatever the status of the answer is, and however it is spelled",
		source:  "specification, Response Format, which names no status",
	},
	{
		example: `{"success":false,"reason":"The chat is over"}`,
		means:   refused,
		when:    func(m members) bool { return m.fails() && !m.isNamed() && (m.isExcuse() || m["success"] != nil) },
		reason:  "whoever refuses in other words has not done it either; an object with an id may have failed itself",
		source:  "users of other libraries; the vendor's OAuth server says failure",
	},
	{
		example: `{"code":"CHAT_NOT_ACTIVE","message":"The chat is over"}`,
		means:   refused,
		when: func(m members) bool {
			return isErrorCode(m["code"]) && m["error"] == nil && m.isExcuse() && !m.succeeds() && !m.fails() && m.word("status") != "error"
		},
		reason: "a code without data is an error's",
		source: "specification, Error Response Structure; a gateway that drops the status",
	},
	{
		example: `{"status":"success","message":"Chat transferred"}`,
		means:   done,
		when:    func(m members) bool { return m.isReport() && m.succeeds() && !m.fails() },
		reason:  "the specification leaves open what a change is answered with",
		source:  "specification, Transfer Chat, End Chat, Add Chat Rating: no answer is shown",
	},
	{
		example: `{}`,
		means:   done,
		when:    func(m members) bool { return len(m) == 0 },
		reason:  "nothing is in it",
		source:  "specification, Tag Visitor: no answer is shown",
	},
	{
		example: `{"operator_id":"o1","title":"Queue","data":{"waiting":4}}`,
		means:   itself,
		when:    func(m members) bool { return m["data"] != nil && (m["id"] != nil || m["operator_id"] != nil) },
		reason:  "a notification has data of its own",
		source:  "specification, Send Custom Notification",
	},
}

// readError reads the code and the message. A number for a code is one of the live
// service's.
func (specified) readError(m members) (ErrorBody, bool) {
	code := m["code"]
	answer := ErrorBody{Code: text(code), Message: text(m["message"])}
	if m["details"].Kind() == '{' {
		if err := Unmarshal(m["details"], &answer.Details); err != nil {
			return ErrorBody{}, false
		}
	}
	if code.Kind() == '0' {
		answer.setNumber(code)
	}
	return answer, m.word("status") == "error" || answer.Code != ""
}

// isErrorCode tells the code of an error from that of a success, and from one of
// something else, such as a currency's: it is a number, or words in capitals.
func isErrorCode(code jsonValue) bool {
	word := text(code)
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return n != 0 && (n < 200 || n > 299)
	}
	return len(word) > 3 && word == strings.ToUpper(word) && word != strings.ToLower(word) && word != "SUCCESS"
}

func (specified) readRest(m members, rest *Rest) {
	if value, ok := m["pagination"]; ok {
		UnmarshalLenient(value, &rest.Paging) //nolint:errcheck // It says nothing, then.
	}
	rest.Paging = rest.Paging.known()
}
