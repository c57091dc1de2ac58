package wire_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// What follows are types as callers write them.

type omitting struct {
	Name     string            `json:"name,omitempty"`
	MaxChats int               `json:"max_chats,omitempty"`
	Share    float64           `json:"share,omitempty"`
	Active   bool              `json:"active,omitempty"`
	List     []string          `json:"list,omitempty"`
	Map      map[string]string `json:"map,omitempty"`
	Pointer  *int              `json:"pointer,omitempty"`
	Array    [0]int            `json:"array,omitempty"`
	Any      any               `json:"any,omitempty"`
	Inner    inner             `json:"inner,omitempty"` //nolint:modernize // That it does nothing is the point.
	Text     *string           `json:"text,omitempty"`
	Number   json.Number       `json:"number,omitempty"`
}

type quoting struct {
	Int    int         `json:"int,string"`
	Bool   bool        `json:"bool,string"`
	Float  *float64    `json:"float,string"`
	Text   string      `json:"text,string"`
	List   []int       `json:"list,string"` //nolint:staticcheck // Nothing for it.
	Number json.Number `json:"number,string"`
	None   *int        `json:"none,string"`
}

type byPointer struct{ s string }

func (p *byPointer) MarshalJSON() ([]byte, error) { return []byte(`"by pointer"`), nil }

type byPointerText struct{ S string }

func (p *byPointerText) MarshalText() ([]byte, error) { return []byte("text by pointer"), nil }

type keyed struct{ s string }

func (k keyed) MarshalJSON() ([]byte, error) { return []byte(`"json"`), nil }
func (k keyed) MarshalText() ([]byte, error) { return []byte("text " + k.s), nil }

type base struct {
	ID     string
	Shadow string `json:"shadow"`
}

type hidden struct{ Seen int }

type embedding struct {
	base
	*hidden
	Named inner `json:"named"`

	Shadow string `json:"shadow"`
}

type ambiguous struct {
	base
	other
}

type other struct{ ID string }

type zeroing struct {
	At    time.Time     `json:"at,omitzero"`
	Wait  time.Duration `json:"wait,omitzero"`
	Inner inner         `json:"inner,omitzero"`
	List  []int         `json:"list,omitzero"`
}

type byteNamed uint8

type odd struct {
	Digest  [4]byte
	Bytes   []byte
	Named   []byteNamed
	Wait    time.Duration
	NilList []string
	NilMap  map[string]int
	NilAny  any
	Chars   string
	Ints    map[int]string
	Raw     json.RawMessage
	Big     *big.Int
	Address netip.Addr
	private int
	Skipped int `json:"-"`
	Dash    int `json:"-,"`         //nolint:staticcheck // Callers write such things.
	Bad     int `json:"bad name!,"` //nolint:staticcheck,tagliatelle // As above.
}

func TestACallersValueIsEncodedAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	number := 1.5
	for _, v := range []any{
		omitting{Name: "Ada"}, omitting{}, &omitting{Pointer: new(0), Text: new(""), Any: 0, List: []string{}, Map: map[string]string{}},
		omitting{Any: false, Number: "7"}, omitting{Any: (*int)(nil)},
		quoting{Int: 7, Bool: true, Float: &number, Text: `a"b`, List: []int{1}, Number: "12"},
		byPointer{"x"}, &byPointer{"x"}, struct{ P byPointer }{}, &struct{ P byPointer }{}, []byPointer{{"x"}}, map[string]byPointer{"k": {}},
		byPointerText{"x"}, &byPointerText{"x"}, struct{ P *byPointer }{}, struct{ M json.Marshaler }{},
		map[keyed]int{{"k"}: 1}, keyed{"k"},
		embedding{base: base{ID: "1", Shadow: "below"}, hidden: &hidden{2}, Shadow: "above"}, embedding{}, ambiguous{base{ID: "1"}, other{"2"}},
		zeroing{}, zeroing{Wait: time.Second, List: []int{}},
		odd{Digest: [4]byte{1, 2, 3, 4}, Bytes: []byte("hi"), Named: []byteNamed{1}, Wait: 3 * time.Second, Chars: "<a>&'\u2028\xff", Raw: json.RawMessage(`{"a": 1}`), private: 1},
		odd{Ints: map[int]string{2: "b", -1: "a"}, Big: big.NewInt(0).Lsh(big.NewInt(1), 80), Address: netip.MustParseAddr("::1")},
		[]string(nil), map[string]int(nil), []any{nil, []int(nil), map[string]any(nil)}, (*omitting)(nil),
		map[string]any{"b": 1, "a": []any{1.0, 1e21, 1e-7, float32(0.1), uint64(1 << 63), int64(-1 << 63), 1e6, 0.000001}},
		json.Number(""), json.Number("-0.10e+5"), map[string]json.Number{"k": "40526000000002041"}, []json.Number{"1"},
		map[json.Number]int{"12": 1}, struct{ N *json.Number }{new(json.Number("1"))},
		time.Duration(5), [2]bool{true}, struct{}{}, struct{ unseen int }{1}, true, "x", 7,
	} {
		want, err := json.Marshal(v)
		require.NoError(t, err, "%T", v)
		got, _, err := wire.MarshalRequest(v)
		require.NoError(t, err, "%T %+v", v, v)
		assert.Equal(t, exactly(t, want), exactly(t, got), "%T: %s became %s", v, want, got)
	}
	for _, v := range []any{func() {}, make(chan int), 1i, json.Number("1x"), json.Number("0x1"), map[string]any{"k": json.Number("one")}, json.RawMessage(`{`)} {
		_, err := json.Marshal(v)
		require.Error(t, err)
		_, _, err = wire.MarshalRequest(v)
		require.Error(t, err, "%T", v)
	}
}

