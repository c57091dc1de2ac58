package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// Dialect is one of the two ways in which the service speaks.
type Dialect interface {
	// Address returns where a path is on a host.
	Address(host, path string) string
	// Portal is the escaped name of the portal; empty if the dialect has none.
	Portal() string

	// hint says that an answer is of the dialect, and how to make a client that speaks
	// it. Each dialect has one of its own.
	hint() string
	// speaks reports whether an object can be of this dialect only.
	speaks(m members) bool
	// exceptions are the objects that are not to be read plainly.
	exceptions() []exception
	// readError reads what an object says about a failure, if it does.
	readError(m members) (ErrorBody, bool)
	// readRest takes over what an object says about the rest of a list.
	readRest(m members, rest *Rest)
}

// Root is where the paths of both dialects begin.
const Root = "/api/v2"

// address returns where a path is on a host, unless it names its root itself.
func address(host, root, path string) string {
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/visitor/") {
		return host + path
	}
	return host + root + "/" + strings.TrimPrefix(path, "/")
}

// meaning is how an object is to be read.
type meaning string

const (
	plain   meaning = "as an envelope if it has data, as the data otherwise"
	itself  meaning = "as the data, although it has a member of that name"
	done    meaning = "as a success without data"
	inWords meaning = "as a success of a change, whose text stands for the object; as no answer otherwise"
	refused meaning = "as a failure"
)

// exception is an object that is not to be read plainly.
type exception struct {
	example string
	means   meaning
	when    func(members) bool
	reason  string
	source  string
}

// meaningOf returns how an object is to be read.
func meaningOf(m members) meaning {
	for _, dialect := range dialects {
		for _, e := range dialect.exceptions() {
			if e.when(m) {
				return e.means
			}
		}
	}
	return plain
}

// dialects are both of them. The portal makes no difference to reading.
var dialects = []Dialect{Specified, Live("")}

// Spoken returns the dialect of an answer, or nil if it could be either.
func Spoken(body []byte) Dialect {
	m, err := membersOf(trim(body))
	if err != nil {
		return nil
	}
	for _, dialect := range dialects {
		if dialect.speaks(m) {
			return dialect
		}
	}
	return nil
}

// Mismatch returns an error for a client that speaks one dialect and was answered
// in another, and nil if it was not. Whoever asks for portals cannot have one yet.
func Mismatch(own, spoken Dialect, path string) error {
	if own == nil || spoken == nil || own.hint() == spoken.hint() || isAboutPortals(strings.TrimPrefix(path, Root)) {
		return nil
	}
	return errors.New(spoken.hint())
}

// members are what an object holds, by its names in lower case. Their values are
// parts of the body.
type members map[string]jsonValue

// membersOf takes an object apart.
func membersOf(object jsonValue) (members, error) {
	m := members{}
	err := eachMember(object, m.add)
	return m, err
}

// add adds a member. Its name is in quotes.
func (m members) add(name, value jsonValue) {
	m[strings.ToLower(string(unquoted(name)))] = value
}

// word returns the text of a member in lower case.
func (m members) word(name string) string { return strings.ToLower(text(m[name])) }

// holds reports whether a member is there, and not null.
func (m members) holds(name string) bool { return len(m[name]) > 0 && m[name].Kind() != 'n' }

// isNamed reports whether an object has an id, its own or of whom it sums up.
func (m members) isNamed() bool {
	return m["id"] != nil || m["operator_id"] != nil || m["visitor_id"] != nil
}

// What may stand around data, in either dialect, and what tells why there are none.
var (
	around = []string{
		"status", "success", "code", "details", "pagination", // As specified.
		"url", "object", "sync_time", "more_data_available", // As the live service writes.
	}
	reasons = []string{"message", "reason", "description", "error_description", "error", "errors"}
)

// isReport reports whether an object holds nothing but what stands around data,
// and a message in words.
func (m members) isReport() bool {
	return m.consistsOf(around, []string{"message"}) && (m["message"] == nil || m["message"].Kind() == '"')
}

// isExcuse reports whether an object holds nothing but what stands around data,
// and reasons.
func (m members) isExcuse() bool {
	return m.consistsOf(around, reasons, []string{"data"}) && !m.hasData()
}

func (m members) consistsOf(names ...[]string) bool {
	for name := range m {
		if !slices.ContainsFunc(names, func(some []string) bool { return slices.Contains(some, name) }) {
			return false
		}
	}
	return true
}

// hasData reports whether data are there, and not empty.
func (m members) hasData() bool { return m.holds("data") && !isEmpty(m["data"]) }

// isEmpty reports whether a value is an object or a list that holds nothing.
func isEmpty(value jsonValue) bool {
	switch value.Kind() {
	case '{', '[':
		return len(bytes.TrimSpace(value[1:len(value)-1])) == 0
	}
	return false
}

// succeeds reports whether an object says in words that all went well.
func (m members) succeeds() bool { return m.word("status") == "success" || m.word("success") == "true" }

// fails reports whether an object says in words other than the specified ones that
// it did not.
func (m members) fails() bool {
	switch m.word("status") {
	case "failure", "failed", "fail":
		return true
	}
	return m.word("success") == "false"
}

// why returns the reason that an object gives.
func (m members) why() string {
	for _, name := range reasons {
		if why := text(m[name]); why != "" {
			return why
		}
	}
	return ""
}
