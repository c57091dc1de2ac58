package salesiqbolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestTokenStoreKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	salesiqtest.TestTokenStore(t, func(t *testing.T) salesiq.TokenStore { return openNew(t).TokenStore() })
}

var someToken = salesiq.Token{
	AccessToken: salesiq.NewSecret("open-sesame"), RefreshToken: salesiq.NewSecret("come-again"), Expiry: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
}

func TestTokenIsKeptSealedOverARestart(t *testing.T) {
	t.Parallel()
	path, key := newPath(t), bytes.Repeat([]byte{1}, 32)
	f := openAt(t, path)
	require.NoError(t, salesiq.SealTokens(f.TokenStore(), key).Save(t.Context(), someToken))
	require.NoError(t, f.Close())
	token, err := salesiq.SealTokens(openAt(t, path).TokenStore(), key).Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "open-sesame come-again", token.AccessToken.Reveal()+" "+token.RefreshToken.Reveal())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, secret := range []string{"open-sesame", "come-again", "access_token"} {
		assert.NotContains(t, string(content), secret)
	}
}

func TestNothingShowsSecrets(t *testing.T) {
	t.Parallel()
	key := []byte("key-key-key-key-key-key-key-key-")
	f := openNew(t)
	vault := salesiq.SealTokens(f.TokenStore(), key)
	require.NoError(t, vault.Save(t.Context(), someToken))
	for _, value := range []any{vault, f, f.TokenStore(), f.DedupStore(), inboxOf(t, f)} {
		text := fmt.Sprintf("%v %+v %#v %s", value, value, value, value)
		if encoded, err := json.Marshal(value); err == nil {
			text += string(encoded)
		}
		for _, secret := range []string{"key-key", fmt.Sprintf("%d", key)[1:20], "open-sesame", "come-again"} {
			assert.NotContains(t, text, secret, "%T", value)
		}
	}
}

func TestOneRenewsTheTokenAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := openAt(t, newPath(t))
		_, unlock, err := f.TokenStore().Lock(t.Context())
		require.NoError(t, err)
		late := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, _, err := f.TokenStore().Lock(ctx)
			return err
		}
		require.ErrorIs(t, late(), context.DeadlineExceeded)
		unlock()
		locked, _, err := f.TokenStore().Lock(t.Context())
		require.NoError(t, err)
		unlock()
		require.ErrorIs(t, late(), context.DeadlineExceeded, "the lock is given back once")
		require.NoError(t, locked.Save(t.Context(), []byte("sealed")))
		require.NoError(t, f.Close())
	})
}