// exactly decodes without rounding.
func exactly(t *testing.T, data []byte) (v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&v), string(data))
	return v
}

// Where a caller's habit would harm, it is not followed.
func TestACallersTimesAreWrittenAsTheServiceReadsThem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 9, 0, 0, 0, time.FixedZone("", 3600))
	got, _, err := wire.MarshalRequest(map[string]any{"at": at, "none": time.Time{}, "html": "<&>"})
	require.NoError(t, err)
	assert.Equal(t, `{"at":"2026-02-03T08:00:00.000Z","html":"<&>","none":null}`, string(got)) //nolint:testifylint // To the letter.
}

func TestANilListThatIsSetIsAnEmptyOne(t *testing.T) {
	t.Parallel()
	got, _, err := wire.MarshalRequest([]any{optional{[]string(nil)}, optional{map[string]any(nil)}, optional{nil}, []string(nil)})
	require.NoError(t, err)
	assert.JSONEq(t, `[[],{},null,null]`, string(got))
}

func TestSecretsOfACallersStructLeaveInRequestsAndAreKnown(t *testing.T) {
	t.Parallel()
	got, secrets, err := wire.MarshalRequest(struct {
		Key   secret            `json:"key,omitempty"`
		More  []any             `json:"more,omitempty"`
		Named map[secret]secret `json:"named,omitempty"`
		None  *secret           `json:"none,omitempty"`
	}{"one", []any{secret("two"), new(secret("three"))}, map[secret]secret{"four": "five"}, nil})
	require.NoError(t, err)
	assert.JSONEq(t, `{"key":"one","more":["two","three"],"named":{"four":"five"}}`, string(got))
	assert.ElementsMatch(t, []string{"one", "two", "three", "four", "five"}, secrets)
	_, secrets, err = wire.MarshalRequest("nothing")
	require.NoError(t, err)
	assert.Empty(t, secrets, "those of another request are forgotten")
}

func TestParamsOfACallerAreThoseThatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	query, err := wire.Query(struct {
		omitting

		ID   json.Number   `json:"id"`
		Wait time.Duration `json:"wait"`
		None *int          `json:"none"`
	}{omitting: omitting{Name: "Ada"}, ID: "40526000000002041", Wait: 5})
	require.NoError(t, err)
	assert.Equal(t, url.Values{"name": {"Ada"}, "id": {"40526000000002041"}, "wait": {"5"}, "inner": {`{"flag":false}`}}, query)
}

func TestACallersTargetIsDecodedAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		data string
		out  any
	}{
		{`{"NAME":"a","Max_Chats":3,"ACTIVE":true,"list":["x"],"number":12}`, omitting{}},
		{`{"int":"7","bool":"true","float":"1.5","text":"\"a\"","number":"12"}`, quoting{}},
		{`{"Digest":[1,2,3,4],"Bytes":"aGk=","Named":"AQ==","Wait":3000,"Ints":{"1":"a"},"Raw":{"a": 1},"Big":1208925819614629174706176,"Address":"::1"}`, odd{}},
		{`{"Digest":[1,2]}`, odd{}},
		{`{"Digest":[1,2,3,4,5]}`, odd{}},
		{`{"Bytes":[104,105]}`, odd{}},
		{`{"ID":"1","shadow":"s"}`, embedding{}},
		{`{"at":"2026-02-03T08:00:00Z","wait":5}`, zeroing{}},
		{`{"name":"a","name":"b"}`, omitting{}},
		{`{"name":"caf` + "\xe9" + `"}`, omitting{}},
	} {
		want, got := reflect.New(reflect.TypeOf(row.out)), reflect.New(reflect.TypeOf(row.out))
		require.NoError(t, json.Unmarshal([]byte(row.data), want.Interface()), row.data)
		require.NoError(t, wire.UnmarshalLenient([]byte(row.data), got.Interface()), row.data)
		assert.Equal(t, want.Interface(), got.Interface(), row.data)
	}
	got := omitting{Name: "kept"}
	require.NoError(t, wire.Unmarshal([]byte(`{"name":null}`), &got))
	assert.Empty(t, got.Name, "null empties")
	require.ErrorContains(t, wire.Unmarshal([]byte(`{"name":`+strings.Repeat("[", 3)+`]]]}`), &got), "name")
}
