package wire

import (
	"bytes"
	"cmp"
	stdjson "encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// This file is the only one that knows which JSON library is in use. When
// go.mod says 1.27, its imports become encoding/json/v2 and nothing else
// changes. The rest of the package has the library's types by these names.
type (
	jsonValue     = jsontext.Value
	jsonKind      = jsontext.Kind
	jsonDecoder   = jsontext.Decoder
	syntaxError   = jsontext.SyntacticError
	mismatchError = json.SemanticError // A value of another type than is wanted.
)

// asBefore has json/v2 take a type for what encoding/json takes it for, which is
// what callers know: omitempty, durations, byte arrays, the option string, methods
// of pointers, tags with mistakes in them. Where encoding/json surprises instead, it
// has not: null empties a field that was set, and text is not escaped for HTML.
var asBefore = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	jsonv1.MergeWithLegacySemantics(false),
	jsontext.EscapeForHTML(false),
	jsontext.EscapeForJS(false),
	jsontext.PreserveRawStrings(false),
)

// tolerant decodes what encoding/json would: one emoji cut in half by a
// server, or one repeated name, must not fail a page of a hundred chats. It does not
// read everything once before, as encoding/json does, but minds mistakes in tags.
var (
	tolerant       = json.JoinOptions(toleratingTags, jsonv1.ReportErrorsWithLegacySemantics(false))
	toleratingTags = asBefore
)

// exact takes names as they are. When decoding, misspelled ones have been straightened.
var exact = json.MatchCaseInsensitiveNames(false)

// public writes times as the service does. No name is written twice, and nil lists
// and maps are empty ones.
var public = json.JoinOptions(
	asBefore,
	jsontext.AllowDuplicateNames(false),
	exact,
	json.FormatNilSliceAsNull(false),
	json.FormatNilMapAsNull(false),
	json.WithMarshalers(asTheServiceDoes),
)

var asTheServiceDoes = json.JoinMarshalers(
	json.MarshalToFunc(encodeTime), json.MarshalToFunc(encodeRaw), json.MarshalToFunc(encodeNumber), json.MarshalToFunc(encodeObject))

// kept is how encoding/json is told to write objects: as it would itself, but that
// what the service calls null is null.
var kept = json.JoinOptions(public, json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true))

// outgoing is also the only place that lets a secret leave the process. Each one
// that does is reported.
func outgoing(report func(secret string)) json.Options {
	return json.JoinOptions(public, json.WithMarshalers(json.JoinMarshalers(
		asTheServiceDoes,
		json.MarshalToFunc(func(e *jsontext.Encoder, s Revealer) error {
			report(s.Reveal())
			return e.WriteToken(jsontext.String(s.Reveal()))
		}),
		json.MarshalToFunc(encodeOptional),
	)))
}

// Revealer is a secret that must be sent as it is, although it hides itself
// from every other encoder.
type Revealer interface{ Reveal() string }

// Optional is sent as the value that it holds, or as null if it holds nil.
type Optional interface{ Any() any }

// marshal minds mistakes in tags only where it must: json/v2 explains other errors
// better.
func marshal(v any, options json.Options) ([]byte, error) {
	data, err := json.Marshal(v, options, jsonv1.ReportErrorsWithLegacySemantics(false))
	if err != nil {
		if data, err := json.Marshal(v, options); err == nil {
			return data, nil
		}
	}
	return data, err
}

// Marshal encodes an object as the service does, secrets included.
func Marshal(v any) ([]byte, error) { return marshal(v, serving) }

var serving = outgoing(func(string) {})

// revealing encodes one request body at a time, and notes the secrets that go into
// it. It is used again, since its options remember how to encode each type.
type revealing struct {
	options json.Options
	secrets []string
}

func newRevealing() *revealing {
	r := new(revealing)
	note := func(secret string) { r.secrets = append(r.secrets, secret) }
	r.options = json.JoinOptions(outgoing(note), json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true))
	return r
}

var revealers = sync.Pool{New: func() any { return newRevealing() }}

// MarshalRequest encodes a request body, which may be of a type of the caller's,
// and returns the secrets that it holds.
func MarshalRequest(v any) (body []byte, secrets []string, err error) {
	r := revealers.Get().(*revealing) //nolint:forcetypeassert // The pool holds nothing else.
	defer revealers.Put(r)
	body, err = marshal(v, r.options)
	secrets, r.secrets = r.secrets, nil
	return body, secrets, err
}

