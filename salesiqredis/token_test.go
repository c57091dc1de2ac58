package salesiqredis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

var (
	firstKey  = bytes.Repeat([]byte{1}, 32)
	secondKey = bytes.Repeat([]byte{2}, 32)
)

// heldLock is a store for the time of a lock.
type heldLock struct {
	salesiq.TokenStore

	Unlock func()
}

func lock(t *testing.T, store salesiq.TokenLocker) heldLock {
	t.Helper()
	locked, unlock, err := store.Lock(t.Context())
	require.NoError(t, err)
	return heldLock{locked, unlock}
}

var someToken = salesiq.Token{
	AccessToken: salesiq.NewSecret("open-sesame"), RefreshToken: salesiq.NewSecret("come-again"), Expiry: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
	APIDomain: "https://api.example", AccountsURL: "https://accounts.example", Grant: "fingerprint",
}

func TestTokenIsKeptWholeAndSealed(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here := salesiq.SealTokens(join(t, dial(t, server)).TokenStore(), firstKey)
	there := salesiq.SealTokens(join(t, dial(t, server)).TokenStore(), firstKey)
	token, err := there.Load(t.Context())
	require.NoError(t, err)
	assert.Zero(t, token, "there is none yet")
	require.NoError(t, here.Save(t.Context(), someToken))
	token, err = there.Load(t.Context())
	require.NoError(t, err)
	assert.True(t, token.Expiry.Equal(someToken.Expiry))
	token.Expiry = someToken.Expiry
	assert.Equal(t, someToken, token)
	assert.Equal(t, "open-sesame come-again", token.AccessToken.Reveal()+" "+token.RefreshToken.Reveal())
	stored, err := server.Get("salesiq:{acme}:token")
	require.NoError(t, err)
	for _, secret := range []string{"open-sesame", "come-again", "access_token"} {
		assert.NotContains(t, stored, secret)
	}
}

func TestOneProcessHoldsTheLock(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var holders, most int
	var mu sync.Mutex
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		holders += n
		most = max(most, holders)
	}
	var processes sync.WaitGroup
	for range 4 {
		store := join(t, dial(t, server)).TokenStore()
		processes.Go(func() {
			_, unlock, err := store.Lock(t.Context())
			if !assert.NoError(t, err) {
				return
			}
			count(1)
			time.Sleep(20 * time.Millisecond)
			count(-1)
			unlock()
		})
	}
	processes.Wait()
	assert.Equal(t, 1, most)
}

// What the holder of a lock that has ended brings is older than what the next
// one has stored, or will store.
func TestLostLockStoresNothing(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	short := WithTokenLock(50 * time.Millisecond)
	late := lock(t, join(t, dial(t, server), short).TokenStore())
	server.FastForward(time.Second)
	store := join(t, dial(t, server), short).TokenStore()
	next := lock(t, store)
	require.ErrorIs(t, late.Save(t.Context(), []byte("late")), ErrLockLost)
	late.Unlock() // It is not the late one's any more.
	assert.True(t, server.Exists("salesiq:{acme}:token-lock"))
	require.NoError(t, next.Save(t.Context(), []byte("next")))
	next.Unlock()
	assert.False(t, server.Exists("salesiq:{acme}:token-lock"))
	require.ErrorIs(t, late.Save(t.Context(), []byte("late")), ErrLockLost, "not even now")
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "next", string(token))
}

func TestLockThatRedisForgotStoresNothingOnceThereIsAnother(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	store := o.TokenStore()
	late := lock(t, store)
	server.FlushAll()
	next := lock(t, store)
	require.NoError(t, next.Save(t.Context(), []byte("next")))
	require.ErrorIs(t, late.Save(t.Context(), []byte("late")), ErrLockLost)
	next.Unlock()
	server.FlushAll()
	require.NoError(t, next.Save(t.Context(), []byte("next")), "nothing newer is known of")
}

