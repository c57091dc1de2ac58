package salesiqtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

const liveRoot = "/api/v2/nordlicht"

// A conversation is missed, or attended and ended, and tells when.
func TestLiveConversationTellsWhatBecameOfItAndWhen(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	const visitor = "visitor123"
	type times struct {
		Start    string `json:"start_time"`
		Attended string `json:"attended_time"`
		Missed   string `json:"missed_time"`
		End      string `json:"end_time"`
	}
	read := func(chatID string) times {
		return into[times](t, get(t, s, liveRoot+"/conversations/"+chatID))
	}

	missed, err := s.StartChat(visitor, "Is anybody there?")
	require.NoError(t, err)
	waiting := read(missed.ID)
	assert.NotEmpty(t, waiting.Start)
	assert.Equal(t, times{Start: waiting.Start}, waiting, "it waits")
	require.NoError(t, s.MissChat(missed.ID))
	over := read(missed.ID)
	assert.NotEmpty(t, over.Missed)
	assert.Equal(t, times{Start: waiting.Start, Missed: over.Missed, End: over.Missed}, over)

	require.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "PUT", liveRoot+"/conversations/chat123/close", "").status)
	ended := read("chat123")
	assert.NotEmpty(t, ended.Attended)
	assert.NotEmpty(t, ended.End)
	assert.Empty(t, ended.Missed, "somebody was there")
}

// liveHook is what a test reads of a webhook.
type liveHook struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	URL     string   `json:"url"`
	Events  []string `json:"events"`
	AppIDs  []string `json:"app_ids"`
	Secured bool     `json:"secured"`
	Expiry  string   `json:"expiry_time_for_executions_data"`
	Keys    []struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	} `json:"public_keys"`
}

// newLiveHook creates a webhook with the given members beside its type, URL and
// events.
func newLiveHook(t *testing.T, s *salesiqtest.Server, address, members string) liveHook {
	t.Helper()
	body := `{"type":"data","url":"` + address + `","events":["conversation.created"]` + members + `}`
	a := do(t, s, s.AccessToken(), "POST", liveRoot+"/webhooks", body)
	require.Equal(t, http.StatusOK, a.status, a.body)
	return into[liveHook](t, a)
}

func newReceiver(t *testing.T) string {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	return receiver.URL
}

func TestLiveWebhookIsWhatTheLastChangeMadeIt(t *testing.T) {
	t.Parallel()
	s, address := salesiqtest.Start(t, salesiqtest.Live()), newReceiver(t)
	hook := newLiveHook(t, s, address, "")
	plain := liveHook{
		ID: hook.ID, Type: "data", URL: address, Events: []string{"conversation.created"}, AppIDs: []string{}, Expiry: "5184000000",
	}
	plain.Keys = hook.Keys
	assert.Equal(t, plain, hook)
	assert.Empty(t, hook.Keys)

	path := liveRoot + "/webhooks/" + hook.ID
	change := `{"app_ids":["brand123"],"secured":"true","expiry_time_for_executions_data":"604800000"}`
	require.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "PUT", path, change).status)
	changed := into[liveHook](t, get(t, s, path))
	assert.Equal(t, "data", changed.Type, "what is not mentioned stays")
	assert.Equal(t, []string{"brand123"}, changed.AppIDs)
	assert.Equal(t, "604800000", changed.Expiry)
	assert.True(t, changed.Secured)
	assert.Len(t, changed.Keys, 1, "there is a key to verify with")

	require.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "PUT", path, `{"secured":"false"}`).status)
	unsecured := into[liveHook](t, get(t, s, path))
	changed.Secured = false
	assert.Equal(t, changed, unsecured, "the key stays")
	require.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "PUT", path, `{"secured":"true"}`).status)
	assert.Equal(t, changed.Keys, into[liveHook](t, get(t, s, path)).Keys, "and is used again")
}

func TestLiveWebhookHasAtMostTwoKeys(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	hook := newLiveHook(t, s, newReceiver(t), `,"secured":"true"`)
	path := liveRoot + "/webhooks/" + hook.ID
	require.Len(t, hook.Keys, 1)
	second := do(t, s, s.AccessToken(), "POST", path+"/keys", "")
	require.Equal(t, http.StatusOK, second.status, second.body)
	keys := into[liveHook](t, get(t, s, path)).Keys
	require.Len(t, keys, 2)
	assert.Equal(t, hook.Keys[0], keys[0])
	assert.NotEqual(t, keys[0].ID, keys[1].ID)
	assert.NotEqual(t, keys[0].Key, keys[1].Key)

	third := do(t, s, s.AccessToken(), "POST", path+"/keys", "")
	assert.Contains(t, third.body, `"json_key":"keys"`)
	assert.Equal(t, keys, into[liveHook](t, get(t, s, path)).Keys)
	require.Less(t, do(t, s, s.AccessToken(), "DELETE", path+"/keys/"+keys[0].ID, "").status, 300)
	assert.Equal(t, keys[1:], into[liveHook](t, get(t, s, path)).Keys)
	third = do(t, s, s.AccessToken(), "POST", path+"/keys", "")
	assert.Contains(t, third.body, `"object":"webhook"`, "there is room again")
}

func TestAnEventIsRetriedNinetyNineTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusTeapot)
			}
		})
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory(), salesiqtest.WithWebhookTransport(handlerTransport{refusing}))
		hook := newLiveHook(t, s, "https://receiver.example/hook", "")
		_, err := s.StartChat("visitor123", "Hello")
		require.NoError(t, err)
		path := liveRoot + "/webhooks/" + hook.ID + "/executions"
		for tries := range 100 {
			require.NoError(t, s.Settle(t.Context()))
			failed := into[[]struct {
				ID string `json:"id"`
			}](t, get(t, s, path))
			require.Len(t, failed, 1)
			a := do(t, s, s.AccessToken(), http.MethodPost, path, `{"ids":["`+failed[0].ID+`"]}`)
			if tries < 99 {
				require.Contains(t, a.body, `"skipped":[]`, tries)
				continue
			}
			assert.Contains(t, a.body, `"skipped":["`+failed[0].ID+`"]`)
		}
	})
}

func TestFaultsOfEitherEndOfTheProbabilitiesAreTaken(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 503, Probability: 1, Path: "/api/v2/brands"}))
	for range 20 {
		assert.Equal(t, http.StatusServiceUnavailable, get(t, s, "/api/v2/brands").status)
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/operators").status)
	}
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 502, Probability: 0}))
	assert.Equal(t, http.StatusBadGateway, get(t, s, "/api/v2/operators").status, "none given means always")
}
