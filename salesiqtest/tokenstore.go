package salesiqtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
)

// TestTokenStore tests a [salesiq.TokenStore], such as one of your own, against
// what the interface promises, and, if it is one, a [salesiq.TokenLocker]. Each
// call of open returns an empty store.
func TestTokenStore(t *testing.T, open func(t *testing.T) salesiq.TokenStore) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, salesiq.TokenStore)
	}{
		{"an empty store has nothing and no error", storeIsEmpty},
		{"what was saved last is loaded, byte by byte", storeKeepsBytes},
		{"the caller may reuse its slices", storeCopies},
		{"many save and load whole tokens", storeIsForMany},
		{"a token is sealed", storeSeals},
		{"clients that share it request one token", storeIsShared},
		{"one holds the lock", lockIsHeldByOne},
		{"who waits for the lock can leave", lockWaitEnds},
		{"who has given the lock back stores nothing over the next one", lockIsLost},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// storePatience is how long a test of a store waits for what must happen.
const storePatience = 10 * time.Second

func wantLoaded(t *testing.T, store salesiq.TokenStore, want string) {
	t.Helper()
	got, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if string(got) != want {
		t.Errorf("Load returned %q, not %q", got, want)
	}
}

func mustSave(t *testing.T, store salesiq.TokenStore, sealed string) {
	t.Helper()
	if err := store.Save(t.Context(), []byte(sealed)); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

// printable returns as many bytes of printable ASCII, all of them among those.
func printable(n int) string {
	var all strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		all.WriteByte(c)
	}
	return strings.Repeat(all.String(), n/all.Len()+1)[:n]
}

func storeIsEmpty(t *testing.T, store salesiq.TokenStore) { wantLoaded(t, store, "") }

func storeKeepsBytes(t *testing.T, store salesiq.TokenStore) {
	for _, sealed := range []string{"salesiq sealed 1:AAAA==", printable(4095), "x", printable(100), "same", "same"} {
		mustSave(t, store, sealed)
		wantLoaded(t, store, sealed)
		wantLoaded(t, store, sealed)
	}
}

func storeCopies(t *testing.T, store salesiq.TokenStore) {
	sealed := []byte("before")
	if err := store.Save(t.Context(), sealed); err != nil {
		t.Fatalf("Save: %v", err)
	}
	copy(sealed, "after!")
	wantLoaded(t, store, "before")
	loaded, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	copy(loaded, "after!")
	wantLoaded(t, store, "before")
}

func storeIsForMany(t *testing.T, store salesiq.TokenStore) {
	tokens := []string{strings.Repeat("a", 1000), strings.Repeat("b", 2000), strings.Repeat("c", 3000)}
	mustSave(t, store, tokens[0])
	var saving, loading sync.WaitGroup
	for _, token := range tokens {
		saving.Go(func() {
			for range 20 {
				if err := store.Save(t.Context(), []byte(token)); err != nil {
					t.Errorf("Save: %v", err)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	loading.Go(func() {
		for last := false; !last; {
			last = ctx.Err() != nil // It loads once more then, also if it begins late.
			if got, err := store.Load(t.Context()); err != nil || !slices.Contains(tokens, string(got)) {
				t.Errorf("Load returned %d bytes that nobody has saved, or an error: %v", len(got), err)
				return
			}
		}
	})
	saving.Wait()
	cancel()
	loading.Wait()
}

// storeKey seals the tokens of tests.
var storeKey = bytes.Repeat([]byte("k"), 32)

func storeSeals(t *testing.T, store salesiq.TokenStore) {
	vault := salesiq.SealTokens(store, storeKey)
	want := salesiq.Token{AccessToken: salesiq.NewSecret("open-sesame"), Expiry: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)}
	if err := vault.Save(t.Context(), want); err != nil {
		t.Fatalf("Save: %v", err)
	}
	got, err := vault.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if got.AccessToken.Reveal() != want.AccessToken.Reveal() || !got.Expiry.Equal(want.Expiry) {
		t.Error("the token that was loaded is not the one that was saved")
	}
	sealed, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if bytes.Contains(sealed, []byte("sesame")) {
		t.Error("the store has the token in plain text")
	}
}

// storeIsShared has two clients call at once if the store has a lock, and one
// after the other if it has none.
func storeIsShared(t *testing.T, store salesiq.TokenStore) {
	server := Start(t)
	var clients []*salesiq.Client
	for range 2 {
		client, err := salesiq.NewClient(salesiq.RefreshToken(server.Credentials(), salesiq.SealTokens(store, storeKey)), server.Options()...)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, client)
	}
	_, locks := store.(salesiq.TokenLocker)
	var running sync.WaitGroup
	for _, client := range clients {
		running.Go(func() {
			if _, err := client.Chats.Get(t.Context(), "chat123"); err != nil {
				t.Error(err)
			}
		})
		if !locks {
			running.Wait()
		}
	}
	running.Wait()
	if n := server.Stats().TokenRequests; n != 1 {
		t.Errorf("two clients requested %d tokens, not one", n)
	}
}

// locker returns a store as one with a lock, and skips the test if it has none.
func locker(t *testing.T, store salesiq.TokenStore) salesiq.TokenLocker {
	t.Helper()
	locker, ok := store.(salesiq.TokenLocker)
	if !ok {
		t.Skipf("%T is no salesiq.TokenLocker", store)
	}
	return locker
}

func mustLock(t *testing.T, store salesiq.TokenLocker) (locked salesiq.TokenStore, unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), storePatience)
	defer cancel()
	locked, unlock, err := store.Lock(ctx)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return locked, unlock
}

func lockIsHeldByOne(t *testing.T, store salesiq.TokenStore) {
	shared := locker(t, store)
	var mu sync.Mutex
	var now, most int
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		now += n
		most = max(most, now)
	}
	var running sync.WaitGroup
	for n := range 5 {
		running.Go(func() {
			locked, unlock, err := shared.Lock(t.Context())
			if err != nil {
				t.Errorf("Lock: %v", err)
				return
			}
			defer unlock()
			count(1)
			defer count(-1)
			if err := locked.Save(t.Context(), fmt.Append(nil, "token", n)); err != nil {
				t.Errorf("Save with the lock: %v", err)
			}
			<-time.After(10 * time.Millisecond)
			if got, err := locked.Load(t.Context()); err != nil || string(got) != fmt.Sprint("token", n) {
				t.Errorf("Load with the lock returned %q, and the error %v", got, err)
			}
		})
	}
	running.Wait()
	if most != 1 {
		t.Errorf("%d had the lock at once", most)
	}
}

func lockWaitEnds(t *testing.T, store salesiq.TokenStore) {
	shared := locker(t, store)
	_, unlock := mustLock(t, shared)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := shared.Lock(ctx); err == nil {
		t.Error("two have the lock")
	}
	unlock()
	_, unlock = mustLock(t, shared)
	unlock()
}

func lockIsLost(t *testing.T, store salesiq.TokenStore) {
	shared := locker(t, store)
	late, unlock := mustLock(t, shared)
	unlock()
	next, unlock := mustLock(t, shared)
	if err := late.Save(t.Context(), []byte("late")); err == nil {
		t.Error("who has given the lock back saves while another one has it")
	}
	mustSave(t, next, "next")
	unlock()
	wantLoaded(t, shared, "next")
}
