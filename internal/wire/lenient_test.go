package wire_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// record has a field of each type that answers are made of.
type record struct {
	ID      string             `json:"id"`
	Kind    kind               `json:"kind"`
	Flag    bool               `json:"flag"`
	Count   int                `json:"count"`
	Small   uint8              `json:"small"`
	Share   float64            `json:"share"`
	At      time.Time          `json:"at"`
	Ended   *time.Time         `json:"ended"`
	Rating  *int               `json:"rating"`
	Note    *string            `json:"note"`
	Names   []string           `json:"names"`
	Scores  map[int]int        `json:"scores"`
	Nested  inner              `json:"nested"`
	Others  []inner            `json:"others"`
	Custom  map[string]any     `json:"custom"`
	Unknown map[string]float64 `json:",embed"`
}

type (
	kind  string
	inner struct {
		Flag bool `json:"flag"`
	}
)

func TestScalarsAreTakenForWhatTheyMean(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_612_943_653_720).UTC()
	for _, row := range []struct {
		why, fields string
		want        record
	}{
		{"true in quotes", `"flag":"true"`, record{Flag: true}},
		{"false in quotes", `"flag":"false"`, record{}},
		{"1 for true", `"flag":1`, record{Flag: true}},
		{"1 for true in quotes", `"flag":"1"`, record{Flag: true}},
		{"0 for false", `"flag":0`, record{}},
		{"nothing for false", `"flag":""`, record{}},
		{"a word for true", `"flag":"Enabled"`, record{Flag: true}},
		{"an int in quotes", `"count":"42"`, record{Count: 42}},
		{"an int with spaces", `"count":" 42 "`, record{Count: 42}},
		{"-1 is a number", `"count":"-1"`, record{Count: -1}},
		{"no number at all", `"count":"unlimited"`, record{}},
		{"no number, and empty", `"count":""`, record{}},
		{"a fraction for an int", `"count":3.0`, record{Count: 3}},
		{"true for an int", `"count":true`, record{}},
		{"an int that does not fit", `"count":1e300,"small":300`, record{}},
		{"a negative one that does not fit", `"small":-1`, record{}},
		{"a small one in quotes", `"small":"7"`, record{Small: 7}},
		{"a float in quotes", `"share":"0.5"`, record{Share: 0.5}},
		{"a float beyond all", `"share":"1e999"`, record{}},
		{"milliseconds in quotes", `"at":"1612943653720"`, record{At: at}},
		{"milliseconds", `"at":1612943653720`, record{At: at}},
		{"seconds", `"at":"1612943653"`, record{At: at.Truncate(time.Second)}},
		{"milliseconds with a fraction or an exponent", `"at":1612943653720.0,"ended":1.612943653720E12`, record{At: at, Ended: &at}},
		{"microseconds, which as milliseconds no notation of times can write", `"at":"1612943653720000"`, record{}},
		{"milliseconds beyond what a float holds", `"at":9007199254740993`, record{}},
		{"RFC 3339 beside what does not fit", `"at":"2021-02-10T07:54:13.720Z","flag":"true"`, record{At: at, Flag: true}},
		{"a time without a zone", `"at":"2021-02-10T07:54:13.720"`, record{At: at}},
		{"never", `"at":"-1","ended":"-1"`, record{}},
		{"never, as a zero", `"at":0,"ended":"0"`, record{}},
		{"no time", `"at":"","ended":""`, record{}},
		{"a word for a time", `"at":"yesterday","ended":"tomorrow"`, record{}},
		{"a time that may be absent", `"ended":"1612943653720"`, record{Ended: &at}},
		{"a number that may be absent", `"rating":"4"`, record{Rating: new(4)}},
		{"a zero is there", `"rating":"0"`, record{Rating: new(0)}},
		{"an absent number", `"rating":""`, record{}},
		{"no number, but a list or an object", `"rating":[],"ended":{}`, record{}},
		{"a text that may be absent", `"note":17`, record{Note: new("17")}},
		{"an empty text is there", `"note":"","flag":"1"`, record{Note: new(""), Flag: true}},
		{"a number for a text", `"id":40526000000002040`, record{ID: "40526000000002040"}},
		{"one of more digits than any number has", `"id":123456789012345678901234567890`, record{ID: "123456789012345678901234567890"}},
		{"true for a text", `"kind":true`, record{Kind: "true"}},
		{"an object with the text in it", `"id":{"text":"hello"}`, record{ID: "hello"}},
		{"an object with a message in it", `"id":{"message":"hello","mode":1}`, record{ID: "hello"}},
		{"any other object is kept as it is", `"id":{"a":1}`, record{ID: `{"a":1}`}},
		{"numbers for texts in a list", `"names":[19000000033103,"b"]`, record{Names: []string{"19000000033103", "b"}}},
		{"a scalar for a list", `"names":"a","others":0`, record{}},
		{"a list for a map", `"custom":[],"scores":[]`, record{}},
		{"a scalar for an object", `"nested":"","custom":""`, record{}},
		{"an odd scalar deeper down", `"nested":{"flag":"1"},"others":[{"flag":"true"},"",{"flag":0}]`,
			record{Nested: inner{Flag: true}, Others: []inner{{Flag: true}, {}, {}}}},
		{"numbers for keys, texts for values", `"scores":{"5":"7"}`, record{Scores: map[int]int{5: 7}}},
		{"an unknown field", `"more":"1.5"`, record{Unknown: map[string]float64{"more": 1.5}}},
		{"null is nothing", `"flag":null,"count":null,"at":null,"ended":null,"small":"1"`, record{Small: 1}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got, err := wire.Decode[record]([]byte(`{"url":"/x","object":"record","data":{` + row.fields + `}}`))
			require.NoError(t, err)
			assert.Equal(t, row.want, *got)
			items, _, err := wire.DecodeList[record]([]byte(`[{"id":"a"},{` + row.fields + `}]`))
			require.NoError(t, err)
			assert.Equal(t, []record{{ID: "a"}, row.want}, items)
		})
	}
}

