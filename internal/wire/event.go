package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrNoObject means that a webhook's body is not one JSON object.
var ErrNoObject = errors.New("not a JSON object")

// Event is a webhook's body, taken apart. Its slices are parts of the body.
type Event struct {
	Name    []byte // Empty where there is none.
	Time    time.Time
	Data    []byte // What happened to what; the whole body where nothing is marked as that.
	Counter []byte // The name of the member that counts how often the body was sent, in quotes, as it is written; empty for none.
	Attempt int    // That count, if it is a number.
	Entity  bool   // Whether Data is the entity of a live event, or a body without any envelope.
	Marked  bool   // Whether the body has the member that [MarkEvent] adds.
}

// DecodeEvent takes a webhook's body apart, in either form: event, timestamp
// and data, or event, entity_type, entity_id, attempt and entity. These names match
// exactly, or else by case alone. Members of another type than they should have count as
// absent.
func DecodeEvent(body []byte) (Event, error) {
	body = WithoutByteOrderMark(body)
	event := Event{Data: body}
	var data, entity jsonValue
	var exactly byte // A bit for each part that a member of its very name has given.
	err := eachMember(body, func(name, value jsonValue) {
		part, exact := partOf(name)
		switch bit := byte(1) << part; {
		case exact:
			exactly |= bit
		case exactly&bit != 0:
			return
		}
		switch part {
		case partEvent:
			event.Name = unquoted(value)
		case partTime:
			event.Time = timeOf(unquoted(value))
		case partData:
			data = value
		case partEntity:
			entity = value
		case partAttempt:
			event.Counter, event.Attempt = name, attemptOf(value)
		case partMark:
			event.Marked = true
		}
	})
	if broken, ok := errors.AsType[*syntaxError](err); ok {
		broken.JSONPointer = "" // It is made of what the body says, which is not for logs.
	}
	switch {
	case data.Kind() == '{':
		event.Data = data
	case entity.Kind() == '{':
		event.Data, event.Entity = entity, true
	default:
		event.Entity = len(event.Name) == 0
	}
	return event, err
}

// The parts of an envelope.
const (
	noPart = iota
	partEvent
	partTime
	partData
	partEntity
	partAttempt
	partMark
)

// partOf tells which part of an envelope a name in quotes means, and whether exactly.
// One that is written with escapes means a part exactly or not at all.
func partOf(name jsonValue) (part int, exact bool) {
	if part = partNamed(name); part != noPart {
		return part, true
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		part = partNamed(slices.Concat([]byte{'"'}, unquoted(name), []byte{'"'}))
		return part, part != noPart
	}
	for _, known := range []string{`"event"`, `"data"`, `"timestamp"`, `"event_time"`, `"entity"`, `"attempt"`} {
		if len(known) == len(name) && equalsByCase(name, known) {
			return partNamed([]byte(known)), false
		}
	}
	return noPart, false
}

func partNamed(name []byte) int {
	switch string(name) {
	case `"event"`:
		return partEvent
	case `"timestamp"`, `"event_time"`:
		return partTime
	case `"data"`:
		return partData
	case `"entity"`:
		return partEntity
	case `"attempt"`:
		return partAttempt
	case quotedMark:
		return partMark
	}
	return noPart
}

