package wire

import "reflect"

// unmarshalAsIs is UnmarshalLenient without plans, for names that are not misspelled: as
// all was decoded before there were plans.
func unmarshalAsIs(data []byte, v any) error {
	into := reflect.ValueOf(v).Elem()
	l := library{target: targetOf(into.Type(), into.Type()), body: data}
	return l.decode(data, into, 0, true)
}

// DecodeInTurn is DecodeOpen without a look at data on the way: what it must not differ
// from.
func DecodeInTurn(body []byte, out any, names ...string) error {
	return decodeInTurn(trim(body), out, names)
}

// DecodePartInTurn is likewise what DecodePart must not differ from.
func DecodePartInTurn[T any](body []byte, items, key string) ([]T, Rest, error) {
	return decodePartInTurn[T](trim(body), items, key)
}