// node holds others of its kind, and what decodes itself.
type node struct {
	Name     string          `json:"name"`
	Parent   *node           `json:"parent"`
	Children []node          `json:"children"`
	Address  netip.Addr      `json:"address"`
	Picture  []byte          `json:"picture"`
	Raw      json.RawMessage `json:"raw"`
}

func TestNothingWithinAnItemFailsTheOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, fields string
		want        node
	}{
		{"no parent", `"parent":""`, node{}},
		{"no parent, but a list", `"parent":[]`, node{}},
		{"no children", `"children":""`, node{}},
		{"children that are none", `"children":[1,{"name":2,"parent":[],"children":{}}]`, node{Children: []node{{}, {Name: "2"}}}},
		{"a parent of a parent that is none", `"parent":{"name":3,"parent":7}`, node{Parent: &node{Name: "3"}}},
		{"an address that is none", `"address":"unknown","picture":"!","raw":{"a":1}`, node{Raw: json.RawMessage(`{"a":1}`)}},
		{"an address beside what does not fit", `"address":"192.0.2.1","picture":"aGk=","name":1`,
			node{Address: netip.MustParseAddr("192.0.2.1"), Picture: []byte("hi"), Name: "1"}},
		{"a number for bytes", `"picture":5,"address":6`, node{}},
	} {
		for _, body := range []string{`[{"name":"a"},{` + row.fields + `}]`, `{"data":[{"name":"a"},{` + row.fields + `}]}`} {
			items, _, err := wire.DecodeList[node]([]byte(body))
			require.NoError(t, err, row.why)
			assert.Equal(t, []node{{Name: "a"}, row.want}, items, row.why)
		}
		var one *node
		require.NoError(t, wire.UnmarshalLenient([]byte(`{`+row.fields+`}`), &one), row.why)
		assert.Equal(t, &row.want, one, row.why)
	}
	var address netip.Addr
	require.Error(t, wire.UnmarshalLenient([]byte(`"unknown"`), &address), "what was asked for must be there")
}

