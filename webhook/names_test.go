package webhook_test

import (
	"testing"

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
