package salesiqtest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// lockedStore is a TokenLocker that keeps all promises but one.
type lockedStore struct {
	flaw string        // Empty for none.
	lock chan struct{} // Holds something while somebody has the lock.

	mu    sync.Mutex // Guards what follows.
	saved []byte
	owner int
}

func newLockedStore(flaw string) *lockedStore {
	return &lockedStore{flaw: flaw, lock: make(chan struct{}, 1)}
}

func (s *lockedStore) Load(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.flaw == "fails to load":
		return nil, errors.New("the disk is away")
	case s.flaw == "has something from the start" && s.saved == nil:
		return []byte("x"), nil
	case s.flaw == "gives its own slice away":
		return s.saved, nil
	}
	return bytes.Clone(s.saved), nil
}

func (s *lockedStore) Save(_ context.Context, sealed []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flaw {
	case "fails to save":
		return errors.New("the disk is full")
	case "forgets":
		return nil
	case "cuts":
		sealed = sealed[:min(len(sealed), 4000)]
	case "keeps the caller's slice":
		s.saved = sealed
		return nil
	case "tears":
		s.saved = bytes.Clone(sealed[:len(sealed)/2])
		s.mu.Unlock()
		time.Sleep(time.Duration(len(sealed)) * time.Microsecond)
		s.mu.Lock()
	}
	s.saved = bytes.Clone(sealed)
	return nil
}

func (s *lockedStore) Lock(ctx context.Context) (salesiq.TokenStore, func(), error) {
	switch s.flaw {
	case "fails to lock":
		return nil, nil, errors.New("there are no locks")
	case "locks nobody out":
		return s, func() {}, nil
	}
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner++
	return &heldStore{s, s.owner}, func() { <-s.lock }, nil
}

// heldStore is a store in the hands of who has its lock.
type heldStore struct {
	*lockedStore

	owner int
}

func (s *heldStore) Save(ctx context.Context, sealed []byte) error {
	s.mu.Lock()
	late := s.owner != s.lockedStore.owner
	s.mu.Unlock()
	if late && s.flaw != "saves late" {
		return errors.New("another one has the lock")
	}
	return s.lockedStore.Save(ctx, sealed)
}

// flawVariable names the flaw of the store that [TestATokenStoreWithAFlaw] tests.
const flawVariable = "SALESIQTEST_FLAW"

func TestATokenStoreWithAFlaw(t *testing.T) {
	flaw, ok := os.LookupEnv(flawVariable)
	if !ok {
		t.Skip("it is run by another test")
	}
	salesiqtest.TestTokenStore(t, func(*testing.T) salesiq.TokenStore {
		if flaw == "has no lock" {
			return struct{ salesiq.TokenStore }{newLockedStore("")}
		}
		return newLockedStore(flaw)
	})
}

func TestEachFlawOfATokenStoreIsFound(t *testing.T) {
	t.Parallel()
	const (
		empty, bytewise, copies = "an_empty_store_has_nothing_and_no_error", "what_was_saved_last_is_loaded,_byte_by_byte", "the_caller_may_reuse_its_slices"
		many, sealed, shared    = "many_save_and_load_whole_tokens", "a_token_is_sealed", "clients_that_share_it_request_one_token"
		one, leave, lost        = "one_holds_the_lock", "who_waits_for_the_lock_can_leave", "who_has_given_the_lock_back_stores_nothing_over_the_next_one"
	)
	result := regexp.MustCompile(`(?m)^    --- (FAIL|SKIP): TestATokenStoreWithAFlaw/(\S+)`)
	for flaw, want := range map[string][]string{
		"":                             nil,
		"has no lock":                  {"SKIP " + one, "SKIP " + leave, "SKIP " + lost},
		"fails to load":                {empty, bytewise, copies, many, sealed, one, lost},
		"fails to save":                {bytewise, copies, many, sealed, one, lost},
		"has something from the start": {empty},
		"gives its own slice away":     {copies},
		"keeps the caller's slice":     {copies},
		"forgets":                      {bytewise, copies, many, sealed, shared, one, lost},
		"cuts":                         {bytewise},
		"tears":                        {many},
		"fails to lock":                {one, leave, lost},
		"locks nobody out":             {one, leave, lost},
		"saves late":                   {lost},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestATokenStoreWithAFlaw$", "-test.v")
		command.Env = append(os.Environ(), flawVariable+"="+flaw)
		said, err := command.CombinedOutput()
		var got []string
		for _, match := range result.FindAllStringSubmatch(string(said), -1) {
			got = append(got, strings.TrimPrefix(match[1]+" "+match[2], "FAIL "))
		}
		if flaw == "" || flaw == "has no lock" {
			assert.Equal(t, want, got, "%s: %s", flaw, said)
			assert.NoError(t, err, flaw)
			continue
		}
		assert.Subset(t, got, want, "%s: %s", flaw, said)
		assert.Error(t, err, flaw)
	}
}
