package wire

// Refusal reads an answer that is nothing but an error, as either dialect writes it.
// Where a file is due, it stands for an error; an object that holds anything else
// beside it is the file, even if it has a member of that name.
func Refusal(body []byte) (ErrorBody, bool) {
	m, err := membersOf(trim(body))
	if err != nil {
		return ErrorBody{}, false
	}
	said := m
	if len(m) == 1 && m["error"].Kind() == '{' {
		if said, err = membersOf(m["error"]); err != nil || !said.holds("code") || !said.holds("message") {
			return ErrorBody{}, false
		}
		if !said.consistsOf([]string{"code", "message", "json_key", "param", "header", "details"}) {
			return ErrorBody{}, false
		}
		return m.readError()
	}
	if m.word("status") != "error" || !m.holds("code") || !m.consistsOf([]string{"status", "code", "message", "details"}) {
		return ErrorBody{}, false
	}
	return m.readError()
}
