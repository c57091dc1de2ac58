package wire_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
)

type thing struct {
	ID     string         `json:"id"`
	Status string         `json:"status"`
	Text   string         `json:"message"`
	Data   map[string]any `json:"data"`
}

func TestDecodeFindsTheObject(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":"success","data":{"id":"a","status":"open"}}`,
		`{"data":{"id":"a","status":"open"},"status":"success","sync_time":1}`,
		`{"DATA":{"ID":"a","Status":"open"}}`,
		`{"id":"a","status":"open"}`,
		` {"status":"open","id":"a"} `,
		`{"ID":"a","Status":"open"}`,
	} {
		got, err := wire.Decode[thing]([]byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, &thing{ID: "a", Status: "open"}, got, body)
	}
}

func TestDecodeSaysThatThereIsNothing(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, " \r\n", `{}`, `{"data":null}`, `{"status":"success"}`, `{"status":"success","message":"ok"}`,
		`{"status":"success","data":null}`, `{"status":"success","pagination":{"page":1}}`,
		`{"status":"success","other":{"id":"a"}}`, `{"status":"failure","message":"no"}`, `{"success":false}`,
	} {
		_, err := wire.Decode[thing]([]byte(body))
		require.ErrorIs(t, err, wire.ErrNoData, body)
	}
	for _, body := range []string{`<html>`, `[`, `"x"`, `5`, `{"data":[]}`, `{"data":"x"}`, `{"id":"a"}{}`} {
		_, err := wire.Decode[thing]([]byte(body))
		require.Error(t, err, body)
		require.NotErrorIs(t, err, wire.ErrNoData, body)
	}
}

func TestDecodeListFindsTheList(t *testing.T) {
	t.Parallel()
	items, paging, err := wire.DecodeList[thing]([]byte(`{"status":"success","data":[{"id":"a"},{"id":"b"}],"pagination":{"page":2,"per_page":2,"total":8}}`))
	require.NoError(t, err)
	assert.Equal(t, []thing{{ID: "a"}, {ID: "b"}}, items)
	assert.Equal(t, wire.Paging{Page: 2, PerPage: 2, Total: 8}, paging)

	for _, body := range []string{`[]`, `null`, `{"data":[]}`, `{"data":null}`, `{"status":"success"}`} {
		items, paging, err := wire.DecodeList[thing]([]byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, []thing{}, items, "%s: never nil", body)
		assert.Zero(t, paging)
	}
	for _, body := range []string{``, `{"id":"a"}`, `{"data":{"id":"a"}}`, `"x"`, `[1]`} {
		_, _, err := wire.DecodeList[thing]([]byte(body))
		require.Error(t, err, body)
	}
}

func TestDecodeOpenFindsTheObject(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, body string
		want      thing
	}{
		{"bare", `{"id":"a"}`, thing{ID: "a"}},
		{"in an envelope", `{"data":{"id":"a"}}`, thing{ID: "a"}},
		{"wrapped", `{"thing":{"id":"a"}}`, thing{ID: "a"}},
		{"wrapped in an envelope", `{"status":"success","data":{"thing":{"id":"a"}}}`, thing{ID: "a"}},
		{"wrapped twice", `{"data":{"thing":{"item":{"id":"a"}}}}`, thing{ID: "a"}},
		{"a string under the wrapper's name is a field", `{"id":"a","item":"x"}`, thing{ID: "a"}},
		{"an object with an id keeps its data", `{"id":"a","data":{"id":"b"}}`, thing{ID: "a", Data: map[string]any{"id": "b"}}},
		{"an object with its own status is no report", `{"status":"open"}`, thing{Status: "open"}},
		{"a text is no report without a status", `{"message":"hello"}`, thing{Text: "hello"}},
		{"a report", `{"status":"success","message":"done"}`, thing{}},
		{"null", `null`, thing{}},
		{"nothing", ``, thing{}},
		{"null within", `{"data":{"thing":null}}`, thing{}},
	} {
		var got thing
		require.NoError(t, wire.DecodeOpen([]byte(row.body), &got, "thing", "item"), row.why)
		assert.Equal(t, row.want, got, row.why)
	}
	for _, body := range []string{`no such thing`, `<html>`, `{`, `"ok"`, `[1]`, `{"data":"x"}`} {
		require.Error(t, wire.DecodeOpen([]byte(body), new(thing), "thing"), body)
	}
}

func TestATextInsteadOfTheObjectTellsOfAChange(t *testing.T) {
	t.Parallel()
	var got thing
	require.NoError(t, wire.DecodeOutcome([]byte(`{"url":"/x","object":"thing","data":{"id":"a"}}`), &got))
	assert.Equal(t, thing{ID: "a"}, got)
	got = thing{}
	require.NoError(t, wire.DecodeOutcome([]byte(`{"url":"/x","object":"thing","data":"Success"}`), &got))
	assert.Equal(t, thing{}, got)
	var text string
	require.NoError(t, wire.DecodeOutcome([]byte(`{"url":"/x","object":"thing","data":"Success"}`), &text))
	assert.Equal(t, "Success", text, "it can be had")
	for _, body := range []string{`{"data":"x"}`, `"x"`, `{"url":"/x","object":"list","data":[]}`, `{"url":"/x","object":"thing","data":"Suc`, `[1]`} {
		require.Error(t, wire.DecodeOutcome([]byte(body), new(thing)), body)
	}
	require.Error(t, wire.DecodeOpen([]byte(`{"url":"/x","object":"thing","data":"None"}`), new(thing)), "whoever asks for an object gets one")
}

