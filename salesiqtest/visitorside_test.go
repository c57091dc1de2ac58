package salesiqtest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// consentForOrganization lets an administrator consent, and returns a client of the
// visitor's side.
func consentForOrganization(ctx context.Context, s *salesiqtest.Server) (*live.Service, error) {
	credentials := s.Credentials()
	credentials.RefreshToken = salesiq.Secret{}
	signIn := &salesiq.OAuth{
		Credentials: credentials, Organization: true, RedirectURL: "http://127.0.0.1/callback", HTTPClient: s.HTTPClient(),
		DataCenter: salesiq.Hosts{API: s.URL, Accounts: s.URL}.DataCenter(),
		Scopes:     []salesiq.Scope{live.ScopeConversationsCreate, live.ScopeConversationsUpdate},
	}
	address, err := signIn.AuthURL("state")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := s.HTTPClient().Do(request) // The emulator consents at once.
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	back, err := response.Location()
	if err != nil {
		return nil, err
	}
	code, err := signIn.ParseCallback(back.Query(), "state")
	if err != nil {
		return nil, err
	}
	token, err := signIn.Exchange(ctx, code)
	if err != nil {
		return nil, err
	}
	credentials.RefreshToken = token.RefreshToken
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.NewMemoryTokenStore()), s.Options()...)
	if err != nil {
		return nil, err
	}
	return live.New(client), nil
}

// A team's own chat window, from the organization's consent to the rating.
func TestAChatWindowOfATeamsOwnHasItAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		var mu sync.Mutex
		heard := map[string][]string{} // What the window has got, by the visitor's id of the conversation.
		receiver, err := webhook.NewReceiver(s.Verifier())
		require.NoError(t, err)
		note := func(id, what string) error {
			mu.Lock()
			defer mu.Unlock()
			heard[id] = append(heard[id], what)
			return nil
		}
		require.NoError(t, live.On(receiver, func(_ context.Context, e *live.ConversationOperatorReplied) error {
			return note(e.Conversation.VisitorConversationID, e.Message.Text)
		}))
		require.NoError(t, live.On(receiver, func(_ context.Context, e *live.ConversationCompleted) error {
			return note(e.Conversation.VisitorConversationID, "ended by the "+e.EndedBy)
		}))
		require.NoError(t, live.On(receiver, func(_ context.Context, e *live.ConversationRated) error {
			return note(e.Conversation.VisitorConversationID, fmt.Sprint("rated ", e.Rating, " ", e.Feedback))
		}))
		s.Subscribe(t, receiver)

		operator := live.New(s.Client(t))
		window, err := consentForOrganization(ctx, s)
		require.NoError(t, err)
		_, err = operator.VisitorSide.Open(ctx, opening("zoe-1"))
		assert.Equal(t, 1009, number(t, err), "a user's consent is not enough")

		opened, err := window.VisitorSide.Open(ctx, opening("zoe-1"))
		require.NoError(t, err)
		_, err = window.VisitorSide.Send(ctx, opened.ID, "Size 42")
		require.NoError(t, err)
		chats, err := operator.Conversations.List(ctx, &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})
		require.NoError(t, err)
		assert.Equal(t, "Do you have boots?", chats[0].Question)
		assert.Equal(t, "zoe-1", chats[0].Visitor.ID)
		pickUp(t, s, chats[0].ID, "We do, in black.")
		require.NoError(t, s.Settle(ctx))
		require.Equal(t, []string{"We do, in black."}, heard[opened.ChatID])

		closed, err := window.VisitorSideV2.Close(ctx, opened.ID)
		require.NoError(t, err)
		assert.Equal(t, opened.ChatID, closed.ChatID, "whatever the id of the answer, it is this conversation")
		require.NoError(t, window.VisitorSide.Rate(ctx, opened.ID, live.Happy, "Quick"))
		require.NoError(t, s.Settle(ctx))
		assert.Equal(t, []string{"We do, in black.", "ended by the visitor", "rated 5 Quick"}, heard[opened.ChatID])

		// A later question takes the conversation up again, by the id that events tell.
		_, err = window.VisitorSide.Reopen(ctx, opened.ChatID, &live.VisitorReopen{Message: "One more thing"})
		require.NoError(t, err)
		pickUp(t, s, chats[0].ID, "Yes?")
		require.NoError(t, s.Settle(ctx))
		assert.Equal(t, "Yes?", heard[opened.ChatID][len(heard[opened.ChatID])-1])
	})
}

func opening(userID string) *live.VisitorOpen {
	return &live.VisitorOpen{
		Visitor: live.VisitorIdentity{UserID: userID, Name: "Zoë Brun"}, AppID: "brand123", DepartmentID: "dept789", Question: "Do you have boots?",
	}
}

// check ends an example that fails.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// serviceFor is a client of a server, with credentials of either kind.
func serviceFor(server *salesiqtest.Server, credentials salesiq.Credentials) *live.Service {
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.NewMemoryTokenStore()), server.Options()...)
	check(err)
	return live.New(client)
}

// A chat window of a team's own writes by calls, and gets the answers by webhook. Its
// calls need the organization's consent: see Organization of [salesiq.OAuth].
func ExampleServer_OrgCredentials() {
	ctx := context.Background()
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	check(err)
	defer server.Close()
	operator, window := serviceFor(server, server.Credentials()), serviceFor(server, server.OrgCredentials())

	events := http.NewServeMux()
	events.HandleFunc("HEAD /events", func(http.ResponseWriter, *http.Request) {}) // The service looks whether it is there.
	program := httptest.NewServer(events)
	defer program.Close()
	hook, err := operator.Webhooks.Create(ctx, &live.WebhookCreate{
		Type: live.DataWebhook, URL: program.URL + "/events", Events: []salesiq.EventName{live.EventConversationOperatorReplied}, Secured: true,
	})
	check(err)
	key, err := webhook.ParseRSAKey(hook.PublicKeys[0].Key)
	check(err)
	receiver, err := webhook.NewReceiver(webhook.RSA(key))
	check(err)
	answers := make(chan *live.ConversationOperatorReplied, 1)
	check(live.On(receiver, func(_ context.Context, e *live.ConversationOperatorReplied) error {
		answers <- e
		return nil
	}))
	events.Handle("POST /events", receiver)

	opened, err := window.VisitorSide.Open(ctx, opening("zoe-1"))
	check(err)
	waiting, err := operator.Conversations.List(ctx, &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})
	check(err)
	_, err = operator.Conversations.Pickup(ctx, waiting[0].ID)
	check(err)
	_, err = operator.Messages.Send(ctx, waiting[0].ID, "We do.")
	check(err)

	answer := <-answers
	fmt.Println(answer.Message.Sender.Name, "says:", answer.Message.Text)
	fmt.Println("in this conversation:", answer.Conversation.VisitorConversationID == opened.ChatID)
	_, err = window.VisitorSideV2.Close(ctx, opened.ID)
	check(err)
	check(window.VisitorSide.Rate(ctx, opened.ID, live.Happy, "Quick"))
	// Output:
	// Iris Lindqvist says: We do.
	// in this conversation: true
}