// MarshalPublic encodes what anyone may see: secrets stay hidden.
func MarshalPublic(v any) ([]byte, error) { return marshal(v, public) }

// Script encodes what anyone may see as a JavaScript expression for a script
// element: a string literal that JSON.parse reads. Whatever v holds, the
// literal cannot end early, and no member name means more than itself, as
// __proto__ would in an object literal.
func Script(v any) ([]byte, error) {
	data, err := MarshalPublic(v)
	if err != nil {
		return nil, err
	}
	literal, err := json.Marshal(string(data), jsontext.EscapeForHTML(true), jsontext.EscapeForJS(true))
	return slices.Concat([]byte("JSON.parse("), literal, []byte(")")), err
}

// Unmarshal decodes data into v, strictly typed. A number of no particular type is a
// float64, or a json.Number where that would lose digits. Only data that hold such a
// number pay for it.
func Unmarshal(data []byte, v any) error { return decode(data, v, nil) }

// UnmarshalByLibrary is Unmarshal, or UnmarshalLenient, without plans: what they must not
// differ from.
func UnmarshalByLibrary(data []byte, v any, lenient bool) error {
	into := reflect.ValueOf(v).Elem()
	return targetOf(into.Type(), into.Type()).decodeByLibrary(WithoutByteOrderMark(data), into, lenient)
}

// decode decodes data into v, strictly typed unless a type is wanted.
func decode(data []byte, v any, wanted reflect.Type) error {
	data = WithoutByteOrderMark(data)
	pointer := reflect.ValueOf(v)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return json.Unmarshal(data, v, tolerant)
	}
	into := pointer.Elem()
	t := targetOf(into.Type(), cmp.Or(wanted, into.Type()))
	if t.plan != nil && plans == "on" && into.IsZero() {
		if decodeByPlan(data, into, t, wanted != nil) {
			return nil
		}
		into.SetZero()
	}
	return t.decodeByLibrary(data, into, wanted != nil)
}

// decodeByLibrary decodes a whole body with the library alone.
func (t *target) decodeByLibrary(data []byte, into reflect.Value, lenient bool) error {
	if t.plan != nil {
		data = t.plan.straighten(data)
	}
	l := library{target: t, body: data}
	return l.decode(data, into, 0, lenient)
}

// library decodes parts of a body, or all of it, with json/v2.
type library struct {
	target    *target
	body      []byte
	more      bool // Whether something follows in body that is no part of it.
	long      bool // Whether body has a long number,
	longKnown bool // if that is known.
}

func (l *library) hasLong() bool {
	if l.longKnown {
		return l.long
	}
	if l.more {
		s := scan{text: l.body}
		s.skip()
		l.body, l.more = l.body[:s.at], false
	}
	l.long, l.longKnown = hasLongNumber(l.body), true
	return l.long
}

// decode decodes a value that lies so deep in the body. A lenient one decodes once
// more what is of another type.
func (l *library) decode(value []byte, into reflect.Value, depth int, lenient bool) error {
	v := into.Addr().Interface()
	var deciding []*json.Unmarshalers
	if l.target.objects {
		deciding = append(deciding, decodingObjects)
	}
	err := json.Unmarshal(value, v, l.options(l.hasLong(), deciding))
	_, mismatch := errors.AsType[*mismatchError](err)
	if mismatch && lenient {
		into.SetZero()
		deciding = append([]*json.Unmarshalers{json.UnmarshalFromFunc(l.lenientDecoder(depth))}, deciding...)
		options := l.options(false, deciding)
		err = json.Unmarshal(value, v, options)
		if _, mismatch = errors.AsType[*mismatchError](err); mismatch &&
			json.Unmarshal(value, v, options, jsonv1.ReportErrorsWithLegacySemantics(true)) == nil {
			return nil
		}
	}
	return inTheirNames(err)
}

func (l *library) options(long bool, deciding []*json.Unmarshalers) json.Options {
	options := tolerant
	if l.target.plan != nil {
		options = json.JoinOptions(options, exact)
	}
	if long {
		deciding = append(deciding, losingNoDigit)
	}
	if len(deciding) == 0 {
		return options
	}
	return json.JoinOptions(options, json.WithUnmarshalers(json.JoinUnmarshalers(deciding...)))
}

