package wire

import (
	"cmp"
	"strings"
)

// Live is the dialect of the live service. The portal is escaped.
func Live(portal string) Dialect { return live{portal, Root + "/" + portal} }

type live struct{ portal, root string }

// Address puts the portal into each path, unless it is about portals.
func (d live) Address(host, path string) string {
	if isAboutPortals(path) {
		return address(host, Root, path)
	}
	return address(host, d.root, path)
}

// isAboutPortals reports whether a path leads to portals, and so not into one.
func isAboutPortals(path string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(path, "/"), "portals")
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '?')
}

func (d live) Portal() string { return d.portal }

func (live) hint() string { return "this is the live service's answer: see WithPortal" }

func (live) speaks(m members) bool {
	return m["url"] != nil && m["object"] != nil || m["error"].Kind() == '{' && !m.holds("status")
}

func (live) exceptions() []exception { return liveExceptions }

var liveExceptions = []exception{
	{
		example: `{"error":{"code":1006,"message":"Invalid URL"}}`,
		means:   refused,
		when: func(m members) bool {
			return saysSomething(m["error"]) && m.word("status") != "error" && !m.fails()
		},
		reason: "both success and error have status 200",
		source: "rest-api-v2.html [V]",
	},
	{
		example: `{"error":{}}`,
		means:   done,
		when:    func(m members) bool { return len(m) == 1 && m["error"] != nil && !saysSomething(m["error"]) },
		reason:  "an error that says nothing is none, and no data either",
		source:  "no page; caution",
	},
	{
		example: `{"url":"/api/v2/zylker/operators/1/enable","object":"operator"}`,
		means:   done,
		when: func(m members) bool {
			return m["url"] != nil && m["object"] != nil && m.isReport() && m["status"] == nil
		},
		reason: "a change may be answered without data",
		source: "rest-api-enable-operator.html [V], which shows no answer",
	},
	{
		example: `{"url":"/api/v2/zylker/conversations/1/messages","object":"message","data":"Success"}`,
		means:   inWords,
		when: func(m members) bool {
			return m["url"] != nil && m["object"] != nil && m["data"].Kind() == '"'
		},
		reason: "data is a string, an array or an object, and the change has been made",
		source: "rest-api-v2.html [V]",
	},
}

// saysSomething reports whether the member error holds an error.
func saysSomething(value jsonValue) bool {
	switch text(value) {
	case "", "0", "false", "{}", "[]":
		return false
	}
	return true
}

// readError reads the member error: an object, or a text or a number alone.
func (live) readError(m members) (answer ErrorBody, ok bool) {
	switch value := m["error"]; value.Kind() {
	case '"':
		answer.Message = text(value)
	case '0':
		if text(value) != "0" {
			answer.setNumber(value)
		}
	case '{':
		e, err := membersOf(value)
		if err != nil {
			return ErrorBody{}, false
		}
		answer.Message, answer.Key = text(e["message"]), text(e["json_key"])
		answer.Param = cmp.Or(text(e["param"]), text(e["header"]))
		answer.setNumber(e["code"])
	}
	return answer, answer.Code != "" || answer.Message != ""
}

func (live) readRest(m members, rest *Rest) {
	if value, ok := m["more_data_available"]; ok {
		UnmarshalLenient(value, &rest.More) //nolint:errcheck // It says nothing, then.
	}
}
