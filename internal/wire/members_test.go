package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzEachMember holds what eachMember finds by itself against the library.
func FuzzEachMember(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, ` { } `, `{"a":1}`, `{"a":1} x`, `{"a":{"b":[1,"}",{}]},"a":null,"\u00e4":"\ud83d","c":"\"\\"}`,
		`{"a":-0.5e+7,"b":01}`, `{"a":tru}`, `{"a" 1}`, `{"a":1,}`, "{\"a\":\"\xff\"}", `[{"a":1}]`, "{\"a\":\"\t\"}", `{"a":1}{`, "\ufeff{}",
		`{"x":"\x"}`, `{a:1}`, "{\"a\":1}\x00", `{"a":1e400}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		var own, librarys []string
		into := func(all *[]string) func(name, value jsonValue) {
			return func(name, value jsonValue) { *all = append(*all, string(name), string(value)) }
		}
		err := eachByLibrary(object, into(&librarys))
		if all, ok := appendMembers(nil, object); ok {
			assert.NoError(t, err, "only the library refuses %q", object)
			for _, m := range all {
				into(&own)(m.name, m.value)
			}
			assert.Equal(t, librarys, own)
		}
	})
}
