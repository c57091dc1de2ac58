package salesiqtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// members is a JSON object whose values are not decoded yet.
type members map[string]json.RawMessage

// parseObject reads a request's body. An empty one is an empty object.
func parseObject(body []byte) (members, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return members{}, nil
	}
	if !utf8.Valid(body) {
		return nil, invalid("body", "must be UTF-8")
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		return nil, invalid("body", "must be JSON: "+err.Error())
	}
	var object members
	if err := wire.Unmarshal(body, &object); err != nil || object == nil {
		return nil, invalid("body", "must be a JSON object")
	}
	return object, nil
}

// patch applies a JSON merge patch (RFC 7396) to an object: members that are
// named change, null clears, objects within it merge as well, and members that
// the type does not know are kept. Members that are read-only may be sent back
// as they are, so that an object can be read, changed and returned. Names count
// letter by letter: one that differs from a field's in case alone is refused.
func patch[T any](target *T, changes members, readOnly ...string) error {
	before, err := takeApart(*target)
	if err != nil {
		return err
	}
	patched, document := *target, before
	// One at a time, so that the error can tell which one does not fit.
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		var value any
		if err := wire.Unmarshal(changes[name], &value); err != nil {
			return err
		}
		if err := checkName(reflect.TypeFor[T](), name, value, name); err != nil {
			return err
		}
		if document, err = mergeMember(document, name, changes[name]); err != nil {
			return err
		}
		if patched, err = whole[T](document); err != nil {
			return invalid(name, "has the wrong type")
		}
	}
	after, err := takeApart(patched)
	if err != nil {
		return err
	}
	for _, name := range readOnly {
		if !bytes.Equal(before[name], after[name]) {
			return invalid(name, cannotBeSet)
		}
	}
	*target = patched
	return nil
}

// sameButForSpelling tells whether names differ in case, hyphens and underscores
// at most.
func sameButForSpelling(a, b string) bool {
	return strings.EqualFold(plainName.Replace(a), plainName.Replace(b))
}

var plainName = strings.NewReplacer("_", "", "-", "")

// checkName refuses a name that is another spelling of a field of t, which the
// codec would take for that field, and looks into the value as well.
func checkName(t reflect.Type, name string, value any, path string) error {
	for field := range t.Fields() {
		spelling, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case spelling == name:
			return checkNames(field.Type, value, path)
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			if err := checkName(field.Type, name, value, path); err != nil {
				return err
			}
		case spelling != "" && sameButForSpelling(spelling, name):
			return invalid(path, "must be spelled "+spelling)
		}
	}
	return nil
}

// checkNames is checkName for all names within a value.
func checkNames(t reflect.Type, value any, path string) (err error) {
	switch kind := t.Kind(); value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if err == nil && kind == reflect.Struct {
				err = checkName(t, name, value[name], path+"."+name)
			}
		}
	case []any:
		for i := range value {
			if err == nil && kind == reflect.Slice {
				err = checkNames(t.Elem(), value[i], element(path, i))
			}
		}
	}
	return err
}

// whole puts an object together. Where an integer is wanted, 5.0 is one, too: some
// languages write numbers so that were computed.
func whole[T any](document members) (value T, err error) {
	data, err := wire.Marshal(document)
	if err != nil || wire.Unmarshal(data, &value) == nil {
		return value, err
	}
	if data, err = asJavaScript(data); err != nil {
		return value, err
	}
	value = *new(T)
	err = wire.Unmarshal(data, &value)
	return value, err
}

// takeApart encodes a value and takes it apart.
func takeApart(value any) (members, error) {
	data, err := wire.Marshal(value)
	if err != nil {
		return nil, err
	}
	var o members
	err = wire.Unmarshal(data, &o)
	return o, err
}

func mergeMember(document members, name string, change json.RawMessage) (members, error) {
	merged := maps.Clone(document)
	if merged == nil {
		merged = members{}
	}
	if isNull(change) {
		delete(merged, name)
		return merged, nil
	}
	value, err := merge(document[name], change)
	merged[name] = value
	return merged, err
}

func merge(target, change json.RawMessage) (json.RawMessage, error) {
	if !isObject(change) {
		return change, nil
	}
	var changes, merged members
	if err := wire.Unmarshal(change, &changes); err != nil {
		return nil, err
	}
	if isObject(target) {
		if err := wire.Unmarshal(target, &merged); err != nil {
			return nil, err
		}
	}
	for name, change := range changes {
		var err error
		if merged, err = mergeMember(merged, name, change); err != nil {
			return nil, err
		}
	}
	return wire.Marshal(merged)
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

func isObject(value json.RawMessage) bool {
	value = bytes.TrimSpace(value)
	return len(value) > 0 && value[0] == '{'
}