func TestWhatWasAskedForMustBeThere(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"data":[]}`, `{"data":"x"}`, `{"data":1}`, `"x"`, `[1]`} {
		_, err := wire.Decode[record]([]byte(body))
		require.Error(t, err, body)
	}
	for _, body := range []string{`{"data":["x"]}`, `[{"id":1},2]`, `{"data":[[]]}`, `{"data":{"id":1}}`, `{"data":"x"}`} {
		_, _, err := wire.DecodeList[record]([]byte(body))
		require.Error(t, err, body)
	}
}

// page is a hundred records as specified, and the same as the live service
// would write them.
func page(live bool) []byte {
	item := `{"id":"19000000033103","kind":"a","flag":true,"count":42,"share":0.5,"at":"2021-02-10T07:54:13.720Z","ended":null,"rating":4,"names":["a","b"]}`
	if live {
		item = `{"id":19000000033103,"kind":"a","flag":"true","count":"42","share":"0.5","at":"1612943653720","ended":"-1","rating":"4","names":["a","b"]}`
	}
	return fmt.Appendf(nil, `{"status":"success","data":[%s],"pagination":{"page":1,"per_page":100,"total":100}}`,
		strings.TrimSuffix(strings.Repeat(item+",", 100), ","))
}

// The strict path is the codec alone: compare "as specified" with "codec alone".
func BenchmarkDecodeList(b *testing.B) {
	specified, live := page(false), page(true)
	b.Run("codec alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var envelope struct {
				Data       *[]record   `json:"data"`
				Pagination wire.Paging `json:"pagination"`
			}
			if err := wire.Unmarshal(specified, &envelope); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, body := range map[string][]byte{"as specified": specified, "as the live service writes": live} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := wire.DecodeList[record](body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Lenience costs nothing where it is not needed: not one allocation.
func TestStrictDataCostNothingMore(t *testing.T) { // It counts allocations.
	if testkit.RaceEnabled {
		t.Skip("the race detector has pools forget what they hold")
	}
	body := page(false)
	alone := testing.AllocsPerRun(20, func() {
		var envelope struct {
			Data       *[]record   `json:"data"`
			Pagination wire.Paging `json:"pagination"`
		}
		assert.NoError(t, wire.Unmarshal(body, &envelope))
	})
	through := testing.AllocsPerRun(20, func() {
		_, _, err := wire.DecodeList[record](body)
		assert.NoError(t, err)
	})
	assert.LessOrEqual(t, through, alone+1)
}

// Whatever arrives, lenience does no more than strictness where that succeeds,
// and never panics.
func FuzzUnmarshalLenient(f *testing.F) {
	for _, odd := range []string{
		``, `{}`, `[]`, `null`, `{"flag":"true","count":"1e3","at":"1612943653720","ended":"-1","rating":"","names":{"a":1}}`,
		`{"id":{"text":["x"]},"scores":{"a":"b"},"others":[[],{},null,1],"custom":{"a":{"b":1e999}}}`, `{"at":99999999999999999999}`,
		`{"small":-0,"share":"NaN","kind":[1],"nested":[{}],"x":"1"}`, `{"id":"a","id":1,"ID":2}`,
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var strict, lenient record
		strictly := wire.Unmarshal(body, &strict)
		leniently := wire.UnmarshalLenient(body, &lenient)
		if strictly == nil {
			require.NoError(t, leniently)
			assert.Equal(t, fmt.Sprint(strict), fmt.Sprint(lenient))
		}
		_, _, _ = wire.DecodePart[record](body, "list", "key") // Anything may happen to these but a panic.
		_, _ = wire.Decode[record](body)
	})
}
