package testkit

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// oddValues are values that stand where others are wanted.
var oddValues = strings.Fields(`null true false 0 -0 -0.0 1 -1 7.0 1e3 1E-2 1e999 1e-999 0.1 -12.50 123456789012345678 1234567890123456789
	9223372036854775807 9223372036854775808 18446744073709551615 300 70000 123456789012345678901234567890 0.10000000000000000001 3.4e38 1e39 1612943653720
	"" "a" "true" "1" "0" "-1" "-0" "007" "42" "1.5" "1e2" "1612943653720" "1612943653" "NaN" "null" "\u0061b" "\"" "\\\/\b\f\n\r\t" "\ud83d" "\ud83d\ude00" "\ude00"
	"ü" "客服" "👍" "2026-02-03T08:00:00Z" "2026-02-03T08:00:00.120Z" "2026-02-03T08:00:00.123456789Z" "2026-02-03T08:00:00.1234567890Z" "2026-02-30T08:00:00Z"
	"2024-02-29T23:59:59Z" "2023-02-29T23:59:59Z" "2026-02-03T24:00:00Z" "2026-02-03T08:00:00,5Z" "2026-02-03T8:00:00Z" "2026-02-03T08:00:00+05:30" "2026-02-03T08:00:00+25:00"
	"0000-01-01T00:00:00Z" "0001-01-01T00:00:00Z" "9999-12-31T23:59:59Z" "2026-02-03T08:00:60Z" "2026-02-03t08:00:00z" "192.0.2.1" "aGk=" "!"
	{} [] [1] [null] {"a":1} {"a":1,"a":2} {"text":"x"} {"message":"y"} [1,"two",{"three":[null]}] [[[]]] {"":{"":""}} {"b":{"c":1,"C":2},"b":{"d":3}}
	tru nul 01 1. .5 -  "\x" "a` + "\x01" + `b" "` + "\xff" + `" {"a"} [1,] {"a":1,} + "unended`)

// OddJSON returns JSON that mostly fits a type, or something close to it. The same dice
// make the same text.
func OddJSON(dice *rand.Rand, t reflect.Type) []byte {
	o := odd{dice: dice, left: 40 + dice.IntN(200)}
	o.value(t, 0)
	if o.one(60) {
		o.text = append(o.text, " x,]}"[dice.IntN(5)])
	}
	if o.one(60) && len(o.text) > 1 {
		o.text = o.text[:dice.IntN(len(o.text))]
	}
	if o.one(60) && len(o.text) > 0 {
		o.text[dice.IntN(len(o.text))] = "\x00\x1f\x7f\xff \"{}[],:0eé"[dice.IntN(16)]
	}
	return o.text
}

type odd struct {
	dice *rand.Rand
	text []byte
	left int // How many values there may still be.
}

// one is true once in n times.
func (o *odd) one(n int) bool { return o.dice.IntN(n) == 0 }

func (o *odd) write(text string) { o.text = append(o.text, text...) }

func (o *odd) space() {
	if o.one(30) {
		o.write([]string{" ", "\n\t ", "\r"}[o.dice.IntN(3)])
	}
}

func (o *odd) value(t reflect.Type, depth int) {
	o.space()
	defer o.space()
	o.left--
	if o.left < 0 || depth > 8 || o.one(25) {
		o.write(oddValues[o.dice.IntN(len(oddValues)-14*min(1, o.dice.IntN(8)))]) // The last are no JSON.
		return
	}
	pointer := reflect.PointerTo(t)
	switch {
	case t == reflect.TypeFor[time.Time]():
		o.write(strconv.Quote(time.Unix(o.dice.Int64N(4e9), o.dice.Int64N(1e9)).UTC().Format(time.RFC3339Nano)))
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) && t.Kind() != reflect.Struct || t.Kind() == reflect.Interface:
		o.write(oddValues[o.dice.IntN(len(oddValues)-14)])
	case t.Kind() == reflect.Pointer:
		o.value(t.Elem(), depth)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		o.items('[', func() { o.value(t.Elem(), depth+1) })
	case t.Kind() == reflect.Map:
		o.items('{', func() { o.member(strconv.Itoa(o.dice.IntN(9)), t.Elem(), depth) })
	case t.Kind() == reflect.Struct:
		o.object(t, depth)
	default:
		o.scalar(t)
	}
}

func (o *odd) scalar(t reflect.Type) {
	switch t.Kind() {
	case reflect.Bool:
		o.write(strconv.FormatBool(o.one(2)))
	case reflect.String:
		o.write(`"` + strings.Repeat("word ", o.dice.IntN(9)) + `"`)
	case reflect.Float32, reflect.Float64:
		o.write(strconv.FormatFloat(math.Ldexp(o.dice.Float64()-0.5, o.dice.IntN(80)-40), "efg"[o.dice.IntN(3)], o.dice.IntN(20)-1, 64))
	default:
		o.write(strconv.FormatInt(o.dice.Int64()>>o.dice.IntN(64), 10))
	}
}

func (o *odd) items(bracket byte, item func()) {
	o.text = append(o.text, bracket)
	for i := range o.dice.IntN(4) {
		if i > 0 {
			o.write(",")
		}
		item()
	}
	o.text = append(o.text, bracket+2)
}

// object writes most members of a struct, now and then under another name, twice, or in
// another order.
func (o *odd) object(t reflect.Type, depth int) {
	o.write("{")
	begun := false
	for _, i := range o.order(t.NumField()) {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" {
			name = t.Field(i).Name
		}
		for again := !o.one(3); again; again = o.one(20) {
			if begun {
				o.write(",")
			}
			begun = true
			o.member(name, t.Field(i).Type, depth)
		}
	}
	o.write("}")
}

func (o *odd) order(n int) []int {
	if o.one(4) {
		return o.dice.Perm(n)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func (o *odd) member(name string, t reflect.Type, depth int) {
	switch o.dice.IntN(40) {
	case 0:
		name = strings.ToUpper(name)
	case 1:
		name = strings.ToUpper(name[:1]) + name[1:]
	case 2:
		name = strings.ReplaceAll(name, "_", "-")
	case 3:
		name = "x_" + name
	case 4:
		name = fmt.Sprintf(`\u%04x%s`, name[0], name[1:])
	case 5:
		name = []string{"", "ü", `\"`, "\xff", `\ud800`, "ıd", "Extra"}[o.dice.IntN(7)]
	}
	o.write(`"` + name + `":`)
	o.value(t, depth+1)
}

// SameBits reports whether two values are equal, the signs of zeros included, and what is
// nil and what is empty.
func SameBits(a, b any) bool {
	return reflect.DeepEqual(a, b) && signs(reflect.ValueOf(a)) == signs(reflect.ValueOf(b))
}

// signs returns the signs of all floats in a value.
func signs(v reflect.Value) (all string) {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return strconv.FormatBool(math.Signbit(v.Float()))
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return signs(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			all += signs(v.Index(i))
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			all += signs(field)
		}
	case reflect.Map:
		positive := 0
		for _, key := range v.MapKeys() {
			positive += strings.Count(signs(v.MapIndex(key)), "f")
		}
		return strconv.Itoa(positive)
	}
	return all
}
