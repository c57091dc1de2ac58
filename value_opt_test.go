package salesiq_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := wire.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// updates holds every update type, and what its JSON is when each field is set
// to nothing: "", 0, false, an empty list.
var updates = []struct{ untouched, emptied any }{
	{&salesiq.VisitorUpdate{}, &salesiq.VisitorUpdate{
		Name: salesiq.Set(""), Email: salesiq.Set(""), Phone: salesiq.Set(""), Company: salesiq.Set(""),
		CustomFields: salesiq.Set(map[string]any{}),
	}},
	{&salesiq.OperatorUpdate{}, &salesiq.OperatorUpdate{
		Name: salesiq.Set(""), Email: salesiq.Set(""), Status: salesiq.Set(salesiq.OperatorStatus("")),
		Availability: salesiq.Set(salesiq.OperatorAvailability("")), Role: salesiq.Set(salesiq.OperatorRole("")),
		DepartmentID: salesiq.Set(""), Timezone: salesiq.Set(""), MaxChats: salesiq.Set(0),
		Languages: salesiq.Set([]string{}), Skills: salesiq.Set[[]string](nil),
	}},
	{&salesiq.BrandUpdate{}, &salesiq.BrandUpdate{
		Name: salesiq.Set(""), Website: salesiq.Set(""), Logo: salesiq.Set(""), Timezone: salesiq.Set(""),
		Language: salesiq.Set(""), Status: salesiq.Set(salesiq.BrandStatus("")),
		WidgetSettings: salesiq.Set(salesiq.WidgetSettingsUpdate{}),
	}},
	{&salesiq.WidgetSettingsUpdate{}, &salesiq.WidgetSettingsUpdate{
		ThemeColor: salesiq.Set(""), Position: salesiq.Set(salesiq.WidgetPosition("")),
		GreetingMessage: salesiq.Set(""), OfflineMessage: salesiq.Set(""),
		ShowOperators: salesiq.Set(false), ShowAttachments: salesiq.Set(false), ShowEmojis: salesiq.Set(false),
	}},
	{&salesiq.RoutingRuleUpdate{}, &salesiq.RoutingRuleUpdate{
		Name: salesiq.Set(""), Priority: salesiq.Set(0), Enabled: salesiq.Set(false),
		Conditions: salesiq.Set([]salesiq.RoutingCondition{}), Actions: salesiq.Set(salesiq.RoutingActions{}),
	}},
	{&salesiq.WebhookUpdate{}, &salesiq.WebhookUpdate{
		Name: salesiq.Set(""), URL: salesiq.Set(""), Events: salesiq.Set([]salesiq.EventName{}),
		Enabled: salesiq.Set(false), Secret: salesiq.Set(salesiq.NewSecret("")),
	}},
}

// An empty target would take the rule's away.
func TestOneActionOfARuleChangesAlone(t *testing.T) {
	t.Parallel()
	update := &salesiq.RoutingRuleUpdate{Actions: salesiq.Set(salesiq.RoutingActions{Priority: salesiq.RoutingPriorityHigh})}
	assert.JSONEq(t, `{"actions":{"priority":"high"}}`, encode(t, update))
}

func TestUpdatesLeaveAloneWhatIsNotSet(t *testing.T) {
	t.Parallel()
	for _, row := range updates {
		assert.JSONEq(t, `{}`, encode(t, row.untouched), "%T", row.untouched)
	}
}

func TestUpdatesSetToNothing(t *testing.T) {
	t.Parallel()
	for i, want := range []string{
		`{"name":"","email":"","phone":"","company":"","custom_fields":{}}`,
		`{"name":"","email":"","status":"","availability":"","role":"","department_id":"","timezone":"","max_chats":0,"languages":[],"skills":[]}`,
		`{"name":"","website":"","logo":"","timezone":"","language":"","status":"","widget_settings":{}}`,
		`{"theme_color":"","position":"","greeting_message":"","offline_message":"","show_operators":false,"show_attachments":false,"show_emojis":false}`,
		`{"name":"","priority":0,"enabled":false,"conditions":[],"actions":{}}`,
		`{"name":"","url":"","events":[],"enabled":false,"secret":""}`,
	} {
		assert.JSONEq(t, want, encode(t, updates[i].emptied), "%T", updates[i].emptied)
	}
}

