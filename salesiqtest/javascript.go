package salesiqtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// asJavaScript writes a JSON value as JSON.stringify(JSON.parse(data)) would, so
// that whoever hashes what such a program makes of it hashes the same bytes.
func asJavaScript(data []byte) ([]byte, error) {
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return appendValue(nil, decoder)
}

// appendValue appends the next value of decoder to out.
func appendValue(out []byte, decoder *json.Decoder) ([]byte, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			out, err = appendMembers(append(out, '{'), decoder)
		} else {
			out, err = appendItems(append(out, '['), decoder)
		}
		if err == nil {
			_, err = decoder.Token() // What closes it.
		}
		return append(out, byte(token+2)), err // In ASCII, that is two further on.
	case json.Number:
		return appendNumber(out, token)
	case string:
		return appendText(out, token)
	}
	literal, err := json.Marshal(token) // True, false or null.
	return append(out, literal...), err
}

func appendItems(out []byte, decoder *json.Decoder) (_ []byte, err error) {
	for n := 0; err == nil && decoder.More(); n++ {
		if n > 0 {
			out = append(out, ',')
		}
		out, err = appendValue(out, decoder)
	}
	return out, err
}

// appendMembers appends the members of an object in JavaScript's order: first the
// names that look like array indices, by number. Of several members with one name,
// the last counts, in the place of the first.
func appendMembers(out []byte, decoder *json.Decoder) ([]byte, error) {
	var names []string
	texts := map[string][]byte{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // Nothing else stands before a colon.
		text, err := appendText(nil, name)
		if err != nil {
			return nil, err
		}
		if _, known := texts[name]; !known {
			names = append(names, name)
		}
		if texts[name], err = appendValue(append(text, ':'), decoder); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(arrayIndex(a), arrayIndex(b)) })
	for n, name := range names {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, texts[name]...)
	}
	return out, nil
}

// arrayIndex returns the number that a name stands for, or one behind all of those.
func arrayIndex(name string) uint64 {
	index, err := strconv.ParseUint(name, 10, 32)
	if err != nil || index == math.MaxUint32 || strconv.FormatUint(index, 10) != name {
		return math.MaxUint32
	}
	return index
}

// appendNumber writes a number as package encoding/json does, which is JavaScript's
// way, but for -0. What is too large for JavaScript is null there.
func appendNumber(out []byte, number json.Number) ([]byte, error) {
	value, err := number.Float64()
	switch {
	case value == 0:
		return append(out, '0'), nil
	case math.IsInf(value, 0):
		return append(out, "null"...), nil
	case err != nil:
		return nil, err
	}
	text, err := json.Marshal(value)
	return append(out, text...), err
}

// unescape undoes what package encoding/json escapes and JavaScript does not. The
// escaped backslash comes first, so that what follows it is left alone.
var unescape = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029")

func appendText(out []byte, text string) ([]byte, error) {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return append(out, unescape.Replace(strings.TrimSpace(quoted.String()))...), err
}
