package seal_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/seal"
)

var (
	today     = bytes.Repeat([]byte("t"), seal.KeySize)
	yesterday = bytes.Repeat([]byte("y"), seal.KeySize)
)

func codec(t *testing.T, key []byte, older ...[]byte) *seal.Codec {
	t.Helper()
	c, err := seal.New(key, older...)
	require.NoError(t, err)
	return c
}

func TestWhatIsSealedOpensWithItsKeyAlone(t *testing.T) {
	t.Parallel()
	for _, plain := range []string{"", "x", strings.Repeat("token", 1000)} {
		sealed := codec(t, yesterday).Seal([]byte(plain))
		for name, c := range map[string]*seal.Codec{"its key": codec(t, yesterday), "an older key": codec(t, today, yesterday)} {
			opened, err := c.Open(sealed)
			require.NoError(t, err, name)
			assert.Equal(t, plain, string(opened))
		}
		_, err := codec(t, today).Open(sealed)
		require.ErrorIs(t, err, seal.ErrKey)
	}
}

func TestNoTwoSealsAreAlike(t *testing.T) {
	t.Parallel()
	c := codec(t, today)
	one, other := c.Seal([]byte("x")), c.Seal([]byte("x"))
	assert.NotEqual(t, one, other)
}

// A column of text, a file with a newline at its end and a JSON string keep it.
func TestWhatIsSealedIsPrintableText(t *testing.T) {
	t.Parallel()
	c := codec(t, today)
	sealed := c.Seal([]byte{0, 1, 2, 0xff})
	assert.NotContains(t, strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '!'
		}
		return '.'
	}, string(sealed)), "!")
	opened, err := c.Open(append(sealed, '\n'))
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 1, 2, 0xff}, opened)
}

func TestWhatWasChangedDoesNotOpen(t *testing.T) {
	t.Parallel()
	c := codec(t, today)
	sealed := c.Seal([]byte("plain"))
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := c.Open(changed)
		require.Error(t, err, "byte %d", i)
	}
	for length := range sealed {
		_, err := c.Open(sealed[:length])
		require.Error(t, err, "cut after %d bytes", length)
	}
	for _, tail := range []string{"!", "=", "AAAA", "\x00", ":"} {
		_, err := c.Open(append(bytes.Clone(sealed), tail...))
		require.ErrorIs(t, err, seal.ErrKey, "with %q after it", tail)
	}
	for _, other := range []string{"", "[redacted]", `{"access_token":"x"}`, "salesiq sealed 2:" + string(sealed[17:])} {
		_, err := c.Open([]byte(other))
		require.ErrorIs(t, err, seal.ErrFormat, other)
	}
}

// The file was written by the version before this format.
func TestTokenFileOfTheFirstVersionOpens(t *testing.T) {
	t.Parallel()
	sealed, err := os.ReadFile("testdata/token-file-1")
	require.NoError(t, err)
	for _, c := range []*seal.Codec{codec(t, yesterday), codec(t, today, yesterday)} {
		plain, err := c.Open(sealed)
		require.NoError(t, err)
		assert.Contains(t, string(plain), `"refresh_token":"refresh-text"`)
	}
	_, err = codec(t, today).Open(sealed)
	require.ErrorIs(t, err, seal.ErrKey)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := codec(t, yesterday).Open(changed)
		require.Error(t, err, "byte %d", i)
		_, err = codec(t, yesterday).Open(sealed[:i])
		require.Error(t, err, "cut after %d bytes", i)
	}
}

func TestKeyOfAnotherSizeIsRefused(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 16, 24, 31, 33} {
		_, err := seal.New(make([]byte, size))
		require.ErrorContains(t, err, "must be 32 bytes")
		_, err = seal.New(today, make([]byte, size))
		require.ErrorContains(t, err, "must be 32 bytes")
	}
}
