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

// UnmarshalLenient decodes data into v. Where a type does not fit, it takes
// scalars for what they mean: the live service writes true as "true" or 1, numbers
// and times as strings, times as milliseconds, and ids now and then as numbers. What
// means nothing to a type stays zero. What fits is decoded as by [Unmarshal].
//
// Only v itself, and the items of a list, must be objects where objects are
// wanted: nothing can be made up for one that is not there.
func UnmarshalLenient(data []byte, v any) error {
	return decode(data, v, reflect.TypeOf(v).Elem())
}

// lenient decodes scalars that do not fit.
type lenient struct {
	required map[reflect.Type]bool // Objects and lists that must be there,
	depth    int                   // unless they are more than this many levels down.
}

// requires reports whether a type must be there, so deep down.
func (l lenient) requires(t reflect.Type, depth int) bool { return depth <= l.depth && l.required[t] }

// newLenient returns the lenience for a type that holds the one that is wanted.
func newLenient(typ, wanted reflect.Type) lenient {
	l := lenient{required: map[reflect.Type]bool{}}
	l.require(typ)
	l.require(reflect.PointerTo(wanted))
	if typ != wanted {
		l.depth = 1 // It is in an envelope.
	}
	for l.require(wanted); wanted.Kind() == reflect.Pointer || wanted.Kind() == reflect.Slice; l.require(wanted) {
		if wanted.Kind() == reflect.Slice {
			l.depth++
		}
		wanted = wanted.Elem()
	}
	return l
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	anyType         = reflect.TypeFor[any]()
	rawType         = reflect.TypeFor[stdjson.RawMessage]()
	numberType      = reflect.TypeFor[stdjson.Number]()
	unmarshalerType = reflect.TypeFor[stdjson.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// lenientDecoder returns a func that is called for each value, and leaves to the
// library what fits. The first value lies so deep in the body.
func (l *library) lenientDecoder(depth int) func(d *jsonDecoder, v any) error {
	return func(d *jsonDecoder, v any) error {
		into := reflect.ValueOf(v).Elem()
		kind := d.PeekKind()
		if free, ok := v.(*any); ok {
			return l.decodeAny(d, free)
		}
		must := l.target.lenient.requires(namedOf(into.Type()), depth+d.StackDepth())
		if kind == 'n' || must || fits(kind, into.Type()) {
			return errors.ErrUnsupported
		}
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		into.SetZero()
		set(into, value)
		return nil
	}
}

// decodeAny decodes a number as without lenience, unless none of Go's holds it.
func (l *library) decodeAny(d *jsonDecoder, v *any) error {
	if l.hasLong() || d.PeekKind() != '0' {
		return decodeAny(d, v)
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(string(value), 64); err == nil {
		*v = f
	} else {
		*v = numberOf(string(value))
	}
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
	if twinOf(t) != nil {
		return false
	}
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
	switch {
	case target.CanInt():
		if n, whole := intOf(meaning); whole && !target.OverflowInt(n) {
			target.SetInt(n)
		}
	case target.CanUint():
		n, err := strconv.ParseUint(meaning, 10, 64)
		if err != nil {
			var signed int64
			var whole bool
			if signed, whole = intOf(meaning); !whole || signed < 0 {
				return
			}
			n = uint64(signed)
		}
		if !target.OverflowUint(n) {
			target.SetUint(n)
		}
	case target.CanFloat():
		f, err := strconv.ParseFloat(meaning, target.Type().Bits())
		if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			target.SetFloat(f)
		}
	}
}

// setPointer leaves a pointer nil for what stands for nothing.
func setPointer(target reflect.Value, value jsonValue) {
	pointed := reflect.New(target.Type().Elem())
	if Unmarshal(value, pointed.Interface()) != nil {
		pointed.Elem().SetZero()
		if UnmarshalLenient(value, pointed.Interface()) != nil ||
			pointed.Elem().IsZero() && standsForNothing(target.Type().Elem(), value) {
			return
		}
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
	case "", "false":
		return false // What follows would take its time to say so.
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
	if n, ok := countOf(meaning); ok {
		return sinceEpoch(n)
	}
	var at time.Time
	if at.UnmarshalText(meaning) == nil {
		return at
	}
	words := string(meaning)
	if n, ok := intOf(words); ok {
		return sinceEpoch(n)
	}
	return writtenTime(words)
}

// sinceEpoch returns the time so many seconds or milliseconds after the start of 1970.
func sinceEpoch(n int64) time.Time {
	switch {
	case n <= 0 || n > lastMilli:
		return time.Time{}
	case n < firstMilli:
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}
