package wire

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// AsJavaScript writes a JSON value as JSON.stringify(JSON.parse(data)) would, so
// that whoever hashes what such a program makes of it hashes the same bytes.
func AsJavaScript(data []byte) ([]byte, error) {
	value := jsonValue(slices.Clone(data))
	err := value.Format(tolerant, plainNumbers)
	if err != nil {
		return nil, err
	}
	s := new(scanner)
	s.reset(value)
	return s.inJavaScriptOrder(nil)
}

// jsMember is a member of an object. JavaScript puts names that look like array
// indices first.
type jsMember struct {
	name, value []byte
	index       uint64
}

// inJavaScriptOrder appends the next value to out.
func (s *scanner) inJavaScriptOrder(out []byte) ([]byte, error) {
	switch s.decoder.PeekKind() {
	case '{':
		return s.objectInOrder(out)
	case '[':
		return s.arrayInOrder(out)
	default:
		value, err := s.decoder.ReadValue()
		return append(out, value...), err
	}
}

func (s *scanner) arrayInOrder(out []byte) ([]byte, error) {
	_, err := s.decoder.ReadToken()
	out = append(out, '[')
	for n := 0; err == nil && s.decoder.PeekKind() != ']'; n++ {
		if n > 0 {
			out = append(out, ',')
		}
		out, err = s.inJavaScriptOrder(out)
	}
	if err != nil {
		return nil, err
	}
	_, err = s.decoder.ReadToken()
	return append(out, ']'), err
}

func (s *scanner) objectInOrder(out []byte) ([]byte, error) {
	if _, err := s.decoder.ReadToken(); err != nil {
		return nil, err
	}
	var members []jsMember
	for s.decoder.PeekKind() != '}' {
		name, err := s.decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		m := jsMember{name: slices.Clone(name), index: arrayIndex(name)}
		if m.value, err = s.inJavaScriptOrder(nil); err != nil {
			return nil, err
		}
		// The last of several members with one name counts, in the place of the first.
		if i := slices.IndexFunc(members, func(other jsMember) bool { return string(other.name) == string(name) }); i >= 0 {
			members[i] = m
		} else {
			members = append(members, m)
		}
	}
	slices.SortStableFunc(members, func(a, b jsMember) int { return cmp.Compare(a.index, b.index) })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.name...), ':'), m.value...)
	}
	_, err := s.decoder.ReadToken()
	return append(out, '}'), err
}

// arrayIndex is the number that a quoted name stands for, or one behind all of
// those.
func arrayIndex(name []byte) uint64 {
	text := string(name[1 : len(name)-1])
	index, err := strconv.ParseUint(text, 10, 32)
	if err != nil || index == math.MaxUint32 || strconv.FormatUint(index, 10) != text {
		return math.MaxUint32
	}
	return index
}
