package salesiqtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What node prints for JSON.stringify(JSON.parse(…)).
func TestJSONIsWrittenAsJavaScriptWritesIt(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{ "a" : [ 1 , { } ] }`:                               `{"a":[1,{}]}`,
		`[1.0,4.80,1e3,-0,-0.0,1e21,1e-7,9007199254740993]`:   `[1,4.8,1000,0,0,1e+21,1e-7,9007199254740992]`,
		`123456789012345678901234567890`:                      `1.2345678901234568e+29`,
		`{"b":1,"a":2,"10":3,"9":4,"01":5,"-1":6,"":7}`:       `{"9":4,"10":3,"b":1,"a":2,"01":5,"-1":6,"":7}`,
		`{"x":1,"4294967295":2,"4294967294":3}`:               `{"4294967294":3,"x":1,"4294967295":2}`,
		`{"twice":1,"other":2,"twice":{"z":[{"1":0,"0":1}]}}`: `{"twice":{"z":[{"0":1,"1":0}]},"other":2}`,
		`"\u00e9\/\u003c\u0026<&>"`:                           `"é/<&<&>"`,
		`"\u2028\u007f\u0000\u001F\b\f\n\r\t\"\\"`:            "\"\u2028\u007f\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\\"",
		`"\ud83d\ude42"`:                                      `"🙂"`,
		`[true,false,null,[],""]`:                             `[true,false,null,[],""]`,
		`{"\\u2028":"\\\\u2029","\u2029":1}`:                  "{\"\\\\u2028\":\"\\\\\\\\u2029\",\"\u2029\":1}",
		`[1e400,-1e400,1e-400,5e-324]`:                        `[null,null,0,5e-324]`,
	} {
		written, err := asJavaScript([]byte(data))
		require.NoError(t, err, data)
		assert.Equal(t, want, string(written), data)
		again, err := asJavaScript(written)
		require.NoError(t, err, data)
		assert.Equal(t, want, string(again), data)
	}
	for _, data := range []string{"", "{", "[1,]", "{}{}", `{"a"}`} {
		_, err := asJavaScript([]byte(data))
		require.Error(t, err, data)
	}
}
