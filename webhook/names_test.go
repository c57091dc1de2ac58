package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

// A member is a field's if its name matches exactly, or else by case alone. What loses
// to another member, or matches in no such way, is in Extra.
func TestMembersOfAnEventMatchExactlyOrByCaseAlone(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]struct {
		chatID string
		extra  []string
	}{
		`"chat_id":"right","CHAT_ID":"other"`:                  {"right", []string{"CHAT_ID"}},
		`"CHAT_ID":"other","chat_id":"right"`:                  {"right", []string{"CHAT_ID"}},
		`"Chat_Id":"right"`:                                    {"right", nil},
		`"chatid":"other","chat-id":"other","chat_id":"right"`: {"right", []string{"chatid", "chat-id"}},
		`"chat_id":"right","chatId":"other","ChatID":"other"`:  {"right", []string{"chatId", "ChatID"}},
		`"chatid":"other"`:                                     {"", []string{"chatid"}},
		`"chat-id":"other"`:                                    {"", []string{"chat-id"}},
		`"\u0063hat_id":"right"`:                               {"right", nil},
	} {
		event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"rating":4,` + members + `}}`))
		require.NoError(t, err, members)
		rated := event.(*webhook.ChatRated)
		assert.Equal(t, want.chatID, rated.ChatID, members)
		assert.Equal(t, 4, rated.Rating, members)
		assert.Len(t, rated.Extra, len(want.extra), members)
		for _, name := range want.extra {
			assert.JSONEq(t, `"other"`, string(rated.Extra[name]), members)
		}
	}
}

// That holds for the envelope, too.
func TestMembersOfAnEnvelopeMatchExactlyOrByCaseAlone(t *testing.T) {
	t.Parallel()
	const at = "2026-03-05T09:41:07Z"
	for body, rating := range map[string]int{
		`{"Event":"chat.rating","Timestamp":"` + at + `","DATA":{"rating":4}}`:                                   4,
		`{"EVENT":"chat.ended","event":"chat.rating","timestamp":"` + at + `","data":{"rating":4},"Data":{}}`:    4,
		`{"event":"chat.rating","EVENT":"chat.ended","Data":{},"data":{"rating":4},"timestamp":"` + at + `"}`:    4,
		`{"\u0065vent":"chat.rating","timestamp":"` + at + `","d\u0061ta":{"rating":4}}`:                         4,
		`{"event":"chat.rating","timestamp":"` + at + `","D\u0061ta":{"rating":4}}`:                              0, // Not by escapes and case.
		`{"event":"chat.rating","timestamp":"` + at + `","TIMESTAMP":"2001-01-01T00:00:00Z","dat":{"rating":4}}`: 0,
	} {
		event, err := webhook.Parse([]byte(body))
		require.NoError(t, err, body)
		rated, ok := event.(*webhook.ChatRated)
		require.True(t, ok, body)
		assert.Equal(t, rating, rated.Rating, body)
		assert.Equal(t, at, rated.EventTime.Format(time.RFC3339), body)
	}
	id := func(body string) string {
		event, err := webhook.Parse([]byte(body))
		require.NoError(t, err, body)
		return event.Info().EventID
	}
	first := id(`{"event":"e","Attempt":1,"entity":{"id":"1"}}`)
	assert.Equal(t, first, id(`{"event":"e","Attempt":2,"entity":{"id":"1"}}`), "it counts deliveries")
	assert.NotEqual(t, id(`{"event":"e","attempt":1,"Attempt":1}`), id(`{"event":"e","attempt":2,"Attempt":2}`), "one alone does")
}