// Such as that of someone who has just signed in anew.
func TestTokenStoredWithoutTheLockIsNewerThanTheHolders(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	store := o.TokenStore()
	holder := lock(t, store)
	require.NoError(t, store.Save(t.Context(), []byte("anew")))
	require.ErrorIs(t, holder.Save(t.Context(), []byte("old")), ErrLockLost)
	holder.Unlock()
	require.NoError(t, lock(t, store).Save(t.Context(), []byte("anew")), "the next one may")
}

func TestLockThatCameTooLateIsGivenUp(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	store := join(t, w, WithTimeout(500*time.Millisecond), WithTokenJitter(0)).TokenStore()
	w.delay.Store(int64(time.Second))
	_, _, err := store.Lock(t.Context())
	require.ErrorIs(t, err, ErrAway)
	assert.Eventually(t, func() bool { return w.trips.Load() == 2 && !server.Exists("salesiq:{acme}:token-lock") }, patience, time.Millisecond)
}

func TestLockOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	lock(t, join(t, dial(t, server)).TokenStore())
	server.FastForward(11 * time.Second)
	lock(t, join(t, dial(t, server)).TokenStore())
}

// A client whose Redis is away gets its token from the service, and works.
func TestClientStartsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	o, server := solo(t, WithTokenJitter(time.Millisecond))
	server.Close()
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(emulator.Credentials(), salesiq.SealTokens(o.TokenStore(), firstKey)),
		append(emulator.Options(), salesiq.WithLimiter(o.Limiter()))...)
	require.NoError(t, err)
	for range 3 {
		_, err = client.Chats.List(t.Context(), nil)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, emulator.Stats().TokenRequests)
}

func TestTokenAwayPolicyRefuses(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithTokenAway(Refuse))
	server.Close()
	_, err := o.TokenStore().Load(t.Context())
	assert.ErrorIs(t, err, ErrAway)
}

func TestProcessesThatRenewAloneDoNotDoSoAtOnce(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithTokenJitter(200*time.Millisecond))
	server.Close()
	store := o.TokenStore()
	var longest time.Duration
	for range 8 {
		began := time.Now()
		_, _, err := store.Lock(t.Context())
		require.ErrorIs(t, err, ErrAway)
		longest = max(longest, time.Since(began))
	}
	assert.Greater(t, longest, 20*time.Millisecond)
}

func TestKeysCanBeReplaced(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	o := join(t, dial(t, server))
	store := o.TokenStore()
	before, between, after := salesiq.SealTokens(store, firstKey), salesiq.SealTokens(store, secondKey, firstKey), salesiq.SealTokens(store, secondKey)
	require.NoError(t, before.Save(t.Context(), someToken))
	_, err := after.Load(t.Context())
	require.ErrorContains(t, err, "does not open with this key")
	token, err := between.Load(t.Context())
	require.NoError(t, err)
	require.NoError(t, between.Save(t.Context(), token))
	_, err = after.Load(t.Context())
	require.NoError(t, err)
	_, err = before.Load(t.Context())
	require.ErrorContains(t, err, "does not open with this key")
}

func TestNothingShowsSecrets(t *testing.T) {
	t.Parallel()
	key := []byte("key-key-key-key-key-key-key-key-")
	o, _ := solo(t)
	store := o.TokenStore()
	vault := salesiq.SealTokens(store, key)
	require.NoError(t, vault.Save(t.Context(), someToken))
	locked := lock(t, store)
	defer locked.Unlock()
	for _, value := range []any{vault, o, store, locked, o.Limiter(), o.DedupStore(), sinkOf(t, o)} {
		text := fmt.Sprintf("%v %+v %#v %s", value, value, value, value)
		encoded, err := json.Marshal(value)
		if err == nil {
			text += string(encoded)
		}
		for _, secret := range []string{"key-key", fmt.Sprintf("%d", key)[1:20], "open-sesame", "come-again"} {
			assert.NotContains(t, text, secret, "%T", value)
		}
	}
}
