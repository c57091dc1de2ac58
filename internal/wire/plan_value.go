package wire

import (
	"bytes"
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// decoding goes through one body by a plan.
type decoding struct {
	scan

	library library
	lenient bool
	failed  bool // The library has to say what is wrong.
	sharing bool
	shared  sharedStrings
	scratch []byte  // For what is written with escapes.
	order   []uint8 // That of the target, as far as the objects so far are in another.
}

var decodings = sync.Pool{New: func() any { return new(decoding) }}

// begin returns a decoding of a body, which is to end.
func begin(body []byte, t *target, lenient bool) *decoding {
	d := decodings.Get().(*decoding) //nolint:forcetypeassert // The pool holds nothing else.
	d.scan, d.library = scan{text: body}, library{target: t, body: body}
	d.lenient, d.sharing, d.failed = lenient, lenient, false
	d.order = append(d.order[:0], t.order...)
	return d
}

// end lets go of the body.
func (d *decoding) end() {
	if d.scan, d.library = (scan{}), (library{}); cap(d.scratch) > maxCounted {
		d.scratch = nil
	}
	decodings.Put(d)
}

// decodeByPlan reports whether it has decoded body into v, which is zero.
func decodeByPlan(body []byte, v reflect.Value, t *target, lenient bool) bool {
	d := begin(body, t, lenient)
	defer d.end()
	return d.value(t.plan, v) && d.ends()
}

// decodeData is membersOf, and decodes the member data into v on the way, which is
// zero, as [UnmarshalLenient] does. It returns false, and leaves v zero, where that takes
// more than one look: where a name is there twice, or data begin with another bracket.
func decodeData(object []byte, brackets string, v reflect.Value) (m members, ok bool) {
	t := targetOf(v.Type(), v.Type())
	if t.plan == nil || plans != "on" || !v.IsZero() {
		return nil, false
	}
	d := begin(object, t, true)
	defer d.end()
	found := false
	var room [24]pair
	all, ok := d.members(room[:0], func(name []byte) ([]byte, bool) {
		if found || string(name) != `"data"` || strings.IndexByte(brackets, d.peek()) < 0 {
			return d.skip()
		}
		found = true
		return d.part(v)
	})
	m = members{}
	for _, member := range all {
		m.add(member.name, member.value)
	}
	if ok && found && d.ends() && len(m) == len(all) {
		return m, true
	}
	v.SetZero()
	return nil, false
}

// part decodes a part of the body as if it were all of it, and returns it.
func (d *decoding) part(v reflect.Value) (part []byte, ok bool) {
	start, depth := d.at, d.depth
	d.library.body, d.library.more, d.depth = d.scan.text[start:], true, 0
	ok = d.value(d.library.target.plan, v)
	d.depth = depth
	return d.scan.text[start:d.at], ok
}

// value decodes the next value into v, which is zero. It returns false if the
// library has to decode the whole.
func (d *decoding) value(p *plan, v reflect.Value) bool {
	c := d.peek()
	start, depth := d.at, d.depth
	if d.read(p, v, c) {
		return true
	}
	if d.failed {
		return false
	}
	d.at, d.depth = start, depth
	return d.hand(p, v)
}

// hand gives the next value to the library.
func (d *decoding) hand(p *plan, v reflect.Value) bool {
	v.SetZero()
	value, ok := d.skip()
	d.failed = !ok || d.library.decode(p.straighten(value), v, d.depth, d.lenient) != nil
	return !d.failed
}

// read decodes the next value, which begins with c, if it is usual.
func (d *decoding) read(p *plan, v reflect.Value, c byte) bool {
	if c == 'n' && p.kind != byLibrary && p.kind != asRaw {
		return d.literal("null")
	}
	switch p.kind {
	case asString:
		return d.readString(v, c)
	case asBool:
		return d.readBool(v, c)
	case asInt, asUint, asFloat:
		return d.readNumber(p.kind, v, c)
	case asTime:
		return d.readTime(v, c)
	case asText:
		return d.readText(v)
	case asRaw:
		return d.readRaw(v)
	case asAny:
		return d.readAny(v, c)
	case asPointer:
		return d.readPointer(p, v, c)
	case asList:
		return d.readList(p, v)
	case asMap:
		return d.readMap(p, v)
	case asStruct:
		return d.readStruct(p, v)
	}
	return false
}

// text takes a string, and returns what it means. The slice is good until the next one.
func (d *decoding) text() (text []byte, ok bool) {
	if d.peek() != '"' {
		return nil, false
	}
	return d.textHere()
}

// textHere is text for a string whose quote is next.
func (d *decoding) textHere() (text []byte, ok bool) {
	if text, ok = d.plainText(); ok {
		return text, true
	}
	quoted, ok := d.quoted()
	if !ok {
		return nil, false
	}
	d.scratch = unquote(d.scratch[:0], quoted)
	return d.scratch, true
}

// word takes a scalar that stands where another is wanted, and returns what it says.
func (d *decoding) word(c byte) (word []byte, ok bool) {
	switch {
	case !d.lenient:
		return nil, false
	case c == '"':
		return d.plainText()
	case c == 't' || c == 'f' || c == '-' || isDigit(c):
		return d.skip()
	}
	return nil, false
}

func (d *decoding) readString(v reflect.Value, c byte) bool {
	if c == '"' {
		text, ok := d.textHere()
		if ok {
			v.SetString(d.string(text))
		}
		return ok
	}
	word, ok := d.word(c)
	if ok {
		v.SetString(d.string(word))
	}
	return ok
}

func (d *decoding) readBool(v reflect.Value, c byte) bool {
	switch c {
	case 't':
		v.SetBool(true)
		return d.literal("true")
	case 'f':
		return d.literal("false")
	}
	word, ok := d.word(c)
	if ok {
		v.SetBool(boolOf(string(bytes.TrimSpace(word))))
	}
	return ok
}

func (d *decoding) readNumber(kind planKind, v reflect.Value, c byte) bool {
	if c != '-' && !isDigit(c) {
		word, ok := d.word(c)
		if n, counts := countOf(word); counts && ok && setWhole(kind, v, n) {
			return true
		}
		if ok {
			setNumber(v, string(bytes.TrimSpace(word)))
		}
		return ok
	}
	literal, whole, ok := d.number()
	if !ok {
		return false
	}
	if kind == asFloat {
		f, ok := floatOf(literal, v.Type().Bits())
		v.SetFloat(f)
		return ok
	}
	n, ok := wholeOf(literal)
	isUnsigned := literal[0] != '-' // Which -0 is not.
	return ok && whole && (kind == asInt || isUnsigned) && setWhole(kind, v, n)
}

// setWhole reports whether a whole number fits. Floats have other ways.
func setWhole(kind planKind, v reflect.Value, n int64) bool {
	switch {
	case kind == asInt && !v.OverflowInt(n):
		v.SetInt(n)
		return true
	case kind == asUint && n >= 0 && !v.OverflowUint(uint64(n)):
		v.SetUint(uint64(n))
		return true
	}
	return false
}

// maxWhole is the length of a number that surely fits into an int64.
const maxWhole = 18

// wholeOf returns the value of a whole number that is not too long.
func wholeOf(literal []byte) (n int64, ok bool) {
	digits := literal
	if literal[0] == '-' {
		digits = literal[1:]
	}
	if len(digits) > maxWhole {
		return 0, false
	}
	for _, c := range digits {
		n = 10*n + int64(c-'0')
	}
	if literal[0] == '-' {
		n = -n
	}
	return n, true
}

// floatOf returns the value of a number that is in the range of floats. Up to 15 digits
// and a power of ten up to as many are exact, and so is what comes of them.
func floatOf(literal []byte, bits int) (f float64, ok bool) {
	if len(literal) < manyDigits && literal[0] != '-' && bits == 64 {
		n, power, ok := decimalOf(literal)
		if ok {
			return float64(n) / powers[power], true
		}
	}
	f, err := strconv.ParseFloat(string(literal), bits)
	return f, err == nil
}

var powers = [manyDigits]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimalOf reads a short number without a sign or an exponent: n divided by a power of ten.
func decimalOf(literal []byte) (n int64, power int, ok bool) {
	fraction := 0
	for _, c := range literal {
		switch {
		case c == '.':
			fraction = 1
		case isDigit(c):
			n = 10*n + int64(c-'0')
			power += fraction
		default:
			return 0, 0, false
		}
	}
	return n, power, true
}

func (d *decoding) readText(v reflect.Value) bool {
	text, ok := d.text()
	return ok && unmarshalText(v, text)
}

func (d *decoding) readRaw(v reflect.Value) bool {
	value, ok := d.skip()
	if ok {
		v.SetBytes(append([]byte(nil), value...))
	}
	return ok
}

// readTime reads at once what the live service writes for a time.
func (d *decoding) readTime(v reflect.Value, c byte) bool {
	at := pointerTo[time.Time](v)
	if c != '"' {
		word, ok := d.word(c)
		*at = timeOf(word)
		return ok
	}
	text, ok := d.plainText()
	if !ok {
		return false
	}
	if *at, ok = instantOf(text); ok {
		return true
	}
	if n, counts := countOf(text); d.lenient && (counts || len(text) == 0) {
		*at = sinceEpoch(n) // No text is no time.
		return true
	}
	return at.UnmarshalText(text) == nil // Otherwise it is handed on.
}

// countOf reads a whole number that is not too long.
func countOf(text []byte) (n int64, ok bool) {
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || digitsEnd(digits, 0) < len(digits) {
		return 0, false
	}
	return wholeOf(text)
}

// instantOf reads RFC 3339 in UTC: 2006-01-02T15:04:05Z, with up to nine digits of a
// fraction.
func instantOf(text []byte) (at time.Time, ok bool) {
	const layout = "2006-01-02T15:04:05"
	last := len(text) - 1
	if last < len(layout) || last > len(layout+".999999999") || text[last] != 'Z' {
		return at, false
	}
	if text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return at, false
	}
	century, year, month, day := twoDigits(text), twoDigits(text[2:]), twoDigits(text[5:]), twoDigits(text[8:])
	hour, minute, second := twoDigits(text[11:]), twoDigits(text[14:]), twoDigits(text[17:])
	nanos, ok := nanosOf(text[len(layout):last])
	if !ok || century > 99 || year > 99 || month-1 > 11 || day-1 > 30 || hour > 23 || minute > 59 || second > 59 {
		return at, false
	}
	at = time.Date(int(century*100+year), time.Month(month), int(day), int(hour), int(minute), int(second), nanos, time.UTC)
	return at, day <= 28 || at.Day() == int(day) // A February has no 30th.
}

// twoDigits returns the number that a text begins with, or one that is too large.
func twoDigits(text []byte) uint {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return math.MaxUint8
	}
	return uint(tens)*10 + uint(ones)
}

// nanosOf reads the fraction of a second, with its point, or nothing.
func nanosOf(fraction []byte) (nanos int, ok bool) {
	if len(fraction) == 0 {
		return 0, true
	}
	if len(fraction) == 1 || fraction[0] != '.' || digitsEnd(fraction, 1) != len(fraction) {
		return 0, false
	}
	scale := int(time.Second)
	for _, c := range fraction[1:] {
		scale /= 10
		nanos += scale * int(c-'0')
	}
	return nanos, true
}

// pointerTo returns the address of a value that is of type T.
func pointerTo[T any](v reflect.Value) *T {
	pointer, _ := reflect.TypeAssert[*T](v.Addr())
	return pointer
}

// unmarshalText reports whether a value has understood a text.
func unmarshalText(v reflect.Value, text []byte) bool {
	target, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return ok && target.UnmarshalText(text) == nil
}
