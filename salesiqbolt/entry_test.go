package salesiqbolt

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEntryIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 5, 9, 41, 7, 250, time.UTC).Local()
	for name, entry := range map[string]Entry{
		"all":      {EventID: "an id", Body: []byte("{}"), At: at, Due: at.Add(time.Hour), Tries: 7, LastError: "away", Trace: "00-1-2-01", number: 3, cuts: 2},
		"fresh":    {EventID: "an id", Body: []byte("{}"), At: at, number: 1},
		"the most": {Body: []byte{}, At: at, Tries: 1<<24 - 1, cuts: 10, number: math.MaxUint64 - 1},
	} {
		again, err := decodeEntry(key(entry.number), entry.encode())
		require.NoError(t, err, name)
		assert.Equal(t, entry, again, name)
	}
	again, err := decodeEntry(key(1), Entry{Tries: 1 << 24, cuts: 11}.encode())
	require.NoError(t, err)
	assert.Equal(t, []int{1<<24 - 1, 10}, []int{again.Tries, again.cuts}, "one that does not fit changes no other")
}

func TestWhatIsCutIsNoEntryAndNoRecord(t *testing.T) {
	t.Parallel()
	whole := Entry{EventID: "id", LastError: "away", Trace: "trace"}.encode()
	for n := range whole {
		_, err := decodeEntry(key(1), whole[:n])
		require.ErrorIs(t, err, ErrDamaged, n)
	}
	_, err := decodeEntry(key(1), whole)
	require.NoError(t, err, "a body is not looked at")
	_, err = decodeEntry(key(math.MaxUint64), whole)
	require.ErrorIs(t, err, ErrDamaged, "nothing would come after it")

	written := record{key: 5, at: 7, events: []fingerprint{fingerprintOf("a"), fingerprintOf("b")}}
	again, err := decodeRecord(key(5), written.encode())
	require.NoError(t, err)
	assert.Equal(t, written, again)
	_, err = decodeRecord(key(5), written.encode()[:8])
	require.NoError(t, err, "it is of no events")
	_, err = decodeRecord(key(5), written.encode()[:7])
	require.ErrorIs(t, err, ErrDamaged)
	for _, k := range [][]byte{key(1)[:7], append(key(1), 0)} {
		_, err = decodeEntry(k, whole)
		require.ErrorIs(t, err, ErrDamaged)
		_, err = decodeRecord(k, written.encode())
		require.ErrorIs(t, err, ErrDamaged)
	}
}

func TestLongErrorIsCutAndLongTraceIsDropped(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000)
	assert.Equal(t, text, shorten(errors.New(text)))
	assert.Equal(t, text+"…", shorten(errors.New(text+"y")))
	assert.Equal(t, "away", shorten(errors.New("aw\xffay")))
	assert.Equal(t, text, shortTrace(text))
	assert.Empty(t, shortTrace(text+"y"))
}
