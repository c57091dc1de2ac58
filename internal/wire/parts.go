package wire

import (
	"slices"
	"strconv"
)

// Parts is what an answer with status 207 says about the parts of a request.
type Parts struct {
	Total, Failed int
	First         ErrorBody // Of those that failed.
}

// ReadParts reads the outcomes of an answer: a list of objects, or the only such list
// among the members of an object. Total is 0 where there is none. No page of the
// vendor's shows such an answer, so a part that does not say that it was done has
// failed.
func ReadParts(body []byte) Parts {
	var parts Parts
	for _, item := range outcomes(trim(body)) {
		parts.Total++
		m, err := membersOf(item)
		if err == nil && m.isDone() {
			continue
		}
		if parts.Failed++; parts.Failed == 1 {
			parts.First, _ = m.readError()
		}
	}
	return parts
}

// outcomes returns the items of the list that an answer is, or that it holds.
func outcomes(value jsonValue) (items []jsonValue) {
	if value.Kind() == '{' {
		m, err := membersOf(value)
		if err != nil {
			return nil
		}
		var lists []jsonValue
		for _, member := range m {
			if member.Kind() == '[' {
				lists = append(lists, member)
			}
		}
		if len(lists) != 1 {
			return nil
		}
		value = lists[0]
	}
	if value.Kind() != '[' || Unmarshal(value, &items) != nil {
		return nil
	}
	return items
}

// isDone reports whether a part says that it was done: by a word, or by a status of
// HTTP's.
func (m members) isDone() bool {
	if saysSomething(m["error"]) || saysSomething(m["errors"]) {
		return false
	}
	for _, name := range []string{"status", "status_code", "code"} {
		word := m.word(name)
		if slices.Contains([]string{"success", "ok", "done", "created", "updated", "deleted"}, word) {
			return true
		}
		if status, err := strconv.Atoi(word); err == nil {
			return status >= 200 && status < 300
		}
	}
	return m.succeeds()
}
