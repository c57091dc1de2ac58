package wire

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sync"
)

// HashObject hashes a JSON object that [DecodeEvent] has accepted, but for its
// members of one name. The order of members and the white space between tokens do not
// change the hash. Every other byte does: texts and numbers count as they are written.
func HashObject(object []byte, except string) [sha256.Size]byte {
	c := canonicals.Get().(*canonical) //nolint:forcetypeassert // The pool holds nothing else.
	defer canonicals.Put(c)
	defer c.forget()
	c.text, c.at, c.except = WithoutByteOrderMark(object), 0, except
	c.value(true)
	return sha256.Sum256(c.written)
}

// canonical writes a JSON value without white space, its members in the order of
// their names.
type canonical struct {
	text    []byte
	at      int    // The next byte of the text.
	except  string // The name of members of the outermost object to leave out, with quotes.
	written []byte
	members []member // Of the objects that are being written, outermost first.
	scratch []byte
}

// member is where a member stands in what is written.
type member struct{ name, colon, end int }

var canonicals = sync.Pool{New: func() any { return new(canonical) }}

// forget keeps the room, unless it is unusually large, and nothing else.
func (c *canonical) forget() {
	const keep = 64 << 10
	c.text, c.written, c.members, c.scratch = nil, c.written[:0], c.members[:0], c.scratch[:0]
	if cap(c.written)+cap(c.scratch) > keep {
		c.written, c.scratch = nil, nil
	}
	if cap(c.members) > keep/64 {
		c.members = nil
	}
}

// value writes the next value.
func (c *canonical) value(outermost bool) {
	switch c.peek() {
	case '{':
		c.object(outermost)
	case '[':
		c.write(1)
		for next := c.peek(); next != ']' && next != 0; next = c.peek() {
			if next == ',' {
				c.write(1)
				continue
			}
			c.value(false)
		}
		c.write(1)
	default:
		c.scalar()
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (c *canonical) peek() byte {
	for ; c.at < len(c.text); c.at++ {
		if next := c.text[c.at]; next > ' ' || next != ' ' && next != '\t' && next != '\r' && next != '\n' {
			return next
		}
	}
	return 0
}

// write copies n bytes, or what is left.
func (c *canonical) write(n int) {
	end := min(c.at+n, len(c.text))
	c.written = append(c.written, c.text[c.at:end]...)
	c.at = end
}

// scalar copies a text, a number or a literal.
func (c *canonical) scalar() {
	rest := c.text[c.at:]
	if len(rest) == 0 {
		return
	}
	if rest[0] == '"' {
		c.write(textLength(rest))
		return
	}
	n := 1
	for n < len(rest) && !endsScalar[rest[n]] {
		n++
	}
	c.write(n)
}

// endsScalar has the bytes that end a number or a literal.
var endsScalar = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true, ']': true, '}': true}

// textLength returns the length of the text that something begins with, with its
// quotes.
func textLength(rest []byte) int {
	for n := 1; ; {
		next := bytes.IndexByte(rest[n:], '"')
		if next < 0 {
			return len(rest)
		}
		n += next + 1
		if !escapes(rest[1 : n-1]) {
			return n
		}
	}
}

// escapes tells whether a text's next byte is escaped, by an odd number of
// backslashes.
func escapes(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}

// object writes an object. A comma follows each member.
func (c *canonical) object(outermost bool) {
	c.write(1)
	first, begin := len(c.members), len(c.written)
	sorted := true
	for next := c.peek(); next != '}' && next != 0; next = c.peek() {
		if next == ',' {
			c.at++
			continue
		}
		m := member{name: len(c.written)}
		c.scalar()
		m.colon = len(c.written)
		if c.peek() == ':' {
			c.write(1)
			c.value(false)
		}
		if outermost && string(c.written[m.name:m.colon]) == c.except {
			c.written = c.written[:m.name]
			continue
		}
		c.written = append(c.written, ',')
		m.end = len(c.written)
		c.members = append(c.members, m)
		sorted = sorted && (len(c.members) == first+1 || c.compare(c.members[len(c.members)-2], m) <= 0)
	}
	if !sorted {
		c.sort(c.members[first:])
		c.scratch = c.scratch[:0]
		for _, m := range c.members[first:] {
			c.scratch = append(c.scratch, c.written[m.name:m.end]...)
		}
		copy(c.written[begin:], c.scratch)
	}
	c.members = c.members[:first]
	c.write(1)
}

// sort orders members. Those of one name stay in their order. Few are the rule.
func (c *canonical) sort(members []member) {
	const few = 24
	if len(members) > few {
		slices.SortStableFunc(members, c.compare)
		return
	}
	for i := 1; i < len(members); i++ {
		for j := i; j > 0 && c.compare(members[j-1], members[j]) > 0; j-- {
			members[j-1], members[j] = members[j], members[j-1]
		}
	}
}

// compare orders members by name, as it is written.
func (c *canonical) compare(a, b member) int {
	return bytes.Compare(c.written[a.name:a.colon], c.written[b.name:b.colon])
}
