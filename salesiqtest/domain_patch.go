package salesiqtest

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, err := convert[any](object[name]); err != nil {
			return nil, wrongType(name, "has a number that is too large")
		}
	}
	return object, nil
}

// patch applies a JSON merge patch (RFC 7396) to an object: members that are
// named change, null clears, objects within it merge as well, and members that
// the type does not know are kept. Members that are read-only may be sent back
// as they are, so that an object can be read, changed and returned. Names count
// letter by letter: one that differs from a field's in case alone is refused.
func patch[T any](target *T, changes members, readOnly ...string) error {
	before := rewrite[members](*target)
	patched, document := *target, before
	// One at a time, so that the error can tell which one does not fit.
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if err := checkName(reflect.TypeFor[T](), name, rewrite[any](changes[name]), name); err != nil {
			return err
		}
		document = merge(document, members{name: changes[name]})
		var err error
		if patched, err = whole[T](document); err != nil {
			return wrongType(name, "has the wrong type")
		}
	}
	after := rewrite[members](patched)
	for _, name := range readOnly {
		if !bytes.Equal(before[name], after[name]) {
			return invalid(name, cannotBeSet)
		}
	}
	*target = patched
	return nil
}

// sameButForSpelling reports whether names differ at most in case, hyphens and
// underscores.
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

// whole puts an object together. It takes 5.0 for an integer, as some languages
// write numbers that were computed.
func whole[T any](document members) (T, error) {
	if value, err := convert[T](document); err == nil {
		return value, nil
	}
	return convert[T](stringify(asJSON(document)))
}

// convert makes one type of another, by way of the wire.
func convert[T any](from any) (to T, err error) {
	data, err := wire.Marshal(from)
	if err == nil {
		err = wire.Unmarshal(data, &to)
	}
	return to, err
}

// rewrite is convert for what was read from JSON, or made by the server.
func rewrite[T any](from any) T {
	to, err := convert[T](from)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: a %T is not fit for JSON: %v", from, err))
	}
	return to
}

// clone copies all the way down.
func clone[T any](value T) T { return rewrite[T](value) }

// asJSON writes what was read from JSON, or made by the server.
func asJSON(value any) json.RawMessage { return rewrite[json.RawMessage](value) }

// merge applies changes to an object: null removes, and objects merge.
func merge(target, changes members) members {
	merged := members{}
	maps.Copy(merged, target)
	for name, change := range changes {
		switch {
		case isNull(change):
			delete(merged, name)
		case isObject(change):
			merged[name] = mergeObjects(target[name], change)
		default:
			merged[name] = change
		}
	}
	return merged
}

// mergeObjects is merge for an object in an object. What it changes may be
// something else than an object, and is replaced then.
func mergeObjects(target, change json.RawMessage) json.RawMessage {
	if !isObject(target) {
		target = json.RawMessage("{}")
	}
	return asJSON(merge(rewrite[members](target), rewrite[members](change)))
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

func isObject(value json.RawMessage) bool {
	value = bytes.TrimSpace(value)
	return len(value) > 0 && value[0] == '{'
}
