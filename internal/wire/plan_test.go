package wire_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// everything has a field of each kind that a plan knows, and of each that it does not.
type everything struct {
	Text     string                     `json:"text"`
	Named    kind                       `json:"named_text"`
	Flag     bool                       `json:"flag"`
	Int      int                        `json:"int"`
	Int8     int8                       `json:"int8"`
	Int64    int64                      `json:"int64"`
	Uint     uint                       `json:"uint"`
	Uint8    uint8                      `json:"uint8"`
	Uint64   uint64                     `json:"uint64"`
	Float    float64                    `json:"float"`
	Float32  float32                    `json:"float32"`
	Wait     time.Duration              `json:"wait"`
	At       time.Time                  `json:"at"`
	AtOr     *time.Time                 `json:"at_or"`
	IntOr    *int                       `json:"int_or"`
	FlagOr   *bool                      `json:"flag_or"`
	TextOr   *string                    `json:"text_or"`
	Twice    **int                      `json:"twice"`
	Any      any                        `json:"any"`
	AnyOr    *any                       `json:"any_or"`
	Raw      json.RawMessage            `json:"raw"`
	RawOr    *json.RawMessage           `json:"raw_or"`
	Number   json.Number                `json:"number"`
	Address  netip.Addr                 `json:"address"`
	Secret   *hushed                    `json:"secret"`
	Bytes    []byte                     `json:"bytes"`
	Digest   [2]byte                    `json:"digest"`
	Pair     [2]int                     `json:"pair"`
	Texts    []string                   `json:"texts"`
	Lists    [][]int                    `json:"lists"`
	Inner    inner                      `json:"inner"`
	InnerOr  *inner                     `json:"inner_or"`
	Inners   []inner                    `json:"inners"`
	Pointers []*inner                   `json:"pointers"`
	Custom   map[string]any             `json:"custom"`
	Floats   map[string]float64         `json:"floats"`
	ByName   map[string]inner           `json:"by_name"`
	ByNumber map[int]string             `json:"by_number"`
	Kept     keeping                    `json:"kept"`
	KeptOr   *keeping                   `json:"kept_or"`
	Again    []everything               `json:"again"`
	UPPER    int                        // A name that is not in lower case.
	Ignored  int                        `json:"-"`
	Extra    map[string]json.RawMessage `json:",embed"`
}

// hushed decodes itself from a text.
type hushed struct{ text string }

func (h *hushed) UnmarshalText(text []byte) error {
	h.text = string(text)
	return nil
}

// keeping is an object such as the public ones.
type keeping struct {
	ID    string         `json:"id"`
	Inner *keeping       `json:"inner"`
	Score float64        `json:"score"`
	Extra map[string]any `json:",embed"`
}

func (k keeping) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&k) }

func (k *keeping) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, k) }

// differing are the types for which plans are compared with the library: whole answers, and parts.
var differing = []reflect.Type{
	reflect.TypeFor[everything](), reflect.TypeFor[[]everything](), reflect.TypeFor[record](), reflect.TypeFor[[]node](),
	reflect.TypeFor[map[string]any](), reflect.TypeFor[*int](), reflect.TypeFor[string](), reflect.TypeFor[keeping](), reflect.TypeFor[[]*keeping](),
	reflect.TypeFor[struct {
		Data       *[]everything `json:"data"`
		Pagination wire.Paging   `json:"pagination"`
	}](),
	reflect.TypeFor[omitting](), reflect.TypeFor[embedding](), reflect.TypeFor[odd](),
}

// assertNoDifference decodes in each way with a plan and without.
func assertNoDifference(t *testing.T, kind reflect.Type, body []byte) {
	t.Helper()
	for _, lenient := range []bool{false, true} {
		planned, plain := reflect.New(kind).Interface(), reflect.New(kind).Interface()
		unmarshal := wire.Unmarshal
		if lenient {
			unmarshal = wire.UnmarshalLenient
		}
		copied := append([]byte(nil), body...)
		err := unmarshal(copied, planned)
		clear(copied) // Nothing may be a part of it.
		want := wire.UnmarshalByLibrary(body, plain, lenient)
		if want == nil {
			require.NoError(t, err, "%s, lenient %v: %q", kind, lenient, body)
		} else {
			require.EqualError(t, err, want.Error(), "%s, lenient %v: %q", kind, lenient, body)
		}
		if !testkit.SameBits(plain, planned) {
			require.Equal(t, plain, planned, "%s, lenient %v: %q", kind, lenient, body)
			require.Fail(t, "the sign of a zero", "%s, lenient %v: %q", kind, lenient, body)
		}
	}
}

