package wire

import (
	"bytes"
	"strings"
)

// misspells reports whether a name that is no field's is one but for upper and lower
// case.
func (p *plan) misspells(name []byte) bool {
	if !p.hasUpper && bytes.IndexFunc(name, isUpper) < 0 {
		return false
	}
	_, ok := p.folded[lowerOf(name)]
	return ok
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }

// lowerOf returns a name in lower case. That of ASCII alone counts.
func lowerOf(name []byte) string {
	return strings.Map(func(r rune) rune {
		if isUpper(r) {
			return r + ('a' - 'A')
		}
		return r
	}, string(name))
}

// straighten returns an object, or what holds some, with the names that its fields have.
// A member is a field's if it has its name, or else if it has it but for upper and lower
// case. Of several such, the last one is; the others stay as they are written, and are
// unknown. So the library need not look for anything but exact names.
func (p *plan) straighten(value []byte) []byte {
	s := straightener{scan: scan{text: value}}
	if !s.walk(p) {
		return value // It is not JSON, which is for the library to say.
	}
	copied := false
	for _, bent := range s.bent {
		if bent.name == "" {
			continue
		}
		if !copied {
			value, copied = bytes.Clone(value), true
		}
		copy(value[bent.at:], bent.name)
	}
	return value
}

// straightener looks for names that are not written like the field's.
type straightener struct {
	scan

	bent []bentName
}

// bentName is to be overwritten with a field's name, which is as long.
type bentName struct {
	at   int
	name string // Empty if it stays.
}

func (s *straightener) walk(p *plan) bool {
	for p.kind == asPointer {
		p = p.elem
	}
	switch c := s.peek(); {
	case c == '{' && p.kind == asStruct:
		return s.walkObject(p)
	case c == '{' && p.kind == asMap, c == '[' && p.kind == asList:
		return s.each(c, func() bool { return s.walk(p.elem) })
	}
	_, ok := s.skip()
	return ok
}

// candidate is a member that may be a field's. What is bent in it stays if it is not.
type candidate struct{ name, from, to int }

func (s *straightener) walkObject(p *plan) bool {
	if !s.open('{') {
		return false
	}
	if s.closes('}') {
		return true
	}
	var exact fieldSet
	candidates := map[int][]candidate{} // Of each field.
	for more := true; more; {
		i, isExact, found, ok := s.walkMember(p)
		if !ok {
			return false
		}
		if isExact {
			exact.add(i)
		} else if i >= 0 {
			candidates[i] = append(candidates[i], found)
		}
		if more, ok = s.next('}'); !ok {
			return false
		}
	}
	for i, those := range candidates {
		s.choose(p.fields[i].name, those, exact.has(i))
	}
	return true
}

// walkMember returns the field that the next member may be for, or -1.
func (s *straightener) walkMember(p *plan) (field int, exact bool, found candidate, ok bool) {
	s.peek()
	name := s.at + 1
	quoted, ok := s.quoted()
	if !ok || !s.take(':') {
		return -1, false, found, false
	}
	field, exact, of := p.meant(quoted)
	from := len(s.bent)
	ok = s.walk(of)
	return field, exact, candidate{name, from, len(s.bent)}, ok
}

// meant returns the field that a name in quotes may mean, or -1, and the plan of its
// value. One that is written with escapes means a field exactly or not at all.
func (p *plan) meant(quoted []byte) (field int, exact bool, of *plan) {
	name, escaped := quoted[1:len(quoted)-1], bytes.IndexByte(quoted, '\\') >= 0
	if escaped {
		name = unquote(nil, quoted)
	}
	i, ok := p.named[string(name)]
	if exact = ok; !ok && !escaped {
		i, ok = p.folded[lowerOf(name)]
	}
	switch {
	case ok:
		return i, exact, p.fields[i].plan
	case p.rest != nil:
		return -1, false, p.rest.plan.elem
	}
	return -1, false, &plan{}
}

// choose makes the last candidate the field's, unless the field has a member already.
func (s *straightener) choose(name string, those []candidate, taken bool) {
	for n, c := range those {
		if !taken && n == len(those)-1 {
			s.bent = append(s.bent, bentName{c.name, name})
			continue
		}
		for i := c.from; i < c.to; i++ {
			s.bent[i].name = ""
		}
	}
}
