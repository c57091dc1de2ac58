package salesiqtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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
	return stringify(data), nil
}

// stringify is asJavaScript for a value that is known to be JSON.
func stringify(data []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return stringifyNext(decoder)
}

// stringifyNext writes the next value of decoder.
func stringifyNext(decoder *json.Decoder) []byte {
	switch token := nextToken(decoder).(type) {
	case json.Delim:
		members := stringifyMembers(token == '{', decoder)
		return fmt.Appendf(nil, "%s%s%s", token, bytes.Join(members, []byte(",")), nextToken(decoder))
	case json.Number:
		return stringifyNumber(token)
	case string:
		return stringifyText(token)
	default:
		return asJSON(token) // True, false or null.
	}
}

func nextToken(decoder *json.Decoder) json.Token {
	token, err := decoder.Token()
	if err != nil {
		panic("salesiqtest: " + err.Error()) // It is JSON.
	}
	return token
}

// stringifyMembers writes the members of an object or array in JavaScript's order:
// first those whose names are array indices, by number, then the others as they
// come. Of several members with one name, the last counts, in the place of the first.
func stringifyMembers(named bool, decoder *json.Decoder) [][]byte {
	var names []string
	texts := map[string][]byte{}
	for decoder.More() {
		name, label := strconv.Itoa(len(names)), []byte(nil)
		if named {
			name, _ = nextToken(decoder).(string) // Nothing else stands before a colon.
			label = append(stringifyText(name), ':')
		}
		value := stringifyNext(decoder)
		if _, known := texts[name]; !known {
			names = append(names, name)
		}
		texts[name] = append(label, value...)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(arrayIndex(a), arrayIndex(b)) })
	members := make([][]byte, len(names))
	for i, name := range names {
		members[i] = texts[name]
	}
	return members
}

// arrayIndex returns the number that a name stands for, or one behind all of those.
func arrayIndex(name string) uint64 {
	index, err := strconv.ParseUint(name, 10, 32)
	if err != nil || index == math.MaxUint32 || strconv.FormatUint(index, 10) != name {
		return math.MaxUint32
	}
	return index
}

// stringifyNumber writes a number as package encoding/json does, which is
// JavaScript's way, but for -0. What is too large for JavaScript is null there.
func stringifyNumber(number json.Number) []byte {
	value, _ := number.Float64() //nolint:errcheck // What is too large is infinite.
	switch {
	case value == 0:
		return []byte("0")
	case math.IsInf(value, 0):
		return []byte("null")
	default:
		return asJSON(value)
	}
}

// unescape undoes what package encoding/json escapes and JavaScript does not. The
// escaped backslash comes first, so that what follows it is left alone.
var unescape = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029")

func stringifyText(text string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	encoder.Encode(text) //nolint:errcheck,errchkjson // A buffer takes any text.
	return []byte(unescape.Replace(strings.TrimSpace(quoted.String())))
}
