package wire

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrNoData means that an answer has no data where some are due.
var ErrNoData = errors.New("the answer holds no data")

// Paging is the pagination block of a list.
type Paging struct {
	Page    int `json:"page"`
	PerPage int `json:"per_page"`
	Total   int `json:"total"`
}

// envelope is what surrounds an answer. Data stays nil if it is absent or null.
type envelope[T any] struct {
	Status     string `json:"status"`
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
	if env.Data == nil {
		if env.Status == "" {
			return nil, Paging{}, ErrNoData
		}
		return []T{}, env.Pagination, nil
	}
	return *env.Data, env.Pagination, nil
}

func open[T any](body []byte) (env envelope[T], err error) {
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return env, ErrNoData
	}
	if body[0] == '{' {
		if err := Unmarshal(body, &env); err != nil {
			return env, err
		}
		if env.Data != nil || env.Status != "" {
			return env, nil
		}
	}
	env.Data = new(T)
	return env, Unmarshal(body, env.Data)
}

// DecodeOpen reads an answer whose shape is not documented into out: the
// object itself, an object that holds it under one of names, each with or
// without an envelope, or nothing, which leaves out as it is.
func DecodeOpen(body []byte, out any, names ...string) error {
	value := jsontext.Value(bytes.TrimSpace(body))
	for _, name := range append([]string{"data"}, names...) {
		if value.Kind() != '{' {
			break
		}
		var members map[string]jsontext.Value
		if err := Unmarshal(value, &members); err != nil {
			return err
		}
		if inner := members[name]; inner.Kind() == '{' || inner.Kind() == '[' {
			value = inner
		} else if name == "data" && (inner != nil || emptyEnvelope(members)) {
			return nil
		}
	}
	if len(value) == 0 || value.Kind() == 'n' {
		return nil
	}
	return Unmarshal(value, out)
}

// emptyEnvelope reports whether an object says how the call went and nothing
// else.
func emptyEnvelope(members map[string]jsontext.Value) bool {
	for name := range members {
		if name != "status" && name != "message" {
			return false
		}
	}
	return string(members["status"]) == `"success"`
}