var (
	losingNoDigit   = json.UnmarshalFromFunc(decodeAny)
	decodingObjects = json.UnmarshalFromFunc(decodeObject)
)

// newDecoder returns a decoder that reads data in place.
func newDecoder(data []byte) *jsonDecoder {
	return jsontext.NewDecoder(bytes.NewBuffer(data), tolerant)
}

// unquote appends what a string means whose escapes are right. Like the library, it puts
// U+FFFD where it is not UTF-8.
func unquote(to, quoted []byte) []byte {
	text, _ := jsontext.AppendUnquote(to, quoted) //nolint:errcheck // It is about UTF-8 alone.
	return text
}

// decodesJSON reports whether a type has methods that decode JSON.
func decodesJSON(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return t.Kind() != reflect.Pointer &&
		(pointer.Implements(unmarshalerType) || pointer.Implements(reflect.TypeFor[json.UnmarshalerFrom]()))
}

// encodeObject encodes an object without its methods, which would come back here.
func encodeObject(e *jsontext.Encoder, o object) error {
	plain, ok := withoutMethods(o)
	if !ok {
		return errors.ErrUnsupported
	}
	return json.MarshalEncode(e, plain)
}

// decodeObject decodes an object without its methods, which would come back here.
func decodeObject(d *jsontext.Decoder, o object) error {
	plain, ok := withoutMethods(o)
	if !ok {
		return errors.ErrUnsupported
	}
	return json.UnmarshalDecode(d, plain)
}

// TimeLayout is the service's notation: RFC 3339 in UTC with milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// FormatTime writes t as the service does, with more digits only where
// dropping them would lose something.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		return t.Format(time.RFC3339Nano)
	}
	return t.Format(TimeLayout)
}

// encodeTime writes no time as null, as the service does.
func encodeTime(e *jsontext.Encoder, t time.Time) error {
	if t.IsZero() {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteToken(jsontext.String(FormatTime(t)))
}

// encodeRaw writes what a server sent, also where it repeats a name, which is
// tolerated in an answer: the last one counts, as it does for encoding/json.
func encodeRaw(e *jsontext.Encoder, raw stdjson.RawMessage) error {
	if raw == nil {
		return e.WriteToken(jsontext.Null)
	}
	err := e.WriteValue(jsontext.Value(raw))
	if !errors.Is(err, jsontext.ErrDuplicateName) {
		return err
	}
	var parts any = new(map[string]stdjson.RawMessage)
	if jsontext.Value(raw).Kind() == '[' {
		parts = new([]stdjson.RawMessage)
	}
	if err := Unmarshal(raw, parts); err != nil {
		return err
	}
	return json.MarshalEncode(e, parts) // Which comes back here for each part.
}

// encodeOptional writes a nil list or map that is set as an empty one: null would
// clear the field.
func encodeOptional(e *jsontext.Encoder, o Optional) error {
	switch v := reflect.ValueOf(o.Any()); v.Kind() {
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return json.MarshalEncode(e, o.Any(), json.FormatNilSliceAsNull(false), json.FormatNilMapAsNull(false))
		}
	}
	return json.MarshalEncode(e, o.Any())
}

// encodeNumber writes a number as one, on every version of Go.
func encodeNumber(e *jsontext.Encoder, n stdjson.Number) error {
	number := jsontext.Value(cmp.Or(n, "0")) // As encoding/json does.
	if number.Kind() != '0' || !number.IsValid() {
		return errors.New("invalid number " + strconv.Quote(string(n)))
	}
	within, length := e.StackIndex(e.StackDepth())
	isName := within == '{' && length%2 == 0
	if quoted, _ := json.GetOption(e.Options(), json.StringifyNumbers); quoted || isName {
		return e.WriteToken(jsontext.String(string(number)))
	}
	return e.WriteValue(number)
}

// Query turns a params struct into a query through its json tags: one member,
// one value. Members that are null, or absent from the JSON, are absent from the
// query.
func Query(params any) (url.Values, error) {
	data, _, err := MarshalRequest(params)
	if err != nil {
		return nil, err
	}
	var members map[string]jsontext.Value
	if err := Unmarshal(data, &members); err != nil {
		return nil, err
	}
	query := make(url.Values, len(members))
	for name, value := range members {
		if value.Kind() != 'n' {
			query.Set(name, text(value))
		}
	}
	return query, nil
}
