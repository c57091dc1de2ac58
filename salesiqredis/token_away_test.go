package salesiqredis

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestRedisThatIsAwayIsNotTakenForOneWithoutAToken(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	require.NoError(t, o.TokenStore().Save(t.Context(), []byte("sealed")))
	server.Close()
	sealed, err := o.TokenStore().Load(t.Context())
	require.ErrorIs(t, err, ErrAway)
	assert.Empty(t, sealed)
}

// Its refresh token is in Redis alone, which may come back at any time.
func TestClientWhoseRefreshTokenIsInRedisComesBackWithIt(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	server := miniredis.RunT(t)
	vault := func() *salesiq.TokenVault {
		return salesiq.SealTokens(join(t, dial(t, server), WithTokenJitter(time.Millisecond)).TokenStore(), firstKey)
	}
	whole := emulator.Credentials()
	require.NoError(t, vault().Save(t.Context(), salesiq.Token{RefreshToken: whole.RefreshToken}))
	server.SetError("LOADING Redis is loading the dataset in memory")
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(salesiq.Credentials{ClientID: whole.ClientID, ClientSecret: whole.ClientSecret}, vault()), emulator.Options()...)
	require.NoError(t, err)
	_, err = client.Chats.List(t.Context(), nil)
	var failed *salesiq.AuthError
	require.ErrorAs(t, err, &failed)
	assert.False(t, failed.Permanent, err)
	require.ErrorIs(t, err, ErrAway)
	assert.Zero(t, emulator.Stats().TokenRequests)
	server.SetError("")
	assert.Eventually(t, func() bool {
		_, err := client.Chats.List(t.Context(), nil)
		return err == nil
	}, patience, 100*time.Millisecond)
}
