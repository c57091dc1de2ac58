package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// optional and secret stand for the root package's types.
type optional struct{ value any }

func (o optional) Any() any                     { return o.value }
func (o optional) MarshalJSON() ([]byte, error) { return wire.MarshalPublic(o.value) }

type secret string

func (s secret) Reveal() string               { return string(s) }
func (s secret) MarshalText() ([]byte, error) { return []byte("hidden"), nil }

func TestTimesAreWrittenAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC), "2026-02-03T08:00:00.000Z"},
		{time.Date(2026, 2, 3, 8, 0, 0, 120e6, time.UTC), "2026-02-03T08:00:00.120Z"},
		{time.Date(2026, 2, 3, 1, 30, 0, 0, time.FixedZone("", -23400)), "2026-02-03T08:00:00.000Z"},
		{time.Date(2026, 2, 3, 8, 0, 0, 120456789, time.UTC), "2026-02-03T08:00:00.120456789Z"},
	} {
		assert.Equal(t, row.want, wire.FormatTime(row.at))
		again, err := time.Parse(time.RFC3339, row.want)
		require.NoError(t, err)
		assert.True(t, row.at.Equal(again), "nothing is lost")
	}
}

func TestSecretsLeaveInRequestsOnly(t *testing.T) {
	t.Parallel()
	content := struct {
		Plain   secret            `json:"plain"`
		Within  optional          `json:"within"`
		List    []secret          `json:"list"`
		Any     any               `json:"any"`
		Map     map[string]secret `json:"map"`
		Nothing optional          `json:"nothing"`
	}{"a", optional{secret("b")}, []secret{"c"}, secret("d"), map[string]secret{"k": "e"}, optional{}}

	sent, err := wire.Marshal(content)
	require.NoError(t, err)
	assert.JSONEq(t, `{"plain":"a","within":"b","list":["c"],"any":"d","map":{"k":"e"},"nothing":null}`, string(sent))

	public, err := wire.MarshalPublic(content)
	require.NoError(t, err)
	assert.JSONEq(t, `{"plain":"hidden","within":"hidden","list":["hidden"],"any":"hidden","map":{"k":"hidden"},"nothing":null}`, string(public))
}

func TestNoTimeIsNull(t *testing.T) {
	t.Parallel()
	type chat struct {
		Ended time.Time `json:"ended_at"`
	}
	text, err := wire.Marshal(chat{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"ended_at":null}`, string(text))
	again := chat{Ended: time.Now()}
	require.NoError(t, wire.Unmarshal(text, &again))
	assert.Zero(t, again.Ended)
}

func TestBodiesAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	content := map[string]any{"b": 1, "a": map[string]int{"d": 1, "c": 2}}
	for range 50 {
		data, err := wire.Marshal(content)
		require.NoError(t, err)
		assert.Equal(t, `{"a":{"c":2,"d":1},"b":1}`, string(data)) //nolint:testifylint // The order is the point.
	}
}

func TestWhatRepeatsANameCanBeWrittenOnceRead(t *testing.T) {
	t.Parallel()
	type object struct {
		Known string                     `json:"known"`
		Extra map[string]json.RawMessage `json:",embed"`
	}
	var got object
	require.NoError(t, wire.Unmarshal([]byte(
		`{"known":"a","list":[{"":1,"":{"x":[0],"x":[12345678901234567890]}}],"twice":1,"twice":2,"none":null}`), &got))
	const lastWins = `{"known":"a","list":[{"":{"x":[12345678901234567890]}}],"none":null,"twice":2}`
	for _, marshal := range []func(any) ([]byte, error){wire.Marshal, wire.MarshalPublic} {
		data, err := marshal(got)
		require.NoError(t, err)
		assert.Equal(t, lastWins, string(data)) //nolint:testifylint // Digits count.
	}

	for _, broken := range []string{`{"a":1,"a":}`, `{"a":1,"a":2`, ``} {
		_, err := wire.Marshal(json.RawMessage(broken))
		require.Error(t, err, broken)
	}
	_, err := wire.Marshal(object{Extra: map[string]json.RawMessage{"known": json.RawMessage(`1`)}})
	require.Error(t, err, "no field is written twice")
}

func TestQueriesHoldWhatIsSet(t *testing.T) {
	t.Parallel()
	type params struct {
		Text   string    `json:"text,omitzero"`
		Number int       `json:"number,omitzero"`
		Flag   bool      `json:"flag,omitzero"`
		At     time.Time `json:"at,omitzero"`
	}
	query, err := wire.Query(&params{})
	require.NoError(t, err)
	assert.Empty(t, query)

	query, err = wire.Query(&params{
		Text: "a&b=c \"d\" ü\n\u2028", Number: -7, Flag: true, At: time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC),
	})
	require.NoError(t, err)
	assert.Equal(t, url.Values{
		"text": {"a&b=c \"d\" ü\n\u2028"}, "number": {"-7"}, "flag": {"true"}, "at": {"2026-02-03T08:00:00.000Z"},
	}, query)

	_, err = wire.Query(struct{ F func() }{func() {}})
	require.Error(t, err)
}

func TestDecodingIsAsTolerantAsEncodingJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Name string `json:"name"`
		List []int  `json:"list"`
	}
	require.NoError(t, wire.Unmarshal([]byte(`{"NAME":"a","name":"half \ud83d","list":[1],"list":null,"more":{}}`), &got))
	assert.Equal(t, "half \ufffd", got.Name)
	assert.Nil(t, got.List)

	for _, broken := range []string{``, `{`, `{"name":"a"} x`, `{"name":1}`, `{"name":"a",}`} {
		require.Error(t, wire.Unmarshal([]byte(broken), &got), broken)
	}
}