// equalsByCase tells whether a name is, but for the case of its ASCII letters, one in
// lower case of the same length.
func equalsByCase(name []byte, lower string) bool {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// attemptOf reads a count of deliveries, or 0 for what is none.
func attemptOf(value jsonValue) int {
	if count, ok := intOf(string(unquoted(value))); ok && count > 0 && count < math.MaxInt32 {
		return int(count)
	}
	return 0
}

// The member that tells an event from another with the same body.
const (
	eventMark  = "occurrence"
	quotedMark = `"` + eventMark + `"`
)

// bare tells whether a body is an entity without an envelope. One that has data alone is: an
// entity may have such a member of its own.
func (e *Event) bare(body []byte) bool {
	enveloped := e.Entity && len(e.Data) < len(body)
	return !enveloped && len(e.Name) == 0 && len(e.Counter) == 0 && e.Time.IsZero()
}

// NameEvent gives a name to a body that [DecodeEvent] has accepted and that names no
// event. A body without an envelope becomes the entity of one. Any other keeps its form, so
// that its time and its count of deliveries remain what they are.
func NameEvent(body []byte, name string) ([]byte, error) {
	body = WithoutByteOrderMark(body)
	event, err := DecodeEvent(body)
	if err != nil {
		return nil, err
	}
	return addMember(body, "event", name, event.bare(body))
}

// MarkEvent tells an event from others with the same body, which [DecodeEvent] has
// accepted. A body without an envelope becomes the entity of one.
func MarkEvent(body []byte, mark string) ([]byte, error) {
	body = WithoutByteOrderMark(body)
	event, err := DecodeEvent(body)
	if err != nil {
		return nil, err
	}
	return addMember(body, eventMark, mark, event.bare(body))
}

// addMember adds a member to an object that has some, or to one of which the object is the
// entity. It comes last, since the last one counts where a name is there twice.
func addMember(body []byte, name, value string, wrap bool) ([]byte, error) {
	member, err := Marshal(map[string]string{name: value})
	if err != nil {
		return nil, err
	}
	if wrap {
		return slices.Concat(member[:len(member)-1], []byte(`,"entity":`), body, []byte("}")), nil
	}
	object := bytes.TrimRight(body, " \t\r\n")
	return slices.Concat(object[:len(object)-1], []byte(","), member[1:]), nil
}

// scanner reads tokens out of a slice, without copying it.
type scanner struct {
	decoder jsonDecoder
	buffer  bytes.Buffer
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// reset begins anew. Whatever the scanner read from before is let go.
func (s *scanner) reset(data []byte) {
	s.buffer = *bytes.NewBuffer(data)
	s.decoder.Reset(&s.buffer, tolerant)
}

// pair is a member of an object. Its name is in quotes.
type pair struct{ name, value jsonValue }

// eachMember calls do for the members of an object, and takes nothing but one
// object. Names are in quotes. It looks for itself, as plans do, and leaves to the
// library what is out of the ordinary.
func eachMember(object []byte, do func(name, value jsonValue)) error {
	var room [24]pair
	if all, ok := appendMembers(room[:0], object); ok && plans == "on" {
		for _, m := range all {
			do(m.name, m.value)
		}
		return nil
	}
	return eachByLibrary(object, do)
}

// appendMembers reports whether it could take the object apart.
func appendMembers(to []pair, object []byte) (all []pair, ok bool) {
	s := scan{text: object}
	all, ok = s.members(to, func([]byte) ([]byte, bool) { return s.skip() })
	return all, ok && s.ends()
}

// members takes an object, and has take take the value of each name.
func (s *scan) members(to []pair, take func(name []byte) (value []byte, ok bool)) (all []pair, ok bool) {
	if !s.open('{') {
		return nil, false
	}
	if s.closes('}') {
		return to, true
	}
	for more := true; more; {
		name, named := s.quoted()
		if !named || !s.take(':') {
			return nil, false
		}
		value, valued := take(name)
		if !valued {
			return nil, false
		}
		to = append(to, pair{name, value})
		if more, ok = s.next('}'); !ok {
			return nil, false
		}
	}
	return to, true
}

func eachByLibrary(object []byte, do func(name, value jsonValue)) error {
	s := scanners.Get().(*scanner) //nolint:forcetypeassert // The pool holds nothing else.
	defer scanners.Put(s)
	defer s.reset(nil)
	s.reset(object)
	if s.decoder.PeekKind() != '{' {
		return ErrNoObject
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	for s.decoder.PeekKind() != '}' {
		name, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		value, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		do(name, value)
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	if _, err := s.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return ErrNoObject
	}
	return nil
}

// unquoted is text for values that seldom need any decoding.
func unquoted(value jsonValue) []byte {
	if value.Kind() == '"' && bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	return []byte(text(value))
}
