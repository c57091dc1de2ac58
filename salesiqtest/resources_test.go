package salesiqtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestAPatchTouchesWhatItNames(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	before, _ := s.Visitor("visitor123")
	a := do(t, s, token, "PATCH", "/api/v2/visitors/visitor123",
		`{"name":"","phone":null,"custom_fields":{"industry":"Tents","budget":null},"shoe_size":43,"id":"visitor123"}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	after, _ := s.Visitor("visitor123")
	assert.Empty(t, after.Name, "set to the empty string")
	assert.Empty(t, after.Phone, "cleared")
	assert.Equal(t, map[string]any{"industry": "Tents"}, after.CustomFields, "merged; null removes")
	assert.JSONEq(t, `43`, string(after.Extra["shoe_size"]), "a field that nobody knows is kept")
	assert.Contains(t, get(t, s, "/api/v2/visitors/visitor123").body, `"shoe_size":43`)
	before.Name, before.Phone, before.CustomFields, before.Extra = after.Name, after.Phone, after.CustomFields, after.Extra
	assert.Equal(t, before, after, "nothing else has changed")
}

func TestARefusedPatchChangesNothing(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	before, _ := s.Operator("operator123")
	a := do(t, s, s.AccessToken(), "PATCH", "/api/v2/operators/operator123", `{"name":"New","max_chats":3,"role":"boss"}`)
	require.Equal(t, http.StatusBadRequest, a.status)
	after, _ := s.Operator("operator123")
	assert.Equal(t, before, after)
}

func TestWhatWasReadMayBeSentBack(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for _, path := range []string{
		"/api/v2/visitors/visitor123", "/api/v2/operators/operator123", "/api/v2/brands/brand123",
	} {
		read := get(t, s, path)
		whole := read.body[len(`{"status":"success","data":`) : len(read.body)-1]
		a := do(t, s, s.AccessToken(), "PATCH", path, whole)
		assert.Equal(t, http.StatusOK, a.status, a.body)
	}
}

func TestAPatchAnswersForWhatItNamesAlone(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithData(salesiqtest.Data{
		Operators: []salesiq.Operator{{ID: "bare", DepartmentID: "closed", DepartmentName: "Closed"}},
		Brands:    []salesiq.Brand{{ID: "bare"}},
		RoutingRules: []salesiq.RoutingRule{{
			ID: "bare", Conditions: []salesiq.RoutingCondition{{}},
			Actions: salesiq.RoutingActions{AssignTo: salesiq.AssignToOperator, OperatorIDs: []string{"gone"}},
		}},
		Webhooks: []salesiq.Webhook{{ID: "bare", Events: []salesiq.EventName{"chat.reopened"}}, {ID: "twin"}},
	}))
	for _, c := range []struct{ path, fine, wrong, field string }{
		{"/api/v2/operators/bare", `{"status":"away"}`, `{"status":"away","email":""}`, "email"},
		{"/api/v2/operators/bare", `{"max_chats":0}`, `{"department_id":"closed"}`, "department_id"},
		{"/api/v2/operators/bare", `{"max_chats":1}`, `{"max_chats":-1}`, "max_chats"},
		{"/api/v2/brands/bare", `{"widget_settings":{"position":"bottom-left"}}`, `{"name":null}`, "name"},
		{"/api/v2/routing/rules/bare", `{"enabled":true}`, `{"conditions":[{}]}`, "conditions[0].field"},
		{"/api/v2/routing/rules/bare", `{"priority":2}`, `{"actions":{"assign_to":""}}`, "actions.assign_to"},
		{"/api/v2/webhooks/bare", `{"enabled":true}`, `{"events":["chat.reopened"]}`, "events[0]"},
	} {
		a := do(t, s, s.AccessToken(), "PATCH", c.path, c.fine)
		assert.Equal(t, http.StatusOK, a.status, "what %s was before is not its fault: %s", c.path, a.body)
		a = do(t, s, s.AccessToken(), "PATCH", c.path, c.wrong)
		require.Equal(t, http.StatusBadRequest, a.status, a.body)
		assert.Equal(t, c.field, a.refusal(t).Details["field"])
	}
	operator, _ := s.Operator("bare")
	assert.Equal(t, "Closed", operator.DepartmentName, "only who moves gets another department's name")
}

func TestNameOfAFieldCountsLetterByLetter(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for _, row := range []struct{ method, path, body, field, spelling string }{
		{"PATCH", "/api/v2/operators/operator123", `{"MaxChats":1}`, "MaxChats", "max_chats"},
		{"PATCH", "/api/v2/operators/operator123", `{"maxchats":1}`, "maxchats", "max_chats"},
		{"PATCH", "/api/v2/operators/operator123", `{"STATUS":"away"}`, "STATUS", "status"},
		{"PATCH", "/api/v2/brands/brand123", `{"widget_settings":{"theme-color":"#fff"}}`, "widget_settings.theme-color", "theme_color"},
		{"PATCH", "/api/v2/routing/rules/rule123", `{"conditions":[{"Field":"f","operator":"is"}]}`, "conditions[0].Field", "field"},
		{"POST", "/api/v2/chats/chat123/messages", `{"type":"text","Message":"hello"}`, "Message", "message"},
		{"POST", "/api/v2/chats/chat123/transfer", `{"operatorId":"operator789"}`, "operatorId", "operator_id"},
		{"POST", "/_emulator/faults", `{"status":500,"Times":2}`, "Times", "times"},
	} {
		a := do(t, s, s.AccessToken(), row.method, row.path, row.body)
		require.Equal(t, http.StatusBadRequest, a.status, row.body)
		assert.Equal(t, row.field, a.refusal(t).Details["field"])
		assert.Equal(t, "must be spelled "+row.spelling, a.refusal(t).Details["reason"])
	}
	assert.Empty(t, s.Journal())
}

func TestOneWidgetSettingChangesAlone(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	before, _ := s.Brand("brand123")
	brand, err := s.Client(t).Brands.Update(t.Context(), "brand123", &salesiq.BrandUpdate{
		WidgetSettings: salesiq.Set(salesiq.WidgetSettingsUpdate{ShowEmojis: salesiq.Set(false)}),
	})
	require.NoError(t, err)
	assert.False(t, brand.WidgetSettings.ShowEmojis)
	before.WidgetSettings.ShowEmojis = false
	assert.Equal(t, before, *brand)
}

func TestAnOperatorComesAndGoes(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	operators := s.Client(t).Operators
	made, err := operators.Create(t.Context(), &salesiq.OperatorCreate{
		Name: "Zoë", Email: "zoe@mail.example", Role: salesiq.RoleAgent, DepartmentID: "dept790", MaxChats: salesiq.Set(0),
		Skills: []string{"Sales"}, Extra: map[string]any{"desk": 7},
	})
	require.NoError(t, err)
	assert.NotEmpty(t, made.ID)
	assert.Equal(t, "Support", made.DepartmentName)
	assert.Zero(t, made.MaxChats, "0 is not the default")
	assert.Equal(t, salesiq.OperatorOffline, made.Status)
	assert.False(t, made.CreatedAt.IsZero())
	read, err := operators.Get(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, read)

	made, err = operators.Update(t.Context(), made.ID, &salesiq.OperatorUpdate{
		Status: salesiq.Set(salesiq.OperatorAway), Skills: salesiq.Set([]string{}), DepartmentID: salesiq.Set("dept789"),
	})
	require.NoError(t, err)
	assert.Equal(t, salesiq.OperatorAway, made.Status)
	assert.Empty(t, made.Skills)
	assert.Equal(t, "Sales", made.DepartmentName)
	_, err = operators.Update(t.Context(), made.ID, &salesiq.OperatorUpdate{Email: salesiq.Set("malik.operator123@nordlicht.example")})
	require.ErrorIs(t, err, salesiq.ErrDuplicateResource)

	require.NoError(t, operators.Delete(t.Context(), made.ID))
	_, err = operators.Get(t.Context(), made.ID)
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
	require.ErrorIs(t, operators.Delete(t.Context(), made.ID), salesiq.ErrResourceNotFound)
}

func TestCreationIs201AndDeletion204WithoutABody(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	for path, body := range map[string]string{
		"/api/v2/operators":              `{"name":"A","email":"a@a.example","role":"agent"}`,
		"/api/v2/devices":                `{"device_token":"t","platform":"web","operator_id":"operator123"}`,
		"/api/v2/webhooks":               `{"name":"n","url":"https://hook.example","events":["chat.ended"]}`,
		"/api/v2/routing/rules":          `{"name":"n","conditions":[{"field":"f","operator":"is","value":[1,{"a":null}]}],"actions":{"assign_to":"operator","operator_ids":["operator456"]}}`,
		"/api/v2/notifications":          `{"operator_id":"operator123","title":"t","message":"m","data":{"a":[1]}}`,
		"/api/v2/chats/chat123/messages": `{"type":"text","message":"m"}`,
	} {
		a := do(t, s, token, "POST", path, body)
		require.Equal(t, http.StatusCreated, a.status, "%s: %s", path, a.body)
		id, ok := into[map[string]any](t, a)["id"].(string)
		require.True(t, ok, path)
		if path == "/api/v2/notifications" || path == "/api/v2/chats/chat123/messages" {
			continue
		}
		a = do(t, s, token, "DELETE", path+"/"+id, "")
		assert.Equal(t, http.StatusNoContent, a.status, path)
		assert.Empty(t, a.body, path)
		assert.Equal(t, http.StatusNotFound, do(t, s, token, "DELETE", path+"/"+id, "").status, path)
	}
	assert.Len(t, s.Notifications(), 1)
}

func TestAWebhookKeepsItsSecretToItself(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	a := do(t, s, token, "POST", "/api/v2/webhooks", `{"name":"n","url":"http://127.0.0.1:9/hook","events":["chat.ended"],"secret":"hush-hush"}`)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	assert.NotContains(t, a.body, "hush-hush")
	hook := into[salesiq.Webhook](t, a)
	assert.True(t, hook.Enabled, "on unless asked otherwise")
	a = do(t, s, token, "PATCH", "/api/v2/webhooks/"+hook.ID, `{"enabled":false}`)
	assert.NotContains(t, a.body, "hush-hush")
	assert.False(t, into[salesiq.Webhook](t, a).Enabled)
	assert.NotContains(t, get(t, s, "/api/v2/webhooks").body, "secret")
	kept := s.Webhooks()
	assert.Equal(t, "hush-hush", kept[len(kept)-1].Secret.Reveal(), "a patch leaves it alone")
}

func TestRoutingRulesKeepValuesOfAnyType(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	rules := s.Client(t).Routing
	made, err := rules.Create(t.Context(), &salesiq.RoutingRuleCreate{
		Name: "All sorts",
		Conditions: []salesiq.RoutingCondition{
			{Field: "a", Operator: "in", Value: []any{"x", 1.5, nil, true}},
			{Field: "b", Operator: "is", Value: map[string]any{"deep": "value"}},
		},
		Actions: salesiq.RoutingActions{AssignTo: salesiq.AssignToOperator, OperatorIDs: []string{"operator456"}},
	})
	require.NoError(t, err)
	assert.True(t, made.Enabled)
	assert.Equal(t, 4, made.Priority, "behind the others")
	assert.Equal(t, []any{"x", 1.5, nil, true}, made.Conditions[0].Value)
	assert.Equal(t, map[string]any{"deep": "value"}, made.Conditions[1].Value)
	changed, err := rules.Update(t.Context(), made.ID, &salesiq.RoutingRuleUpdate{Enabled: salesiq.Set(false)})
	require.NoError(t, err)
	made.Enabled = false
	assert.Equal(t, made, changed)
}

func TestTagsAreAddedOnce(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	visitor, err := s.Client(t).Visitors.Tag(t.Context(), "visitor123", []string{"vip", "hot-lead", "hot-lead"})
	require.NoError(t, err)
	assert.Equal(t, []string{"enterprise", "vip", "hot-lead"}, visitor.Tags)
}
