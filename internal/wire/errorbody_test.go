package wire_test

import (
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
		{"a number for a code", `{"code":1016,"message":"m"}`, wire.ErrorBody{Code: "1016", Message: "m"}},
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

func TestDecodeErrorLeavesOthersWordsAlone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `<html>502</html>`, `{}`, `null`, `[]`, `"error"`, `{"message":"Not for you"}`, `{"status":"success"}`,
		`{"code":null}`, `{"status":"error","code":"A`,
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
	for _, body := range []string{
		``, `{}`, `{"status":"success","data":{"tags":["error"]}}`, `{"data":{"status":"error"}}`, `{"status":["error"]}`,
		`["error"]`, `{"code":"error"}`, `<p>"error"</p>`,
	} {
		_, found := wire.HiddenError([]byte(body))
		assert.False(t, found, body)
	}
}
