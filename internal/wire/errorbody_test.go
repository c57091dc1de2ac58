package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/wire"
)

func TestDecodeErrorReadsWhatTheServiceSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, body string
		want      wire.ErrorBody
	}{
		{"as specified", `{"status":"error","code":"A","message":"m","details":{"k":1}}`,
			wire.ErrorBody{Code: "A", Message: "m", Details: map[string]any{"k": 1.0}}},
		{"no details", `{"status":"error","code":"A","message":"m","details":{}}`,
			wire.ErrorBody{Code: "A", Message: "m", Details: map[string]any{}}},
		{"a code is enough", `{"code":"A"}`, wire.ErrorBody{Code: "A"}},
		{"a status is enough", `{"status":"error"}`, wire.ErrorBody{}},
		{"a number for a code", `{"code":1016,"message":"m"}`, wire.ErrorBody{Code: "PERMISSION_DENIED", Number: 1016, Message: "m"}},
		{"a number that nobody knows", `{"code":7}`, wire.ErrorBody{Code: "7", Number: 7}},
		{"as the live service writes", `{"error":{"message":"m","code":1006,"json_key":"k[0].l","param":"p"}}`,
			wire.ErrorBody{Code: "INVALID_REQUEST", Number: 1006, Message: "m", Key: "k[0].l", Param: "p"}},
		{"a header that is wrong", `{"error":{"message":"m","code":1054,"header":"Content-Type"}}`,
			wire.ErrorBody{Code: "INVALID_REQUEST", Number: 1054, Message: "m", Param: "Content-Type"}},
		{"a number in quotes", `{"error":{"code":"1023"}}`, wire.ErrorBody{Code: "RATE_LIMIT_EXCEEDED", Number: 1023}},
		{"of the older calls", `{"error":{"code":2310,"message":"m"}}`, wire.ErrorBody{Code: "2310", Number: 2310, Message: "m"}},
		{"a word for a code", `{"error":{"code":"A"}}`, wire.ErrorBody{Code: "A"}},
		{"a number alone", `{"error":1016}`, wire.ErrorBody{Code: "PERMISSION_DENIED", Number: 1016}},
		{"a text alone", `{"error":"invalid_code"}`, wire.ErrorBody{Message: "invalid_code"}},
		{"null is nothing", `{"status":"error","code":null,"message":null,"details":null}`, wire.ErrorBody{}},
		{"a message of parts is kept as it is", `{"code":"A","message":{"en":"m"}}`, wire.ErrorBody{Code: "A", Message: `{"en":"m"}`}},
		{"half an emoji", `{"code":"A","message":"m \ud83d"}`, wire.ErrorBody{Code: "A", Message: "m \ufffd"}},
		{"details of another kind", `{"code":"A","details":["x"]}`, wire.ErrorBody{Code: "A"}},
		{"a number for a status", `{"status":500,"code":"A"}`, wire.ErrorBody{Code: "A"}},
	} {
		got, ok := wire.DecodeError([]byte(row.body))
		assert.True(t, ok, row.why)
		assert.Equal(t, row.want, got, row.why)
	}
}

// 1001 stands for an expired token with some statuses, and for anything with
// others.
func TestAnUnknownAuthErrorIsUnderstoodByItsStatus(t *testing.T) {
	t.Parallel()
	answer, ok := wire.DecodeError([]byte(`{"error":{"code":1001,"message":"m"}}`))
	assert.True(t, ok)
	for status, code := range map[int]string{400: "INVALID_TOKEN", 401: "INVALID_TOKEN", 200: "1001", 403: "1001", 500: "1001"} {
		assert.Equal(t, code, answer.At(status).Code, status)
	}
	expired, _ := wire.DecodeError([]byte(`{"error":{"code":1008}}`))
	assert.Equal(t, "INVALID_TOKEN", expired.At(200).Code, "this one says so itself")
}

func TestDecodeErrorLeavesOthersWordsAlone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `<html>502</html>`, `{}`, `null`, `[]`, `"error"`, `{"message":"Not for you"}`, `{"status":"success"}`,
		`{"code":null}`, `{"status":"error","code":"A`, `{"error":null}`, `{"error":""}`, `{"error":{}}`, `{"error":["x"]}`, `{"error":false}`,
	} {
		_, ok := wire.DecodeError([]byte(body))
		assert.False(t, ok, body)
	}
}

func TestHiddenErrorNeedsTheStatus(t *testing.T) {
	t.Parallel()
	got, found := wire.HiddenError([]byte(`{"status":"error","code":"A","message":"m"}`))
	assert.True(t, found)
	assert.Equal(t, wire.ErrorBody{Code: "A", Message: "m"}, got)
	got, found = wire.HiddenError([]byte(`{"url":"/x","error":{"code":1019,"message":"m"}}`))
	assert.True(t, found)
	assert.Equal(t, wire.ErrorBody{Code: "RESOURCE_NOT_FOUND", Number: 1019, Message: "m"}, got)
	for body, message := range map[string]string{
		`{"error":["No"]}`: `["No"]`, `{"error":{"reason":"No"}}`: `{"reason":"No"}`, `{"error":true,"message":"No"}`: "No", `{"error":true}`: "true",
	} {
		got, found = wire.HiddenError([]byte(body))
		assert.True(t, found, body)
		assert.Equal(t, wire.ErrorBody{Message: message}, got, "%s: in no known form, but no success", body)
	}
	for _, body := range []string{ // The service says that all is well, and how it is not.
		`{"status":"success","error":{"code":1019,"message":"m"}}`,
		`{"status":"success","error":{"code":1019,"message":"m"},"data":[]}`,
		`{"status":"success","data":null,"error":{"code":1019,"message":"m"}}`,
		`{"status":"success","pagination":{},"data":[],"error":{"code":1019,"message":"m"}}`,
		`{"data":["` + strings.Repeat("x", 1<<20) + `"],"status":"success","error":{"code":1019,"message":"m"}}`,
	} {
		got, found = wire.HiddenError([]byte(body))
		assert.True(t, found, body[:min(len(body), 100)])
		assert.Equal(t, 1019, got.Number)
	}
	for _, body := range []string{
		`{"error":false}`, `{"error":0}`, `{"error":{},"data":[]}`, `{"error":[]}`,
		`{"error":null,"data":{}}`, `{"error":""}`, `{"data":{"error":{"code":1019}}}`,
		``, `{}`, `{"status":"success","data":{"tags":["error"]}}`, `{"status":"success","data":{"error":{"code":1019}}}`, `{"data":{"status":"error"}}`, `{"status":["error"]}`,
		`["error"]`, `{"code":"error"}`, `<p>"error"</p>`,
	} {
		_, found := wire.HiddenError([]byte(body))
		assert.False(t, found, body)
	}
}