func TestPlansChangeNothing(t *testing.T) {
	t.Parallel()
	tries := 3000
	if testkit.RaceEnabled {
		tries = 300
	}
	for i, kind := range differing {
		dice := rand.New(rand.NewPCG(1, uint64(i)))
		for range tries {
			assertNoDifference(t, kind, testkit.OddJSON(dice, kind))
		}
	}
}

func FuzzPlansChangeNothing(f *testing.F) {
	for i, kind := range differing {
		dice := rand.New(rand.NewPCG(2, uint64(i)))
		for range 3 {
			f.Add(uint8(i), testkit.OddJSON(dice, kind))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		assertNoDifference(t, differing[int(which)%len(differing)], body)
	})
}

func TestATargetThatHoldsSomethingIsMergedInto(t *testing.T) {
	t.Parallel()
	const body = `{"text":"new","custom":{"b":2},"inner_or":{"flag":true},"more":1}`
	fresh := func() *everything {
		return &everything{
			Int: 7, Custom: map[string]any{"a": 1}, InnerOr: &inner{}, Extra: map[string]json.RawMessage{"old": json.RawMessage("0")},
		}
	}
	planned, plain := fresh(), fresh()
	require.NoError(t, wire.Unmarshal([]byte(body), planned))
	require.NoError(t, wire.UnmarshalByLibrary([]byte(body), plain, false))
	assert.Equal(t, plain, planned)
	assert.Equal(t, 7, planned.Int)
	assert.Len(t, planned.Extra, 2)
}

func TestNamesMatchExactlyOrByCaseAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ why, body, want, rest string }{
		{"exactly", `{"text_or":"a"}`, "a", ``},
		{"by case alone", `{"Text_Or":"a"}`, "a", ``},
		{"the exact one wins, wherever it is", `{"TEXT_OR":"b","text_or":"a"}`, "a", `TEXT_OR="b"`},
		{"the exact one wins, wherever it is", `{"text_or":"a","TEXT_OR":"b"}`, "a", `TEXT_OR="b"`},
		{"else the last one does", `{"TEXT_OR":"b","Text_or":"a"}`, "a", `TEXT_OR="b"`},
		{"what loses stays as it is", `{"text_or":"a","TEXT_OR":{"TEXT_OR":1}}`, "a", `TEXT_OR={"TEXT_OR":1}`},
		{"dashes count", `{"text-or":"b","text_or":"a"}`, "a", `text-or="b"`},
		{"and so do underscores", `{"textor":"b","text_or":"a"}`, "a", `textor="b"`},
	} {
		for _, unmarshal := range []func([]byte, any) error{
			wire.Unmarshal, wire.UnmarshalLenient,
			func(data []byte, v any) error { return wire.UnmarshalByLibrary(data, v, false) },
		} {
			var got everything
			require.NoError(t, unmarshal([]byte(row.body), &got), row.why)
			require.NotNil(t, got.TextOr, row.why)
			assert.Equal(t, row.want, *got.TextOr, row.why)
			rest := []string{}
			for name, value := range got.Extra {
				rest = append(rest, name+"="+string(value))
			}
			assert.Equal(t, row.rest, strings.Join(rest, " "), row.why)
			_, err := wire.Marshal(got)
			assert.NoError(t, err, "what was read can be written")
		}
	}
}

// An attacker's answer is as deep as memory is wide.
func TestDepthHasALimit(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{100, 499, 501, 9_000, 11_000, 1 << 20} {
		for _, body := range []string{
			strings.Repeat(`{"inner":`, depth) + "{}" + strings.Repeat("}", depth),
			`{"x":` + strings.Repeat(`[`, depth) + strings.Repeat("]", depth) + `}`,
		} {
			planned, plain := new(keeping), new(keeping)
			err, want := wire.UnmarshalLenient([]byte(body), planned), wire.UnmarshalByLibrary([]byte(body), plain, true)
			assert.Equal(t, want == nil, err == nil, depth)
			assert.Equal(t, depth < 9_999, err == nil, depth)
		}
	}
}
