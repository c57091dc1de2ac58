package wire

import (
	"bytes"
	"errors"
	"reflect"
)

// ErrNoData means that an answer has no data where some are due.
var ErrNoData = errors.New("the answer holds no data")

// ErrPage means that somebody answered in the service's place, such as a proxy.
var ErrPage = errors.New("a page instead of an answer")

// RefusePage reads an answer in which nothing is due.
func RefusePage(body []byte) error {
	if bytes.HasPrefix(trim(body), []byte("<")) {
		return ErrPage
	}
	return nil
}

// WithoutByteOrderMark returns a body without the byte order mark that some servers put
// before it.
func WithoutByteOrderMark(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\ufeff")) }

// trim returns a body without what may stand around its JSON.
func trim(body []byte) []byte { return bytes.TrimSpace(WithoutByteOrderMark(body)) }

// Paging is the pagination block of a list.
type Paging struct {
	Page    int `json:"page"`
	PerPage int `json:"per_page"`
	Total   int `json:"total"`
}

// known returns p without what counts nothing: some servers write -1 for what
// they do not tell.
func (p Paging) known() Paging { return Paging{max(0, p.Page), max(0, p.PerPage), max(0, p.Total)} }

// envelope is what surrounds an answer. Data stays nil if it is absent or null.
type envelope[T any] struct {
	Data       *T     `json:"data"`
	Pagination Paging `json:"pagination"`
}

// Decode reads one object that has an id, in its envelope or without one.
func Decode[T any](body []byte) (*T, error) {
	env, err := open[T](body)
	if err != nil {
		return nil, err
	}
	if env.Data == nil {
		return nil, ErrNoData
	}
	return env.Data, nil
}

// DecodeList reads an enveloped list. A null list is an empty one.
func DecodeList[T any](body []byte) ([]T, Paging, error) {
	env, err := open[[]T](body)
	if err != nil {
		return nil, Paging{}, err
	}
	if env.Data == nil || *env.Data == nil {
		return []T{}, env.Pagination.known(), nil
	}
	return *env.Data, env.Pagination.known(), nil
}

// open takes an answer out of its envelope, if it has one.
func open[T any](body []byte) (env envelope[T], err error) {
	if body = trim(body); len(body) == 0 {
		return env, ErrNoData
	}
	if body[0] == 'n' {
		err = Unmarshal(body, &env)
		return env, err
	}
	if body[0] == '{' {
		err := decode(body, &env, reflect.TypeFor[T]())
		if err != nil || env.Data != nil && !reflect.ValueOf(env.Data).Elem().IsZero() {
			return env, err
		}
		m, err := membersOf(body)
		if err == nil && env.Data != nil && (m["data"].Kind() != '{' || !isEmpty(m["data"])) {
			return env, nil // All that it holds is zero.
		}
		env.Data = nil
		if err != nil || m["data"] != nil || meaningOf(m) != plain || !isDue(m, reflect.TypeFor[T]()) {
			return env, err
		}
	}
	env.Data = new(T)
	return env, UnmarshalLenient(body, env.Data)
}

// isDue reports whether an object without an envelope may be the one that is
// wanted: that has an id. Other words are a report, or wrap what nobody asked for.
func isDue(m members, wanted reflect.Type) bool {
	return wanted.Kind() != reflect.Struct || m.isNamed()
}

// DecodeOpen reads an answer whose shape is not documented into out: the
// object itself, an object that holds it under one of names, each with or
// without an envelope, or nothing, which leaves out as it is.
func DecodeOpen(body []byte, out any, names ...string) error {
	value := jsonValue(trim(body))
	if decodeEnveloped(value, out, len(names) > 0) {
		return nil
	}
	return decodeInTurn(value, out, names)
}

// decodeInTurn takes answers apart, one within the other, before it decodes what is left.
func decodeInTurn(value jsonValue, out any, names []string) error {
	for _, name := range append([]string{"data"}, names...) {
		if value.Kind() != '{' {
			break
		}
		m, err := membersOf(value)
		if err != nil {
			return err
		}
		if meaningOf(m) == done {
			return nil
		}
		if m.wraps(name) {
			value = m[name]
		}
	}
	if len(value) == 0 || string(value) == "null" {
		return nil
	}
	return UnmarshalLenient(value, out)
}

// decodeEnveloped is decodeInTurn for data in an envelope, which it decodes on the way. It
// returns false, and leaves out as it is, for other answers, and for data that may wrap
// what is wanted.
func decodeEnveloped(answer jsonValue, out any, mayWrap bool) bool {
	pointer := reflect.ValueOf(out)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return false
	}
	brackets := "[{"
	if mayWrap {
		brackets = "["
	}
	m, ok := decodeData(answer, brackets, pointer.Elem())
	if ok && (meaningOf(m) == done || !m.wraps("data")) {
		pointer.Elem().SetZero()
		return false
	}
	return ok
}

// wraps reports whether an object is there for the sake of one member. One that is
// there for its own may hold a list or another object of that name.
func (m members) wraps(name string) bool {
	inner, ok := m[name]
	switch {
	case name == "data":
		return ok && meaningOf(m) != itself
	case m["id"] != nil || m["operator_id"] != nil:
		return inner.Kind() == '{' || inner.Kind() == '['
	}
	return ok && inner.Kind() != '"'
}

// DecodeOutcome is [DecodeOpen] for the answer to a change, where a text may
// stand for the object. It leaves out zero then, since the change has been made.
func DecodeOutcome(body []byte, out any, names ...string) error {
	err := DecodeOpen(body, out, names...)
	if _, mismatch := errors.AsType[*mismatchError](err); !mismatch {
		return err
	}
	if m, invalid := membersOf(trim(body)); invalid == nil && meaningOf(m) == inWords {
		return nil
	}
	return err
}

// Rest is what a part of a list says about the others.
type Rest struct {
	Paging Paging
	More   *bool  // Whether there are others; nil if it does not say.
	Key    string // Of the next part; empty if there is none.
}

// DecodePart reads a part of a list. The list is the answer's data, or the member
// items of it, and the key of the next part stands beside either. No body is an
// empty list.
func DecodePart[T any](body []byte, items, key string) (list []T, rest Rest, err error) {
	value := jsonValue(trim(body))
	if m, ok := decodeData(value, "[", reflect.ValueOf(&list).Elem()); ok {
		rest.read(m, key)
		return list, rest, nil
	}
	return decodePartInTurn[T](value, items, key)
}

// decodePartInTurn takes an answer apart before it decodes the list.
func decodePartInTurn[T any](value jsonValue, items, key string) (list []T, rest Rest, err error) {
	for _, name := range []string{"data", items} {
		if value.Kind() != '{' || name == "" {
			break
		}
		m, err := membersOf(value)
		if err != nil {
			return nil, rest, err
		}
		rest.read(m, key)
		if inner, ok := m[name]; ok || name == items {
			value = inner
		}
	}
	if len(value) == 0 {
		return nil, rest, nil
	}
	list, _, err = DecodeList[T](value)
	return list, rest, err
}

// read takes over what an object says about the rest of a list, as far as it
// can be understood.
func (r *Rest) read(m members, key string) {
	if key := text(m[key]); key != "" {
		r.Key = key
	}
	for _, dialect := range dialects {
		dialect.readRest(m, r)
	}
}
