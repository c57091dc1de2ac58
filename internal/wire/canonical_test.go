package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrderAndWhiteSpaceDoNotChangeTheHash(t *testing.T) {
	t.Parallel()
	const object = `{"a":{"x":[1,{"p":"\"","q":"\\"}],"y":"b \" : {} \\"},"attempt":1,"b":[]}`
	for _, same := range []string{
		" \ufeff"[1:] + object,
		`{"b":[],"attempt":2,"a":{"y":"b \" : {} \\","x":[1,{"q":"\\","p":"\""}]}}`,
		"{\r\n\t\"b\" : [ ] , \"a\" : {\"y\":\"b \\\" : {} \\\\\" , \"x\":[ 1 , {\"q\":\"\\\\\",\"p\":\"\\\"\"} ]\n}\n}\n",
	} {
		assert.Equal(t, HashObject([]byte(object), `"attempt"`), HashObject([]byte(same), `"attempt"`), same)
	}
	assert.NotEqual(t, HashObject([]byte(object), ""), HashObject([]byte(`{"b":[],"attempt":2,"a":{}}`), ""))
}

func TestEveryOtherByteChangesTheHash(t *testing.T) {
	t.Parallel()
	seen := map[[32]byte]string{}
	for _, object := range []string{
		`{}`, `{"a":1}`, `{"a":1.0}`, `{"a":"1"}`, `{"a":[1]}`, `{"a":{}}`, `{"a":[]}`, `{"a":null}`, `{"a":true}`,
		`{"a":"x y"}`, `{"a":"xy"}`, `{"a":"\u0078y"}`, "{\"a\":\"\xff\"}", "{\"a\":\"\xfe\"}", "{\"a\":\"\ufffd\"}", `{"a":"\ud83d"}`,
		`{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":[12]}`, `{"a":[[1],2]}`, `{"a":[[1,2]]}`,
		`{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":{"b":2}}`, `{"a":{},"b":2}`, `{"a":{"attempt":1}}`, `{"a":{"attempt":2}}`,
		`{"a":1,"a":2}`, `{"a":2,"a":1}`,
		`{"a":9007199254740993}`, `{"a":9007199254740992}`, `{"a":"\\"}`, `{"a":"\\\""}`, `{"a":"\\\\"}`,
	} {
		hash := HashObject([]byte(object), `"attempt"`)
		assert.Empty(t, seen[hash], object)
		seen[hash] = object
	}
}

func FuzzHashObject(f *testing.F) {
	f.Add([]byte(`{"b":[1,{"y":"\\\"","x":null}],"a":"é","attempt":3}`))
	f.Add([]byte(`{"a":"unfinished \`))
	f.Fuzz(func(t *testing.T, object []byte) {
		hash := HashObject(object, "") // It does not panic, whatever it gets.
		event, err := DecodeEvent(object)
		if err != nil {
			return
		}
		require.NotNil(t, event.Data)
		written := append([]byte(" \n"), WithoutByteOrderMark(object)...)
		assert.Equal(t, hash, HashObject(append(written, "\r\n\t"...), ""))
	})
}
