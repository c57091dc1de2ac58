package wire

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
)

// readPointer leaves a pointer nil for what is of another type and means nothing.
func (d *decoding) readPointer(p *plan, v reflect.Value, c byte) bool {
	pointed := reflect.New(p.elem.typ)
	ok := false
	switch p.elem.kind {
	case asStruct, asMap:
		ok = c == '{' && d.value(p.elem, pointed.Elem())
	case asList:
		ok = c == '[' && d.value(p.elem, pointed.Elem())
	case asString, asBool, asInt, asUint, asFloat, asTime:
		start, lenient := d.at, d.lenient
		d.lenient = false
		ok = d.read(p.elem, pointed.Elem(), c)
		if d.lenient = lenient; !ok && lenient {
			d.at = start
			ok = d.read(p.elem, pointed.Elem(), c)
			if ok && pointed.Elem().IsZero() && !d.library.target.lenient.requires(p.typ, d.depth) && standsForNothing(p.elem.typ, d.scan.text[start:d.at]) {
				return true
			}
		}
	default:
		ok = d.read(p.elem, pointed.Elem(), c)
	}
	if ok {
		v.Set(pointed)
	}
	return ok
}

func (d *decoding) readList(p *plan, v reflect.Value) bool {
	if !d.open('[') {
		return false
	}
	if d.closes(']') {
		v.Set(reflect.MakeSlice(p.typ, 0, 0))
		return true
	}
	start := d.at
	for i, more := 0, true; more; i++ {
		if i == v.Cap() {
			v.Grow(d.room(i, start))
		}
		v.SetLen(i + 1)
		ok := d.value(p.elem, v.Index(i))
		if !ok {
			return false
		}
		if more, ok = d.next(']'); !ok {
			return false
		}
	}
	return true
}

// mostRoom is for how many items there is room at most before they are there.
const mostRoom = 100

// room returns for how many more items to make room. In a list that is all there is,
// others are supposed to be as long as the first.
func (d *decoding) room(length, start int) int {
	switch {
	case d.depth > 2:
		return max(2, length)
	case length == 1:
		return min(mostRoom, (len(d.scan.text)-d.at)/(d.at-start)+1)
	}
	return max(1, length)
}

func (d *decoding) readMap(p *plan, v reflect.Value) bool {
	if !d.open('{') {
		return false
	}
	v.Set(reflect.MakeMap(p.typ))
	if d.closes('}') {
		return true
	}
	for more := true; more; {
		name, ok := d.text()
		if !ok || !d.take(':') || !d.put(p, v, name) {
			return false
		}
		if more, ok = d.next('}'); !ok {
			return false
		}
	}
	return true
}

// put decodes the next value into a map, which has nothing of that name.
func (d *decoding) put(p *plan, v reflect.Value, name []byte) bool {
	key := d.string(name)
	switch m := v.Addr().Interface().(type) {
	case *map[string]stdjson.RawMessage:
		if _, taken := (*m)[key]; taken {
			return false
		}
		value, ok := d.skip()
		(*m)[key] = append([]byte(nil), value...)
		return ok
	case *map[string]any:
		if _, taken := (*m)[key]; taken {
			return false
		}
		value, ok := d.any(d.peek())
		(*m)[key] = value
		return ok
	}
	item, named := reflect.New(p.elem.typ).Elem(), reflect.ValueOf(key)
	if v.MapIndex(named).IsValid() || !d.value(p.elem, item) {
		return false
	}
	v.SetMapIndex(named, item)
	return true
}

func (d *decoding) readStruct(p *plan, v reflect.Value) bool {
	if !d.open('{') {
		return false
	}
	if d.closes('}') {
		return true
	}
	var seen fieldSet
	last := -1
	for more := true; more; {
		i, name, ok := d.member(p, last)
		switch {
		case !ok:
			return false
		case i >= 0:
			f := &p.fields[i]
			ok = seen.add(i) && d.value(f.plan, v.Field(f.index))
			last = i
		default:
			ok = !p.misspells(name) && d.readRest(p, v, name)
		}
		if !ok {
			return false
		}
		if more, ok = d.next('}'); !ok {
			return false
		}
	}
	return true
}

// member takes the name of a member and its colon, and returns the index of its field,
// or -1 and the name. It looks first for the field that came after the last one in the
// object before.
func (d *decoding) member(p *plan, last int) (field int, name []byte, ok bool) {
	expected := &d.order[p.order+last+1]
	if i := int(*expected); i < len(p.fields) {
		key := p.fields[i].key
		if end := d.at + len(key); end <= len(d.scan.text) && string(d.scan.text[d.at:end]) == key {
			d.at = end
			return i, nil, true
		}
	}
	name, ok = d.text()
	if !ok {
		return -1, nil, false
	}
	if i, found := p.named[string(name)]; found {
		*expected = uint8(i) //nolint:gosec // There are at most maxFields.
		return i, nil, d.take(':')
	}
	return -1, name, d.take(':')
}

// readRest keeps a member that is no field's.
func (d *decoding) readRest(p *plan, v reflect.Value, name []byte) bool {
	if p.rest == nil {
		_, ok := d.skip()
		return ok
	}
	rest := v.Field(p.rest.index)
	if rest.IsNil() {
		rest.Set(reflect.MakeMap(p.rest.plan.typ))
	}
	return d.put(p.rest.plan, rest, name)
}

func (d *decoding) readAny(v reflect.Value, c byte) bool {
	value, ok := d.any(c)
	if ok {
		v.Set(reflect.ValueOf(value))
	}
	return ok
}

// any decodes a value of no particular type. It leaves numbers to the library that a
// float64 might not hold.
func (d *decoding) any(c byte) (value any, ok bool) {
	switch c {
	case '"':
		text, ok := d.text()
		return d.string(text), ok
	case '{':
		return d.anyObject()
	case '[':
		return d.anyList()
	case 't':
		return true, d.literal("true")
	case 'f':
		return false, d.literal("false")
	case 'n':
		return nil, d.literal("null")
	}
	literal, _, ok := d.number()
	if !ok || len(literal) >= manyDigits || bytes.ContainsAny(literal, "eE") {
		return nil, false
	}
	f, ok := floatOf(literal, 64)
	return f, ok
}

func (d *decoding) anyObject() (members map[string]any, ok bool) {
	if !d.open('{') {
		return nil, false
	}
	members = map[string]any{}
	if d.closes('}') {
		return members, true
	}
	for more := true; more; {
		name, ok := d.text()
		if !ok || !d.take(':') {
			return nil, false
		}
		key := d.string(name)
		if _, taken := members[key]; taken {
			return nil, false
		}
		if members[key], ok = d.any(d.peek()); !ok {
			return nil, false
		}
		if more, ok = d.next('}'); !ok {
			return nil, false
		}
	}
	return members, true
}

func (d *decoding) anyList() (items []any, ok bool) {
	if !d.open('[') {
		return nil, false
	}
	items = []any{}
	if d.closes(']') {
		return items, true
	}
	for more := true; more; {
		item, ok := d.any(d.peek())
		if !ok {
			return nil, false
		}
		items = append(items, item)
		if more, ok = d.next(']'); !ok {
			return nil, false
		}
	}
	return items, true
}
