package wire_test

import (
	"cmp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// An answer may speak both dialects, or neither, and refuse in each.
func TestAnErrorIsReadInTheDialectThatMakesMostOfIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, body string
		want      wire.ErrorBody
	}{
		{"a code as specified is enough", `{"code":"A","error":{"code":1019,"message":"m"}}`, wire.ErrorBody{Code: "A"}},
		{"a message as specified is enough", `{"status":"error","message":"m","error":{"code":1019,"message":"n"}}`, wire.ErrorBody{Message: "m"}},
		{"a status says less than the live service", `{"status":"error","error":{"code":1019,"message":"n"}}`,
			wire.ErrorBody{Code: "RESOURCE_NOT_FOUND", Number: 1019, Message: "n"}},
		{"a code of the live service is enough", `{"status":"error","error":{"code":1019}}`, wire.ErrorBody{Code: "RESOURCE_NOT_FOUND", Number: 1019}},
		{"a status, and a reason in no known form", `{"status":"error","error":["x"]}`, wire.ErrorBody{Message: `["x"]`}},
		{"a failure in other words", `{"status":"failure"}`, wire.ErrorBody{}},
		{"a failure in other words, with a reason", `{"success":false,"reason":"No"}`, wire.ErrorBody{Message: "No"}},
		{"a failure, with an error of no known form", `{"status":"failed","errors":["No"]}`, wire.ErrorBody{Message: `["No"]`}},
		{"details that can be read", `{"status":"error","code":"A","details":{"k":1}}`, wire.ErrorBody{Code: "A", Details: map[string]any{"k": 1.0}}},
	} {
		got, ok := wire.DecodeError([]byte(row.body))
		assert.True(t, ok, row.why)
		assert.Equal(t, row.want, got, row.why)
	}
}

// What breaks off is told by Truncated, and is no refusal as far as it goes.
func TestHalfARefusalIsNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"status":"error","code":"A"`, `{"status":"error","code":"A"}}`, `{"status":"error",}`} {
		_, found := wire.HiddenError([]byte(body))
		assert.False(t, found, body)
	}
}

func TestAPageIsNoAnswerWhereNothingIsDue(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`<html>`, " \r\n<!doctype html>", `<`} {
		assert.ErrorIs(t, wire.RefusePage([]byte(body)), wire.ErrPage, body)
	}
	for _, body := range []string{``, ` `, `{}`, `{"status":"success"}`, `OK`, `a < b`} {
		assert.NoError(t, wire.RefusePage([]byte(body)), body)
	}
}

func TestWhoFailsWithoutAnExcuseMayBeAThingThatFailed(t *testing.T) {
	t.Parallel()
	for body, refused := range map[string]bool{
		`{"success":false,"other":1}`:                true,
		`{"success":false,"id":"a"}`:                 false,
		`{"status":"failed","other":1}`:              false,
		`{"status":"failed","message":"m"}`:          true,
		`{"status":"failed","id":"a","message":"m"}`: false,
	} {
		_, found := wire.HiddenError([]byte(body))
		assert.Equal(t, refused, found, body)
	}
}

// The numbers are those of rest-api-v2.html, section Error codes.
func TestEachNumberOfTheLiveServiceHasItsCode(t *testing.T) {
	t.Parallel()
	names := map[int]string{
		1001: "INVALID_TOKEN", 1002: "INVALID_TOKEN", 1004: "INVALID_REQUEST", 1005: "INVALID_REQUEST", 1006: "INVALID_REQUEST",
		1007: "INVALID_REQUEST", 1008: "INVALID_TOKEN", 1009: "INVALID_OAUTH_SCOPE", 1010: "INVALID_REQUEST", 1011: "INVALID_REQUEST",
		1014: "DUPLICATE_RESOURCE", 1015: "INVALID_REQUEST", 1016: "PERMISSION_DENIED", 1017: "PLAN_LIMIT", 1018: "INVALID_REQUEST",
		1019: "RESOURCE_NOT_FOUND", 1020: "OPERATOR_OFFLINE", 1021: "PLAN_LIMIT", 1023: "RATE_LIMIT_EXCEEDED", 1024: "OPERATOR_OFFLINE",
		1025: "INVALID_DEPARTMENT", 1026: "INVALID_REQUEST", 1027: "INVALID_REQUEST", 1028: "INVALID_REQUEST", 1029: "INVALID_REQUEST",
		1031: "INVALID_REQUEST", 1054: "INVALID_REQUEST",
	}
	for number := 990; number < 1070; number++ {
		text := strconv.Itoa(number)
		got, ok := wire.DecodeError([]byte(`{"error":{"code":` + text + `}}`))
		assert.True(t, ok)
		assert.Equal(t, wire.ErrorBody{Code: cmp.Or(names[number], text), Number: number}, got)
	}
}

func TestWhichCodesAreErrors(t *testing.T) {
	t.Parallel()
	for code, isError := range map[string]bool{
		`199`: true, `200`: false, `299`: false, `300`: true, `0`: false, `1`: true, `-1`: true, `"1016"`: true, `"200"`: false,
		`"USD"`: false, `"BUSY"`: true, `"Busy"`: false, `"busy"`: false, `"SUCCESS"`: false, `"----"`: false, `""`: false, `null`: false,
	} {
		_, found := wire.HiddenError([]byte(`{"code":` + code + `,"message":"m"}`))
		assert.Equal(t, isError, found, code)
	}
}

// It is looked for in every answer.
func TestASuccessIsKnownWithoutTakingItApart(t *testing.T) { // No other test may allocate meanwhile.
	for _, text := range []string{
		`{"status":"success","data":{"id":"a"}}`, `{"status":"success","data":[{"id":"a"}]}`, `{"url":"/x","object":"list","data":[{"id":"a"}]}`, `[{"id":"a"}]`, ``,
	} {
		body := []byte(text)
		assert.Zero(t, testing.AllocsPerRun(10, func() { wire.HiddenError(body) }), text)
	}
}
