package salesiq_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/webhook"
)

func TestACallersOwnTypesMeanWhatEncodingJSONMeans(t *testing.T) {
	t.Parallel()
	type operator struct {
		Name     string         `json:"name,omitempty"`
		MaxChats int            `json:"max_chats,omitempty"`
		Active   bool           `json:"active,omitempty"`
		Wait     time.Duration  `json:"wait,omitempty"`
		Secret   salesiq.Secret `json:"secret,omitzero"`
	}
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"status":"success","data":{"id":"x1"}}`))
	client := api.client(t)
	ada := operator{Name: "Ada"}
	require.NoError(t, client.Do(t.Context(), http.MethodPatch, "/operators/o1", ada, nil))
	require.NoError(t, second(live.Patch[any](t.Context(), client, "/operators/o1", &ada)))
	require.NoError(t, second(live.Get[any](t.Context(), client, "/operators", ada)))
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/operators", nil, nil, salesiq.WithQuery(ada)))
	require.NoError(t, second(client.Visitors.Update(t.Context(), "v1", &salesiq.VisitorUpdate{
		CustomFields: salesiq.Set(map[string]any{"operator": ada}), Extra: map[string]any{"other": ada},
	})))
	require.NoError(t, client.Do(t.Context(), http.MethodPatch, "/operators/o1",
		operator{Wait: time.Second, Secret: salesiq.NewSecret("signing-key")}, nil))
	requests := api.requests()
	for _, i := range []int{0, 1} {
		assert.JSONEq(t, `{"name":"Ada"}`, requests[i].Body)
	}
	for _, i := range []int{2, 3} {
		assert.Equal(t, "name=Ada", requests[i].Query.Encode())
	}
	assert.JSONEq(t, `{"custom_fields":{"operator":{"name":"Ada"}},"other":{"name":"Ada"}}`, requests[4].Body)
	assert.JSONEq(t, `{"wait":1000000000,"secret":"signing-key"}`, requests[5].Body)
}

func TestAJSONNumberIsSentAsANumber(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"status":"success","data":{"id":"x1"}}`))
	client := api.client(t)
	const digits = "4000000012345678901"
	require.NoError(t, client.Do(t.Context(), http.MethodPost, "/x", map[string]any{"n": json.Number(digits)}, nil))
	require.NoError(t, second(client.Visitors.Update(t.Context(), "v1", &salesiq.VisitorUpdate{
		CustomFields: salesiq.Set(map[string]any{"n": json.Number(digits), "list": []any{json.Number("1.50")}}),
		Extra:        map[string]any{"n": json.Number(digits)},
	})))
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/x", nil, nil, salesiq.WithQuery(map[string]any{"n": json.Number(digits)})))
	requests := api.requests()
	assert.Equal(t, `{"n":`+digits+`}`, requests[0].Body)
	assert.Equal(t, `{"custom_fields":{"list":[1.50],"n":`+digits+`},"n":`+digits+`}`, requests[1].Body) //nolint:testifylint // Digits count.
	assert.Equal(t, digits, requests[2].Query.Get("n"))
	require.ErrorIs(t, client.Do(t.Context(), http.MethodPost, "/x", json.Number("one"), nil), salesiq.ErrInvalidInput)

	kept, err := json.Marshal(salesiq.Set(map[string]any{"n": json.Number(digits)}))
	require.NoError(t, err)
	assert.Equal(t, `{"n":`+digits+`}`, string(kept))
}

func TestNoNumberIsRounded(t *testing.T) {
	t.Parallel()
	const digits = "4000000012345678901"
	exact := json.Number(digits)
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"status":"success","data":{"id":"v1","custom_fields":{"crm_id":`+digits+`,"seats":40,"deep":[{"n":`+digits+`}]}}}`))
	client := api.client(t)
	visitor, err := client.Visitors.Get(t.Context(), "v1")
	require.NoError(t, err)
	fields := visitor.CustomFields
	assert.Equal(t, map[string]any{"crm_id": exact, "seats": 40.0, "deep": []any{map[string]any{"n": exact}}}, fields)
	fields["seats"] = 41
	require.NoError(t, second(client.Visitors.Update(t.Context(), "v1", &salesiq.VisitorUpdate{CustomFields: salesiq.Set(fields)})))
	assert.Equal(t, `{"custom_fields":{"crm_id":`+digits+`,"deep":[{"n":`+digits+`}],"seats":41}}`, api.requests()[1].Body) //nolint:testifylint // Digits count.

	free, err := live.Get[map[string]any](t.Context(), client, "/x", nil)
	require.NoError(t, err)
	assert.Equal(t, exact, (*free)["custom_fields"].(map[string]any)["crm_id"])
	for item, err := range live.All[any](t.Context(), newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":[`+digits+`]}`)).client(t), "/x", nil, live.PageAndLimit()) {
		require.NoError(t, err)
		assert.Equal(t, any(exact), *item)
	}

	refusing := newAPIRecorder(t, answerJSON(http.StatusBadRequest, `{"status":"error","code":"INVALID_REQUEST","details":{"crm_id":`+digits+`}}`)).client(t)
	_, err = refusing.Chats.Get(t.Context(), "c1")
	assert.Equal(t, map[string]any{"crm_id": exact}, requireOneLine(t, err).Details)

	for body, read := range map[string]func([]byte) (any, error){
		`{"field":"f","operator":"equals","value":` + digits + `}`: readInto[salesiq.RoutingCondition],
		`{"id":"n","data":{"crm_id":` + digits + `}}`:              readInto[salesiq.Notification],
		`{"id":"c","custom_fields":{"crm_id":` + digits + `}}`:     readInto[salesiq.Chat],
	} {
		object, err := read([]byte(body))
		require.NoError(t, err)
		assert.Contains(t, encode(t, object), digits)
	}
}

