package wire

import "reflect"

// unmarshalAsIs is UnmarshalLenient without plans, for names that are not misspelled: as
// all was decoded before there were plans.
func unmarshalAsIs(data []byte, v any) error {
	into := reflect.ValueOf(v).Elem()
	l := library{target: targetOf(into.Type(), into.Type()), body: data}
	return l.decode(data, into, 0, true)
}
