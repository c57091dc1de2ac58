package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
)

// ErrNoData means that an answer has no data where some are due.
var ErrNoData = errors.New("the answer holds no data")

// ErrPage means that somebody answered in the service's place, such as a proxy.
var ErrPage = errors.New("a page instead of an answer")

// RefusePage reads an answer in which nothing is due.
func RefusePage(body []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return ErrPage
	}
	return nil
}

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

// Decode reads one enveloped object. An object without an envelope is read as
// it is.
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
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return env, ErrNoData
	}
	if body[0] == 'n' {
		err = Unmarshal(body, &env)
		return env, err
	}
	if body[0] == '{' {
		if err := unmarshalLenient(body, &env, reflect.TypeFor[T]()); err != nil || env.Data != nil {
			return env, err
		}
		members, err := membersOf(body)
		_, hasData := members["data"]
		if err != nil || hasData || saysNothing(members) || failsSilently(members) || lacksID(members, reflect.TypeFor[T]()) {
			return env, err
		}
	}
	env.Data = new(T)
	return env, UnmarshalLenient(body, env.Data)
}

// DecodeOpen reads an answer whose shape is not documented into out: the
// object itself, an object that holds it under one of names, each with or
// without an envelope, or nothing, which leaves out as it is.
func DecodeOpen(body []byte, out any, names ...string) error {
	value := jsonValue(bytes.TrimSpace(body))
	for _, name := range append([]string{"data"}, names...) {
		if value.Kind() != '{' {
			break
		}
		members, err := membersOf(value)
		if err != nil {
			return err
		}
		if saysNothing(members) {
			return nil
		}
		if wraps(members, name) {
			value = members[name]
		}
	}
	if len(value) == 0 || value.Kind() == 'n' {
		return nil
	}
	return UnmarshalLenient(value, out)
}

// DecodeOutcome is [DecodeOpen] for the answer to a change, where the live
// service may put a text instead of the object. It leaves out zero then, since
// the change has been made.
func DecodeOutcome(body []byte, out any, names ...string) error {
	err := DecodeOpen(body, out, names...)
	if _, mismatch := errors.AsType[*mismatchError](err); !mismatch {
		return err
	}
	members, _ := membersOf(body) //nolint:errcheck // It has none, then.
	if isLive(members) && members["data"].Kind() == '"' {
		return nil
	}
	return err
}

func membersOf(object jsonValue) (members map[string]jsonValue, err error) {
	err = Unmarshal(object, &members)
	return members, err
}

// wraps reports whether an object is there for the sake of one member. An
// object with an id is there for its own: a notification has data, too. What
// it may hold is a list or another object.
func wraps(members map[string]jsonValue, name string) bool {
	inner, ok := members[name]
	if members["id"] != nil || members["operator_id"] != nil {
		return name != "data" && (inner.Kind() == '{' || inner.Kind() == '[')
	}
	return ok && (name == "data" || inner.Kind() != '"')
}

// saysNothing reports whether an object is empty, or an envelope that tells of
// success and holds nothing.
func saysNothing(members map[string]jsonValue) bool {
	for name, value := range members {
		switch {
		case name == "status", name == "code", name == "pagination", name == "message" && value.Kind() == '"':
		case name == "url", name == "object", name == "sync_time", name == "more_data_available":
		default:
			return false
		}
	}
	return len(members) == 0 || isLive(members) || text(members["status"]) == "success"
}

// isLive reports whether an object is the live service's envelope.
func isLive(members map[string]jsonValue) bool {
	return members["url"] != nil && members["object"] != nil
}

// failsSilently reports whether an object holds nothing but an error that says
// nothing.
func failsSilently(members map[string]jsonValue) bool {
	_, failed := members["error"]
	return failed && len(members) == 1
}

// lacksID reports whether an object is wanted, and members are not one: each has
// an id, its own or of whom it sums up. What has none is a report in words of its
// own, or wraps something that nobody asked for.
func lacksID(members map[string]jsonValue, wanted reflect.Type) bool {
	for name := range members {
		switch strings.ToLower(name) {
		case "id", "operator_id", "visitor_id":
			return false
		}
	}
	return wanted.Kind() == reflect.Struct
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
	value := jsonValue(bytes.TrimSpace(body))
	for _, name := range []string{"data", items} {
		if value.Kind() != '{' || name == "" {
			break
		}
		members, err := membersOf(value)
		if err != nil {
			return nil, rest, err
		}
		rest.read(members, key)
		if inner, ok := members[name]; ok || name == items {
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
func (r *Rest) read(members map[string]jsonValue, key string) {
	if key := text(members[key]); key != "" {
		r.Key = key
	}
	for name, out := range map[string]any{"pagination": &r.Paging, "more_data_available": &r.More} {
		if value, ok := members[name]; ok {
			UnmarshalLenient(value, out) //nolint:errcheck // It says nothing, then.
		}
	}
	r.Paging = r.Paging.known()
}