func readInto[T any](body []byte) (any, error) {
	object := new(T)
	return object, wire.Unmarshal(body, object)
}

func TestATimeInAnyNotationIsReadOrCanBeLookedUp(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, 1, 15, 5, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2024-01-15 10:30:00 +0530", "2024-01-15T05:00Z", "2024-01-15T10:00:00+05", "2024-01-15t05:00:00z", "2024-01-15T04:59:60Z",
		"Mon, 15 Jan 2024 05:00:00 GMT",
	} {
		assert.True(t, want.Equal(chatWith(t, `"started_at":"`+text+`"`).StartedAt), text)
		event, err := webhook.Parse([]byte(`{"event":"chat.started","timestamp":"` + text + `","data":{"chat_id":"c1","started_at":"` + text + `"}}`))
		require.NoError(t, err)
		assert.True(t, want.Equal(event.Info().EventTime), text)
		assert.True(t, want.Equal(event.(*webhook.ChatStarted).StartedAt), text)
	}
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"status":"success","data":{"id":"c1","started_at":"next Tuesday"}}`))
	var response salesiq.Response
	chat, err := api.client(t).Chats.Get(t.Context(), "c1", salesiq.WithResponse(&response))
	require.NoError(t, err)
	assert.Zero(t, chat.StartedAt)
	assert.Contains(t, string(response.Body), "next Tuesday")
	event, err := webhook.Parse([]byte(`{"event":"chat.started","data":{"chat_id":"c1","started_at":"next Tuesday"}}`))
	require.NoError(t, err)
	assert.Contains(t, string(event.Info().Data), "next Tuesday")
}

func TestAByteOrderMarkIsSkipped(t *testing.T) {
	t.Parallel()
	const mark = "\ufeff"
	answered := func(status int, body string) *salesiq.Client {
		return newAPIRecorder(t, answerJSON(status, mark+body)).client(t)
	}
	chat, err := answered(200, `{"status":"success","data":{"id":"c1","duration":"60"}}`).Chats.Get(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, "c1", chat.ID)
	page, err := answered(200, `[{"id":"c1"}]`).Chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, page.Items, 1)
	message, err := answered(200, `{"message":{"id":"m1"}}`).Chats.SendMessage(t.Context(), "c1", salesiq.TextMessage("Hello"))
	require.NoError(t, err)
	assert.Equal(t, "m1", message.ID)
	for item, err := range live.All[livePortal](t.Context(), answered(200, `{"data":[{"screenname":"z"}]}`), "/x", nil, live.PageAndLimit()) {
		require.NoError(t, err)
		assert.Equal(t, "z", item.ScreenName)
	}
	for _, status := range []int{200, 404} {
		_, err = answered(status, `{"status":"error","code":"RESOURCE_NOT_FOUND"}`).Chats.Get(t.Context(), "c1")
		require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
	}
	_, err = answered(200, `{"status":"success","data":{"id":"c1"`).Chats.Get(t.Context(), "c1")
	require.ErrorIs(t, err, salesiq.ErrTransport, "half an answer")
	require.ErrorIs(t, answered(200, `<html>`).Operators.Delete(t.Context(), "o1"), salesiq.ErrDecode)
	assert.Equal(t, "list", live.ReadEnvelope(&salesiq.Response{Body: []byte(mark + `{"object":"list"}`)}).Object)
	var whole wholeAnswer
	require.NoError(t, answered(200, `{}`).Do(t.Context(), http.MethodGet, "/x", nil, &whole))
	assert.Equal(t, `{}`, string(whole))

	for _, body := range []string{`{"event":"chat.started","data":{"chat_id":"c1"}}`, `{"event":"chat.started","attempt":1,"entity":{"chat_id":"c1"}}`} {
		event, err := webhook.Parse([]byte(mark + body))
		require.NoError(t, err)
		assert.Equal(t, "c1", event.(*webhook.ChatStarted).ChatID)
	}
	bare, err := webhook.Parse([]byte(mark + `{"id":"1"}`))
	require.NoError(t, err)
	assert.Equal(t, `{"id":"1"}`, string(bare.Info().Data)) //nolint:testifylint // To the letter.
}

// wholeAnswer keeps an answer as it is given.
type wholeAnswer []byte

func (w *wholeAnswer) UnmarshalAnswer(body []byte) error {
	*w = bytes.Clone(body)
	return nil
}
