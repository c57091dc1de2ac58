package wire

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
)

// MarshalObject encodes an object for encoding/json, whatever its version: unknown
// members stand beside the others, as they did when they were read. Secrets stay
// hidden. Only what is nil is null.
func MarshalObject(v any) ([]byte, error) { return marshal(v, kept) }

// UnmarshalObject decodes an object for encoding/json, whatever its version. On Go
// 1.26, that used to write unknown members into one of its own, named Extra: they are
// taken out of it.
func UnmarshalObject(data []byte, v any) error {
	if string(data) == "null" {
		return nil // As encoding/json does with a struct.
	}
	err := Unmarshal(data, v)
	if err == nil && bytes.Contains(data, []byte(`"Extra"`)) {
		err = spread(reflect.ValueOf(v).Elem())
	}
	return err
}

// object is what the methods of an object look like from here.
type object interface {
	stdjson.Marshaler
	stdjson.Unmarshaler
}

var (
	objectType = reflect.TypeFor[object]()
	rawMapType = reflect.TypeFor[map[string]stdjson.RawMessage]()
)

// module is where the types are from that are taken for objects.
var module, _, _ = strings.Cut(reflect.TypeFor[Paging]().PkgPath(), "/internal/")

var (
	twins    sync.Map // Types to their twins, or to nil if they need none.
	nameable sync.Map // Twins to the types that have names.
)

// twinOf returns the type of an object without its methods, and nil for other types.
// An object is a struct of ours that keeps unknown members: its methods are there for
// encoding/json, which cannot.
func twinOf(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if found, ok := twins.Load(t); ok {
		twin, _ := found.(reflect.Type)
		return twin
	}
	var twin reflect.Type
	if strings.HasPrefix(t.PkgPath(), module) && reflect.PointerTo(t).Implements(objectType) && restOf(t) >= 0 {
		fields := make([]reflect.StructField, t.NumField())
		for i := range fields {
			fields[i] = t.Field(i)
		}
		twin = reflect.StructOf(fields)
		nameable.Store(twin, t)
	}
	twins.Store(t, twin)
	return twin
}

// restOf returns the index of the field for unknown members, or -1.
func restOf(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == ",embed" && t.Field(i).Type.Kind() == reflect.Map {
			return i
		}
	}
	return -1
}

// withoutMethods returns the same object as a pointer to a type without methods.
func withoutMethods(o object) (plain any, ok bool) {
	v := reflect.ValueOf(o)
	if v.Kind() != reflect.Pointer {
		return nil, false
	}
	twin := twinOf(v.Type().Elem())
	if twin == nil {
		return nil, false
	}
	return v.Convert(reflect.PointerTo(twin)).Interface(), true
}

// spread has the members of each member Extra stand beside it, in all objects that v
// holds.
func spread(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return spread(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := spread(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		return spreadMap(v)
	case reflect.Struct:
		return spreadStruct(v)
	}
	return nil
}

func spreadMap(m reflect.Value) error {
	if m.Type().Elem().Kind() != reflect.Struct {
		return nil
	}
	for _, key := range m.MapKeys() {
		item := reflect.New(m.Type().Elem()).Elem()
		item.Set(m.MapIndex(key))
		if err := spread(item); err != nil {
			return err
		}
		m.SetMapIndex(key, item)
	}
	return nil
}

func spreadStruct(v reflect.Value) error {
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			if err := spread(v.Field(i)); err != nil {
				return err
			}
		}
	}
	if twinOf(v.Type()) == nil {
		return nil
	}
	rest := v.Field(restOf(v.Type()))
	key := reflect.ValueOf("Extra")
	old := rest.MapIndex(key)
	if !old.IsValid() {
		return nil
	}
	members, err := MarshalPublic(old.Interface())
	if err != nil || members[0] != '{' && string(members) != "null" {
		return err // The service's own.
	}
	rest.SetMapIndex(key, reflect.Value{})
	if rest.Len() == 0 {
		rest.SetZero()
	}
	if members[0] == 'n' {
		return nil
	}
	return Unmarshal(members, v.Addr().Interface())
}

// namedOf returns the type that a twin stands for, and other types as they are.
func namedOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Struct && t.Name() == "" {
		if named, ok := nameable.Load(t); ok {
			return named.(reflect.Type) //nolint:forcetypeassert // Nothing else is stored.
		}
	}
	return t
}

// inTheirNames has an error name the types that callers know.
func inTheirNames(err error) error {
	if mismatch, ok := errors.AsType[*mismatchError](err); ok && mismatch.GoType != nil {
		mismatch.GoType = namedOf(mismatch.GoType)
	}
	return err
}
