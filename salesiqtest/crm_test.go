package salesiqtest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestLeadsAreFoundOnceTheyAreCreated(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	search := func(criteria string) answer {
		return do(t, s, token, "GET", "/crm/v8/Leads/search?criteria="+url.QueryEscape(criteria), "")
	}
	a := search("(Email:equals:Zoe@mail.example)")
	assert.Equal(t, http.StatusNoContent, a.status, "as Zoho CRM says nothing")
	assert.Empty(t, a.body)
	a = do(t, s, token, "POST", "/crm/v8/Leads", `{"data":[{"Last_Name":"Ångström","Email":"zoe@mail.example"}]}`)
	require.Equal(t, http.StatusCreated, a.status)
	result := into[[]map[string]any](t, a)[0]
	assert.Equal(t, "SUCCESS", result["code"])
	found := into[[]map[string]any](t, search("(Email:equals:Zoe@mail.example)"))
	require.Len(t, found, 1)
	assert.Equal(t, result["details"].(map[string]any)["id"], found[0]["id"])
	assert.Equal(t, "Ångström", found[0]["Last_Name"])
	assert.Len(t, s.Leads(), 1)
	assert.Equal(t, http.StatusOK, search(`(Last_Name:equals:Ångström)`).status)
	do(t, s, token, "POST", "/crm/v8/Leads", `{"data":[{"Last_Name":"Ek (Oy), Ab"}]}`)
	a = search(`(Last_Name:equals:Ek \(Oy\)\, Ab)`)
	assert.Equal(t, http.StatusOK, a.status, "what the notation needs is escaped")
	assert.Contains(t, a.body, `"info":{"count":1,"more_records":false,"page":1,"per_page":200}`)
	for _, wrong := range []string{"", "Email=zoe", "Email:equals:zoe", "(Email:equals:zoe", "Email:equals:zoe)", "(:equals:zoe)", "(Email:starts_with:zoe)"} {
		assert.Equal(t, http.StatusBadRequest, search(wrong).status, wrong)
	}
}

func TestLeadsNeedALastName(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	for body, status := range map[string]int{
		`{"data":[{"Email":"a@a.example"}]}`:                       http.StatusBadRequest,
		`{"data":[{"Email":"a@a.example"},{"Last_Name":"Kwame"}]}`: http.StatusMultiStatus,
		`{"data":[]}`: http.StatusBadRequest,
		`{}`:          http.StatusBadRequest,

		`{"data":[{"Last_Name":7},null]}`:                                http.StatusBadRequest,
		`{"data":[{"Last_Name":""}` + strings.Repeat(`,{}`, 99) + `]}`:   http.StatusBadRequest,
		`{"data":[{"Last_Name":"A"}` + strings.Repeat(`,{}`, 99) + `]}`:  http.StatusMultiStatus,
		`{"data":[{"Last_Name":"A"}` + strings.Repeat(`,{}`, 100) + `]}`: http.StatusBadRequest,
	} {
		assert.Equal(t, status, do(t, s, token, "POST", "/crm/v8/Leads", body).status, body)
	}
	assert.Len(t, s.Leads(), 2)
}

func TestLeadsNeedAScopeOfTheCRM(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	a := do(t, s, s.AccessToken("SalesIQ.leads.ALL"), "POST", "/crm/v8/Leads", `{}`)
	assert.Equal(t, http.StatusForbidden, a.status)
	assert.Equal(t, http.StatusUnauthorized, do(t, s, "", "GET", "/crm/v8/Leads/search", "").status)
}