func TestDecodeOpenReadsDataOfAnyKind(t *testing.T) {
	t.Parallel()
	var number int
	require.NoError(t, wire.DecodeOpen([]byte(`{"status":"success","data":7}`), &number))
	assert.Equal(t, 7, number)
	var list []string
	require.NoError(t, wire.DecodeOpen([]byte(`{"data":["a"]}`), &list))
	assert.Equal(t, []string{"a"}, list)
	kept := 3
	require.NoError(t, wire.DecodeOpen([]byte(`{"data":null}`), &kept))
	assert.Equal(t, 3, kept, "nothing leaves it as it was")
}

func TestDecodePartFindsTheListAndWhatFollows(t *testing.T) {
	t.Parallel()
	two := []thing{{ID: "a"}, {ID: "b"}}
	for _, row := range []struct {
		why, body, items string
		want             []thing
		rest             wire.Rest
	}{
		{"the data is the list", `{"data":[{"id":"a"},{"id":"b"}],"next":"7"}`, "", two, wire.Rest{Key: "7"}},
		{"no envelope", `[{"id":"a"},{"id":"b"}]`, "", two, wire.Rest{}},
		{"a member of the data", `{"data":{"list":[{"id":"a"},{"id":"b"}],"next":7}}`, "list", two, wire.Rest{Key: "7"}},
		{"a member without an envelope", `{"list":[{"id":"a"},{"id":"b"}],"more_data_available":true}`, "list", two, wire.Rest{More: new(true)}},
		{"the member is not there", `{"data":{"next":"7"}}`, "list", nil, wire.Rest{Key: "7"}},
		{"no body", ` `, "list", nil, wire.Rest{}},
		{"what counts nothing is not told", `{"data":[],"pagination":{"page":2,"per_page":-1,"total":-1}}`, "", []thing{},
			wire.Rest{Paging: wire.Paging{Page: 2}}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got, rest, err := wire.DecodePart[thing]([]byte(row.body), row.items, "next")
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
			assert.Equal(t, row.rest, rest)
		})
	}
}

// openAnswer is an answer to a call whose answers are not documented.
type openAnswer struct {
	URL     string       `json:"url"`
	Object  string       `json:"object"`
	Time    any          `json:"sync_time"`
	Data    []everything `json:"data"`
	Next    string       `json:"next"`
	More    bool         `json:"more_data_available"`
	Status  string       `json:"status"`
	Thing   []keeping    `json:"thing"`
	Error   any          `json:"error"`
	ID      string       `json:"id"`
	Message string       `json:"message"`
}

// envelopes are answers with data of some kind.
var envelopes = []reflect.Type{
	reflect.TypeFor[openAnswer](),
	reflect.TypeFor[struct {
		URL    string      `json:"url"`
		Object string      `json:"object"`
		Data   *everything `json:"data"`
	}](),
	reflect.TypeFor[struct {
		Data  []keeping   `json:"data"`
		Count json.Number `json:"count"`
	}](),
	reflect.TypeFor[struct {
		Data struct {
			Thing everything `json:"thing"`
		} `json:"data"`
	}](),
}

// assertSameInTurn decodes an answer in one look, and in turn.
func assertSameInTurn(t *testing.T, body []byte) {
	t.Helper()
	for _, kind := range []reflect.Type{reflect.TypeFor[[]everything](), reflect.TypeFor[everything](), reflect.TypeFor[keeping](), reflect.TypeFor[any]()} {
		for _, names := range [][]string{nil, {"thing"}} {
			once, inTurn := reflect.New(kind).Interface(), reflect.New(kind).Interface()
			copied := append([]byte(nil), body...)
			err := wire.DecodeOpen(copied, once, names...)
			clear(copied) // Nothing may be a part of it.
			requireSame(t, wire.DecodeInTurn(body, inTurn, names...), err, inTurn, once, body)
		}
	}
	for _, items := range []string{"", "thing"} {
		once, rest, err := wire.DecodePart[everything](body, items, "next")
		inTurn, restInTurn, want := wire.DecodePartInTurn[everything](body, items, "next")
		requireSame(t, want, err, inTurn, once, body)
		require.Equal(t, restInTurn, rest, "%q", body)
	}
}

func requireSame(t *testing.T, wantErr, err error, want, got any, body []byte) {
	t.Helper()
	require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), "%q", body)
	if !testkit.SameBits(want, got) {
		require.Equal(t, want, got, "%q", body)
		require.Fail(t, "the sign of a zero", "%q", body)
	}
}

func TestOneLookFindsWhatOneInTurnDoes(t *testing.T) {
	t.Parallel()
	tries := 400
	if testkit.RaceEnabled {
		tries = 40
	}
	for i, kind := range envelopes {
		dice := rand.New(rand.NewPCG(3, uint64(i)))
		for range tries {
			assertSameInTurn(t, testkit.OddJSON(dice, kind))
		}
	}
}

func FuzzOneLookFindsWhatOneInTurnDoes(f *testing.F) {
	for i, kind := range envelopes {
		dice := rand.New(rand.NewPCG(4, uint64(i)))
		for range 5 {
			f.Add(testkit.OddJSON(dice, kind))
		}
	}
	for _, odd := range []string{
		`{"data":[],"data":[{}]}`, `{"Data":[{}],"data":[]}`, `{"d\u0061ta":[{}],"data":[]}`, `{"data":[{"any":1e400}],"x":12345678901234567890}`,
		`{"data":[{"any":12345678901234567890}]}`, `{"data":{"id":"a"},"id":"b"}`, `{"data":[]}]`, `{"data":[{}]`, `{"data":{},"url":"/x","object":"y"}`, `{"data" : [ { } ] }`,
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(assertSameInTurn)
}