func TestUpdatesSetToNull(t *testing.T) {
	t.Parallel()
	for _, row := range updates {
		var emptied, nulled map[string]any
		require.NoError(t, json.Unmarshal([]byte(encode(t, row.emptied)), &emptied))
		update := reflect.New(reflect.TypeOf(row.untouched).Elem())
		for field, value := range update.Elem().Fields() {
			if field.Name != "Extra" {
				require.NoError(t, value.Addr().Interface().(json.Unmarshaler).UnmarshalJSON([]byte("null")))
			}
		}
		require.NoError(t, json.Unmarshal([]byte(encode(t, update.Interface())), &nulled))
		assert.Len(t, nulled, len(emptied), "%T: a field has no row above", row.untouched)
		for name, value := range nulled {
			assert.Nil(t, value, "%T.%s", row.untouched, name)
			assert.Contains(t, emptied, name)
		}
	}
}

func TestOneWidgetSettingChangesAlone(t *testing.T) {
	t.Parallel()
	update := &salesiq.BrandUpdate{
		WidgetSettings: salesiq.Set(salesiq.WidgetSettingsUpdate{
			ShowEmojis: salesiq.Set(false), OfflineMessage: salesiq.Null[string](),
			Extra: map[string]any{"corner_radius": 4},
		}),
		Extra: map[string]any{"rtl": true},
	}
	assert.JSONEq(t, `{"widget_settings":{"show_emojis":false,"offline_message":null,"corner_radius":4},"rtl":true}`, encode(t, update))
}

// Every type that is sent as a body takes fields that this package does not
// know, beside its own.
func TestExtraFieldsAreSentBesideTheOthers(t *testing.T) {
	t.Parallel()
	for _, content := range []any{
		&salesiq.MessageCreate{}, &salesiq.ChatTransfer{}, &salesiq.ChatEnd{}, &salesiq.ChatRating{},
		&salesiq.VisitorUpdate{}, &salesiq.OperatorCreate{}, &salesiq.OperatorUpdate{},
		&salesiq.BrandUpdate{}, &salesiq.WidgetSettingsUpdate{},
		&salesiq.RoutingRuleCreate{}, &salesiq.RoutingRuleUpdate{},
		&salesiq.WebhookCreate{}, &salesiq.WebhookUpdate{}, &salesiq.DeviceCreate{}, &salesiq.NotificationCreate{},
	} {
		extra := map[string]any{"x_list": []int{1, 2}, "x_null": nil, "x_time": someTime}
		reflect.ValueOf(content).Elem().FieldByName("Extra").Set(reflect.ValueOf(extra))
		var sent map[string]any
		require.NoError(t, json.Unmarshal([]byte(encode(t, content)), &sent))
		assert.Equal(t, []any{1.0, 2.0}, sent["x_list"], "%T", content)
		assert.Equal(t, someTimeOnWire, sent["x_time"], "%T", content)
		assert.Contains(t, sent, "x_null", "%T", content)
		assert.NotContains(t, sent, "Extra", "%T", content)
	}
}

// A name that is sent twice would mean two things.
func TestExtraFieldMustNotRepeatAField(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	_, err := api.client(t).Chats.SendMessage(t.Context(), "c1", &salesiq.MessageCreate{
		Type: salesiq.MessageText, Text: "Hello", Extra: map[string]any{"type": "html"},
	})
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	assert.ErrorContains(t, err, "Chats.SendMessage")
	assert.ErrorContains(t, err, `"type"`)
	assert.Empty(t, api.requests())
}

func TestOptTellsThreeIntentionsApart(t *testing.T) {
	t.Parallel()
	var alone salesiq.Opt[int]
	_, ok := alone.Get()
	assert.False(t, ok)
	assert.True(t, alone.IsZero())
	assert.False(t, alone.IsNull())

	null := salesiq.Null[int]()
	_, ok = null.Get()
	assert.False(t, ok)
	assert.False(t, null.IsZero())
	assert.True(t, null.IsNull())

	zero := salesiq.Set(0)
	value, ok := zero.Get()
	assert.True(t, ok)
	assert.Zero(t, value)
	assert.False(t, zero.IsZero())
	assert.False(t, zero.IsNull())
}

// A program may keep a planned update as JSON and send it later.
func TestUpdatesSurviveEncodingJSON(t *testing.T) {
	t.Parallel()
	update := salesiq.OperatorUpdate{
		Name: salesiq.Set("Mia"), DepartmentID: salesiq.Null[string](), MaxChats: salesiq.Set(0),
		Skills: salesiq.Set([]string{}),
	}
	stored, err := json.Marshal(update)
	require.NoError(t, err)
	var restored salesiq.OperatorUpdate
	require.NoError(t, json.Unmarshal(stored, &restored))
	assert.Equal(t, update, restored)

	require.Error(t, json.Unmarshal([]byte(`{"max_chats":"many"}`), &restored))
	assert.Equal(t, salesiq.Set(0), restored.MaxChats, "a failure changes nothing")
}
