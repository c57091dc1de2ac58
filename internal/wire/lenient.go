package wire

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// UnmarshalLenient decodes data into v. Where a type does not fit, it decodes
// once more and takes scalars for what they mean: the live service writes true
// as "true" or 1, numbers and times as strings, times as milliseconds, and ids
// now and then as numbers. What means nothing to a type stays zero. Data that
// fit cost no more than with [Unmarshal].
//
// Only v itself, and the items of a list, must be objects where objects are
// wanted: nothing can be made up for one that is not there.
func UnmarshalLenient(data []byte, v any) error {
	return unmarshalLenient(data, v, reflect.TypeOf(v).Elem())
}

// unmarshalLenient is UnmarshalLenient for a v that holds what was asked for,
// of the type wanted.
func unmarshalLenient(data []byte, v any, wanted reflect.Type) error {
	err := Unmarshal(data, v)
	if _, mismatch := errors.AsType[*mismatchError](err); !mismatch {
		return err
	}
	target := reflect.ValueOf(v).Elem()
	target.SetZero()
	l := lenient{required: map[reflect.Type]bool{}}
	l.require(target.Type())
	l.require(reflect.PointerTo(wanted))
	if target.Type() != wanted {
		l.depth = 1 // It is in an envelope.
	}
	for l.require(wanted); wanted.Kind() == reflect.Pointer || wanted.Kind() == reflect.Slice; l.require(wanted) {
		if wanted.Kind() == reflect.Slice {
			l.depth++
		}
		wanted = wanted.Elem()
	}
	return unmarshalWith(data, v, l.decode)
}

// lenient decodes scalars that do not fit.
type lenient struct {
	required map[reflect.Type]bool // Objects and lists that must be there,
	depth    int                   // unless they are more than this many levels down.
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	rawType         = reflect.TypeFor[stdjson.RawMessage]()
	numberType      = reflect.TypeFor[stdjson.Number]()
	unmarshalerType = reflect.TypeFor[stdjson.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode is called for each value, and leaves to the library what fits.
func (l lenient) decode(d *jsonDecoder, v any) error {
	target := reflect.ValueOf(v).Elem()
	kind := d.PeekKind()
	if free, ok := v.(*any); ok {
		return decodeAny(d, free)
	}
	must := l.required[target.Type()] && d.StackDepth() <= l.depth
	if kind == 'n' || must || fits(kind, target.Type()) {
		return errors.ErrUnsupported
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	target.SetZero()
	set(target, value)
	return nil
}

// require makes a type strict, unless it is a scalar.
func (l lenient) require(t reflect.Type) {
	if t == timeType {
		return
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer:
		l.required[t] = true
	}
}

// shapes are the kinds of JSON that the library decodes into kinds of Go.
// Numbers are not among them, since a fraction does not fit into an int.
var shapes = map[reflect.Kind]string{
	reflect.Bool:   "tf",
	reflect.String: `"`,
	reflect.Struct: "{",
	reflect.Map:    "{",
	reflect.Slice:  "[",
	reflect.Array:  "[",
}

// fits reports whether the library can be relied on to decode a kind of JSON
// into a type.
func fits(kind jsonKind, t reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Interface, t == rawType:
		return true
	case t == timeType, t == numberType, decodesItself(t):
		return false
	case t.Kind() == reflect.Pointer:
		return fits(kind, t.Elem())
	}
	return strings.IndexByte(shapes[t.Kind()], byte(kind)) >= 0
}

func decodesItself(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	isBytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	return isBytes || pointer.Implements(unmarshalerType) || pointer.Implements(textType)
}

// set gives target the meaning of a value, if it has one for that type.
func set(target reflect.Value, value jsonValue) {
	meaning := strings.TrimSpace(text(value))
	switch {
	case target.Kind() == reflect.Pointer:
		setPointer(target, value)
	case target.Type() == timeType:
		target.Set(reflect.ValueOf(timeOf([]byte(meaning))))
	case decodesItself(target.Type()):
		if Unmarshal(value, target.Addr().Interface()) != nil {
			target.SetZero() // It may be half done.
		}
	case target.Kind() == reflect.Bool:
		target.SetBool(boolOf(meaning))
	case target.Kind() == reflect.String:
		target.SetString(stringOf(value))
	default:
		setNumber(target, meaning)
	}
}

// setNumber leaves a number zero for what is none, or does not fit.
func setNumber(target reflect.Value, meaning string) {
	n, whole := intOf(meaning)
	f, err := strconv.ParseFloat(meaning, 64)
	switch {
	case target.CanInt() && whole && !target.OverflowInt(n):
		target.SetInt(n)
	case target.CanUint() && whole && n >= 0 && !target.OverflowUint(uint64(n)):
		target.SetUint(uint64(n))
	case target.CanFloat() && err == nil && !math.IsInf(f, 0) && !math.IsNaN(f):
		target.SetFloat(f)
	}
}

// setPointer leaves a pointer nil for what stands for nothing.
func setPointer(target reflect.Value, value jsonValue) {
	pointed := reflect.New(target.Type().Elem())
	if err := UnmarshalLenient(value, pointed.Interface()); err != nil {
		return
	}
	if pointed.Elem().IsZero() && standsForNothing(target.Type().Elem(), value) {
		return
	}
	target.Set(pointed)
}

func standsForNothing(t reflect.Type, value jsonValue) bool {
	switch kind := value.Kind(); {
	case t == timeType:
		return true
	case kind == '"':
		return t.Kind() != reflect.String && text(value) != "0" && text(value) != "false"
	default:
		return t.Kind() != reflect.Struct && (kind == '{' || kind == '[')
	}
}

// stringOf is text, and for an object the text in it: a message is sometimes
// {"text": …}.
func stringOf(value jsonValue) string {
	if value.Kind() == '{' {
		if members, err := membersOf(value); err == nil {
			for _, name := range []string{"text", "message"} {
				if members[name].Kind() == '"' {
					return text(members[name])
				}
			}
		}
	}
	return text(value)
}

func boolOf(meaning string) bool {
	switch strings.ToLower(meaning) {
	case "true", "yes", "on", "enabled":
		return true
	}
	n, err := strconv.ParseFloat(meaning, 64)
	return err == nil && n != 0
}

// intOf reads a whole number, also one that is written with a fraction. It does
// not go through a float where that would lose digits.
func intOf(meaning string) (int64, bool) {
	if n, err := strconv.ParseInt(meaning, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(meaning, 64)
	return int64(f), err == nil && math.Abs(f) < 1<<53
}

// firstMilli tells milliseconds since 1970 from seconds: as seconds it is in
// the year 5138, as milliseconds in 1973. After lastMilli comes the year 10000,
// which no notation of times has.
const (
	firstMilli = 100_000_000_000
	lastMilli  = 253_402_300_799_999
)

// timeOf reads RFC 3339 and what is meant to be that, the date of an HTTP header, or
// milliseconds or seconds since 1970. Anything else, also "-1", is the zero time.
func timeOf(meaning []byte) time.Time {
	var at time.Time
	if at.UnmarshalText(meaning) == nil {
		return at
	}
	words := string(meaning)
	if n, ok := intOf(words); ok {
		switch {
		case n <= 0 || n > lastMilli:
			return time.Time{}
		case n < firstMilli:
			return time.Unix(n, 0).UTC()
		}
		return time.UnixMilli(n).UTC()
	}
	return writtenTime(words)
}
