package salesiqtest_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// startLive starts a server of the live dialect, and returns its calls.
func startLive(t *testing.T, opts ...salesiqtest.Option) (*salesiqtest.Server, *live.Service) {
	t.Helper()
	server := salesiqtest.Start(t, append(opts, salesiqtest.Live())...)
	return server, live.New(server.Client(t))
}

// number is the vendor's number of an error.
func number(t *testing.T, err error) int {
	t.Helper()
	failure, ok := errors.AsType[*salesiq.Error](err)
	require.True(t, ok, "%v", err)
	return failure.VendorCode
}

// collect returns the items of an iterator.
func collect[T any](t *testing.T, all iter.Seq2[*T, error]) (items []T) {
	t.Helper()
	for item, err := range all {
		require.NoError(t, err)
		items = append(items, *item)
	}
	return items
}

// must returns a value that came without an error.
func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}

var anyCriteria = []live.AnyOf{{Any: []live.Criterion{{Field: "country", Comparator: live.IsEqualTo, Values: []string{"canada"}}}}}

// settingsFamilies are those of live/calls.tsv that this file is about.
var settingsFamilies = []string{
	"operators", "departments", "apps", "channels", "articles", "canned responses", "visitor routing", "chat routing", "call routing", "criteria",
	"lead scoring", "triggers", "tracking presets", "history views", "monitors", "blocked IPs", "encryptions", "webhooks", "callbacks",
}

// Each call of package live about settings has a route: what it is refused for, if at
// all, is neither its path nor its method.
func TestEachCallAboutSettingsIsServed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	file, err := os.Open("../live/calls.tsv")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })
	table := csv.NewReader(file)
	table.Comma = '\t'
	rows, err := table.ReadAll()
	require.NoError(t, err)
	served := 0
	for _, row := range rows[1:] {
		family, method, path, scope, goMethod := row[0], row[2], row[3], row[4], row[8]
		if goMethod == "-" || !slices.Contains(settingsFamilies, family) {
			continue
		}
		path = strings.ReplaceAll(path, "{portal}", salesiqtest.Portal)
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "none" + after
		}
		var envelope struct {
			Error struct {
				Code    int    `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		a := do(t, s, s.AccessToken(), method, path, "")
		if a.status != http.StatusNoContent {
			require.NoError(t, json.Unmarshal([]byte(a.body), &envelope), a.body)
		}
		assert.NotContains(t, []int{1001, 1004, 1005, 1006}, envelope.Error.Code, "%s: %s", goMethod, a.body)
		if scope != "-" { // The page's scope permits it.
			a = do(t, s, s.AccessToken("SalesIQ."+strings.ToLower(scope[:1])+scope[1:]), method, path, "")
			assert.NotContains(t, a.body, `"code":1009`, goMethod)
		}
		served++
	}
	assert.Equal(t, 124, served)
}

func TestOperatorsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	made := must[*live.Operator](t)(l.Operators.Create(ctx, &live.OperatorCreate{
		Email: "edda@nordlicht.example", Role: live.Supervisor, Departments: []string{"dept790", "dept801"}, FirstName: "Edda", LastName: "Van Berg", Nickname: "Ed",
	}))
	assert.Equal(t, []string{"dept790", "dept801"}, made.Departments)
	assert.Equal(t, "Van Berg", made.LastName)
	changed := must[*live.Operator](t)(l.Operators.Update(ctx, made.ID, &live.OperatorUpdate{
		Mobile: salesiq.Set("+1-555-0101"), DateOfBirth: salesiq.Set("31/01/1990"), MaxChats: salesiq.Set("0"), Role: salesiq.Set(live.Associate),
		ChatEnabled: salesiq.Set[live.TextBool](false), Country: salesiq.Set("de"),
	}))
	got := must[*live.Operator](t)(l.Operators.Get(ctx, made.ID))
	assert.Equal(t, changed, got)
	assert.Equal(t, "31-01-1990", got.DateOfBirth)
	assert.Equal(t, "0", got.MaxChats)
	assert.Equal(t, "Ed", got.Nickname)
	assert.Equal(t, live.Associate, got.Role)
	assert.False(t, got.ChatEnabled)
	assert.True(t, got.Enabled)
	known, _ := s.Operator(made.ID)
	assert.Equal(t, "Edda Van Berg", known.Name, "the domain is one")
	assert.Equal(t, salesiq.RoleAgent, known.Role)

	got = must[*live.Operator](t)(l.Operators.RemoveDepartments(ctx, made.ID, []string{"dept790"}))
	assert.Equal(t, []string{"dept801"}, got.Departments)
	got = must[*live.Operator](t)(l.Operators.AddDepartments(ctx, made.ID, []string{"dept789", "dept801"}))
	assert.Equal(t, []string{"dept801", "dept789"}, got.Departments)
	_, err := l.Operators.AddDepartments(ctx, made.ID, []string{"dept789", "none"})
	assert.Equal(t, 1025, number(t, err))
	_, err = l.Operators.Update(ctx, made.ID, &live.OperatorUpdate{MaxChats: salesiq.Set("6")})
	assert.Equal(t, 1007, number(t, err))

	require.NoError(t, l.Operators.Disable(ctx, made.ID))
	assert.False(t, must[*live.Operator](t)(l.Operators.Get(ctx, made.ID)).Enabled)
	require.NoError(t, l.Operators.Enable(ctx, made.ID))
	assert.True(t, must[*live.Operator](t)(l.Operators.Get(ctx, made.ID)).Enabled)
	require.NoError(t, l.Operators.Delete(ctx, made.ID))
	_, err = l.Operators.Get(ctx, made.ID)
	assert.Equal(t, 1019, number(t, err))
}

func TestListsTellWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := startLive(t, salesiqtest.InMemory())
		ctx := t.Context()
		all := collect(t, l.Operators.All(ctx, nil))
		assert.Greater(t, len(all), 5)
		since := time.Now().Add(time.Second)
		time.Sleep(time.Minute)
		_, err := l.Operators.Update(ctx, "operator456", &live.OperatorUpdate{Nickname: salesiq.Set("G")})
		require.NoError(t, err)
		require.NoError(t, l.Operators.Disable(ctx, "operator789"))
		require.NoError(t, l.Departments.Disable(ctx, "dept801"))
		var changed []string
		for _, operator := range collect(t, l.Operators.All(ctx, &live.SyncParams{Since: since})) {
			changed = append(changed, operator.ID)
		}
		assert.Equal(t, []string{"operator456", "operator789"}, changed)
		departments := must[[]live.Department](t)(l.Departments.List(ctx, &live.SyncParams{Since: since}))
		require.Len(t, departments, 1)
		assert.Equal(t, "dept801", departments[0].ID)
		second := must[[]live.Operator](t)(l.Operators.List(ctx, &live.SyncParams{Index: 3}))
		assert.Equal(t, all[2].ID, second[0].ID)
		assert.Contains(t, get(t, s, fmt.Sprintf("/api/v2/nordlicht/apps?last_sync_time=%d", since.Unix())).body, `"data":[]`, "seconds, as a page has them")
	})
}

func TestDepartmentsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	made := must[*live.Department](t)(l.Departments.Create(ctx, &live.DepartmentCreate{
		Name: "Repairs", Operators: []string{"operator456"}, Public: true, Description: "Tents",
		Emails: &live.DepartmentEmails{From: "repairs@nordlicht.example", Transcripts: true},
	}))
	assert.Contains(t, must[*live.Operator](t)(l.Operators.Get(ctx, "operator456")).Departments, made.ID)
	assert.True(t, slices.ContainsFunc(collect(t, l.Departments.All(ctx, nil)), func(d live.Department) bool { return d.ID == made.ID }))
	must[*live.Department](t)(l.Departments.Update(ctx, made.ID, &live.DepartmentUpdate{
		Name: salesiq.Set("Mending"), Public: salesiq.Set[live.TextBool](false), Emails: &live.DepartmentEmails{CC: true},
	}))
	got := must[*live.Department](t)(l.Departments.Get(ctx, made.ID))
	assert.Equal(t, "Mending", got.Name)
	assert.False(t, got.Public)
	assert.Equal(t, "Tents", got.Description)
	assert.Equal(t, live.DepartmentEmails{From: "repairs@nordlicht.example", Transcripts: true, CC: true}, got.Emails)
	assert.Equal(t, []string{"operator456"}, got.Operators)
	brand, _ := s.Brand("brand123")
	assert.Equal(t, "Mending", brand.Departments[len(brand.Departments)-1].Name, "the domain is one")

	got = must[*live.Department](t)(l.Departments.AddOperators(ctx, made.ID, []string{"operator789"}))
	assert.Equal(t, []string{"operator456", "operator789"}, got.Operators)
	got = must[*live.Department](t)(l.Departments.RemoveOperators(ctx, made.ID, []string{"operator456"}))
	assert.Equal(t, []string{"operator789"}, got.Operators)
	_, err := l.Departments.AddOperators(ctx, made.ID, []string{"none"})
	assert.Equal(t, 1024, number(t, err))
	_, err = l.Departments.Create(ctx, &live.DepartmentCreate{Name: "Mending", Operators: []string{"operator456"}})
	assert.Equal(t, 1014, number(t, err))
	require.NoError(t, l.Departments.Disable(ctx, made.ID))
	assert.False(t, must[*live.Department](t)(l.Departments.Get(ctx, made.ID)).Enabled)
	require.NoError(t, l.Departments.Enable(ctx, made.ID))
	assert.True(t, must[*live.Department](t)(l.Departments.Get(ctx, made.ID)).Enabled)
}

func TestADepartmentLeavesItsSettingsToAnother(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	category := collect(t, l.ArticleCategories.All(ctx))[0]
	article := must[*live.Article](t)(l.Articles.Create(ctx, &live.ArticleCreate{DepartmentID: "dept789", CategoryID: category.ID, Title: "Hours", Content: "<p>9</p>"}))
	_, err := l.Departments.Update(ctx, "dept791", &live.DepartmentUpdate{Public: salesiq.Set[live.TextBool](false)})
	require.NoError(t, err)
	assert.Equal(t, 1302, number(t, l.Departments.Delete(ctx, "dept789", "dept791")), "the heir is private")
	assert.Equal(t, 1025, number(t, l.Departments.Delete(ctx, "dept789", "none")))
	assert.Equal(t, 1011, number(t, l.Departments.Delete(ctx, "dept789", "dept789")))
	require.NoError(t, l.Departments.Delete(ctx, "dept789", "dept790"))
	_, err = l.Departments.Get(ctx, "dept789")
	assert.Equal(t, 1019, number(t, err))
	assert.Equal(t, []string{"dept790"}, must[*live.Operator](t)(l.Operators.Get(ctx, "operator456")).Departments)
	assert.Equal(t, "dept790", must[*live.Article](t)(l.Articles.Get(ctx, article.ID)).DepartmentID)
	chat, _ := s.Chat("chat123")
	assert.Equal(t, "dept790", chat.DepartmentID)
	for _, id := range []string{"dept791", "dept801", "dept802"} {
		require.NoError(t, l.Departments.Delete(ctx, id, "dept790"))
	}
	assert.Equal(t, 1026, number(t, l.Departments.Delete(ctx, "dept790", "dept790")), "the last one")
	a := do(t, s, s.AccessToken(), "DELETE", "/api/v2/nordlicht/departments/dept790", "")
	assert.Contains(t, a.body, `"code":1026`)
}

func TestAppsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	made := must[*live.App](t)(l.Apps.Create(ctx, &live.AppCreate{
		Name: "Westwind", Departments: []string{"dept789"}, Description: map[string]string{"default": "Boats"}, BusinessHours: true,
	}))
	assert.True(t, made.Enabled)
	assert.Len(t, must[[]live.App](t)(l.Apps.List(ctx)), 3)
	assert.Len(t, collect(t, l.Departments.All(ctx, nil)), 5, "a department of two apps is one")
	must[*live.App](t)(l.Apps.Update(ctx, made.ID, &live.AppUpdate{Enabled: salesiq.Set(false), WaitingTime: salesiq.Set[salesiq.Seconds](45), ShareFile: salesiq.Set(true)}))
	got := must[*live.App](t)(l.Apps.Get(ctx, made.ID))
	assert.False(t, got.Enabled)
	assert.Equal(t, 45*time.Second, got.WaitingTime.Duration())
	assert.True(t, got.BusinessHours)
	assert.Equal(t, "Boats", got.Description["default"])
	assert.JSONEq(t, "true", string(got.Extra["share_file"]))
	_, err := l.Apps.Update(ctx, made.ID, &live.AppUpdate{WaitingTime: salesiq.Set[salesiq.Seconds](46)})
	assert.Equal(t, 1011, number(t, err))
	_, err = l.Apps.Update(ctx, made.ID, &live.AppUpdate{Departments: salesiq.Set([]string{"none"})})
	assert.Equal(t, 1025, number(t, err))
	brand, _ := s.Brand(made.ID)
	assert.Equal(t, "Westwind", brand.Name, "the domain is one")

	widgets := must[*live.Widgets](t)(l.Apps.UpdateWidgets(ctx, made.ID, &live.WidgetsUpdate{Type: live.ButtonWidget, Float: &live.WidgetPartUpdate{Position: "topleft"}}))
	assert.Equal(t, live.ButtonWidget, widgets.Type)
	widgets = must[*live.Widgets](t)(l.Apps.UpdateWidgets(ctx, made.ID, &live.WidgetsUpdate{Button: &live.WidgetPartUpdate{Sticker: "4"}}))
	assert.Equal(t, "topleft", widgets.Float.Position)
	assert.Equal(t, "4", widgets.Button.Sticker)
	site := must[*live.Website](t)(l.Apps.AddWebsite(ctx, made.ID, "https://www.westwind.example"))
	assert.Equal(t, "https://www.westwind.example", site.Website)
	assert.NotEmpty(t, site.Code)

	require.NoError(t, l.Apps.Delete(ctx, made.ID))
	require.NoError(t, l.Apps.Delete(ctx, "brand123"))
	assert.Len(t, collect(t, l.Departments.All(ctx, nil)), 5, "departments are the portal's")
	assert.Equal(t, 1026, number(t, l.Apps.Delete(ctx, "brand123456789")), "the last one")
}

func TestMobileChannelsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	_, l := startLive(t)
	ctx := t.Context()
	_, err := l.IOS.Get(ctx, "brand123")
	assert.Equal(t, 1019, number(t, err))
	_, err = l.Android.Update(ctx, "brand123", true)
	assert.Equal(t, 1019, number(t, err))
	made := must[*live.MobileChannel](t)(l.IOS.Create(ctx, "brand123", "example.nordlicht"))
	assert.True(t, made.Enabled)
	_, err = l.IOS.Create(ctx, "brand123", "example.nordlicht")
	assert.Equal(t, 1014, number(t, err))
	must[*live.MobileChannel](t)(l.IOS.Update(ctx, "brand123", &live.IOSUpdate{Enabled: salesiq.Set(false), Sandbox: &live.PushUpdate{Enabled: true}}))
	must[*live.MobileChannel](t)(l.IOS.UpdateComponents(ctx, "brand123", []live.Component{live.ComponentCall}))
	got := must[*live.MobileChannel](t)(l.IOS.Get(ctx, "brand123"))
	assert.False(t, got.Enabled)
	assert.True(t, got.Sandbox.Enabled)
	assert.False(t, got.Production.Enabled)
	assert.Equal(t, []live.Component{live.ComponentCall}, got.Components)
	assert.Equal(t, "example.nordlicht", got.BundleName)
	keys := must[[]live.AccessKey](t)(l.IOS.AccessKeys(ctx, "brand123"))
	assert.Equal(t, got.AccessKeys, keys)
	require.Len(t, keys, 1)
	assert.True(t, keys[0].Enabled)
	assert.Regexp(t, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", keys[0].UUID)
	assert.Equal(t, keys[0].Key[:32], strings.ReplaceAll(keys[0].UUID, "-", ""))
	assert.Regexp(t, "^[0-9a-f]{24}%2B$", got.AppKey)
	_, err = l.IOS.UpdateComponents(ctx, "brand123", []live.Component{"telepathy"})
	assert.Equal(t, 1011, number(t, err))

	must[*live.MobileChannel](t)(l.Android.Create(ctx, "brand123", "example.nordlicht"))
	must[*live.MobileChannel](t)(l.Android.UpdateComponents(ctx, "brand123", []live.Component{live.ComponentFAQ}))
	app := must[*live.App](t)(l.Apps.Get(ctx, "brand123"))
	assert.Equal(t, live.AppChannel{Enabled: true, FAQ: true}, app.Channels["android"], "the app tells of its channels")
	assert.Equal(t, live.AppChannel{Call: true}, app.Channels["ios"])
}

func TestArticlesAreListedByWhatIsAsked(t *testing.T) {
	t.Parallel()
	_, l := startLive(t)
	ctx := t.Context()
	help := must[*live.ArticleCategory](t)(l.ArticleCategories.Create(ctx, "Hilfe"))
	_, err := l.ArticleCategories.Create(ctx, "Hilfe")
	assert.Equal(t, 1014, number(t, err))
	must[*live.ArticleCategory](t)(l.ArticleCategories.Update(ctx, help.ID, "Help"))
	categories := collect(t, l.ArticleCategories.All(ctx))
	require.Len(t, categories, 2)
	assert.True(t, categories[0].Default)
	assert.Equal(t, "Help", categories[1].Name)
	create := func(title, category, department string, published bool) *live.Article {
		return must[*live.Article](t)(l.Articles.Create(ctx, &live.ArticleCreate{
			DepartmentID: department, CategoryID: category, Title: title, Content: "<p>x</p>", Published: live.TextBool(published),
		}))
	}
	made := create("1", help.ID, "dept789", true)
	create("2", help.ID, "dept790", false)
	for i := range 10 {
		create(fmt.Sprint(i+3), categories[0].ID, "dept790", true)
	}
	must[*live.Article](t)(l.Articles.Update(ctx, made.ID, &live.ArticleUpdate{Title: salesiq.Set("Hours"), Enabled: salesiq.Set(false)}))
	got := must[*live.Article](t)(l.Articles.Get(ctx, made.ID))
	assert.Equal(t, "Hours", got.Title)
	assert.False(t, got.Enabled)
	assert.True(t, got.Published)
	assert.Equal(t, "Help", got.Category.Name)
	count := func(params *live.ArticleListParams) int {
		return len(must[[]live.Article](t)(l.Articles.List(ctx, params)))
	}
	assert.Equal(t, 10, count(nil), "a page")
	assert.Equal(t, 2, count(&live.ArticleListParams{Page: 2}))
	assert.Len(t, collect(t, l.Articles.All(ctx, nil)), 12)
	assert.Equal(t, 2, count(&live.ArticleListParams{CategoryID: help.ID}))
	assert.Equal(t, 1, count(&live.ArticleListParams{DepartmentID: "dept789"}))
	assert.Equal(t, 1, count(&live.ArticleListParams{Mode: "draft"}))
	assert.Equal(t, 0, count(&live.ArticleListParams{Mode: "draft", DepartmentID: "dept789"}))
	newest := must[[]live.Article](t)(l.Articles.List(ctx, &live.ArticleListParams{SortBy: "views", Order: "descending", Limit: 1}))
	assert.Equal(t, "12", newest[0].Title)
	for _, by := range []string{"views", "likes", "dislikes", "used"} {
		assert.Equal(t, 10, count(&live.ArticleListParams{SortBy: by, Order: "ascending"}), by)
	}
	for _, wrong := range []live.ArticleListParams{{SortBy: "title"}, {Order: "up"}, {Mode: "all"}, {Limit: 100}} {
		_, err := l.Articles.List(ctx, &wrong)
		assert.Equal(t, 1011, number(t, err), "%+v", wrong)
	}
	_, err = l.Articles.Create(ctx, &live.ArticleCreate{DepartmentID: "none", CategoryID: help.ID, Title: "x", Content: "x"})
	assert.Equal(t, 1025, number(t, err))
	_, err = l.Articles.Create(ctx, &live.ArticleCreate{DepartmentID: "dept789", CategoryID: "none", Title: "x", Content: "x"})
	assert.Equal(t, 1019, number(t, err))
	require.NoError(t, l.Articles.Delete(ctx, made.ID))
	_, err = l.Articles.Get(ctx, made.ID)
	assert.Equal(t, 1019, number(t, err))
}

func TestAPageOfCannedResponsesHasOneMoreWhereThereAreMore(t *testing.T) {
	t.Parallel()
	_, l := startLive(t)
	ctx := t.Context()
	greetings := must[*live.CannedCategory](t)(l.CannedCategories.Create(ctx, "Greetings"))
	must[*live.CannedCategory](t)(l.CannedCategories.Update(ctx, greetings.ID, "Hello"))
	assert.Equal(t, "Hello", must[*live.CannedCategory](t)(l.CannedCategories.Get(ctx, greetings.ID)).Name)
	var first *live.CannedResponse
	for i := range 5 {
		made := must[*live.CannedResponse](t)(l.CannedResponses.Create(ctx, &live.CannedResponseCreate{
			Content: fmt.Sprint(i), DepartmentID: "dept789", Public: true, CategoryIDs: []string{greetings.ID},
		}))
		if first == nil {
			first = made
		}
	}
	page := must[[]live.CannedResponse](t)(l.CannedResponses.List(ctx, &live.CannedResponseListParams{Limit: 2}))
	next := must[[]live.CannedResponse](t)(l.CannedResponses.List(ctx, &live.CannedResponseListParams{Limit: 2, Page: 2}))
	last := must[[]live.CannedResponse](t)(l.CannedResponses.List(ctx, &live.CannedResponseListParams{Limit: 2, Page: 3}))
	require.Len(t, page, 3)
	require.Len(t, next, 3)
	assert.Equal(t, page[2].ID, next[0].ID, "it comes again")
	assert.Len(t, last, 1)
	assert.Len(t, collect(t, l.CannedResponses.All(ctx, &live.CannedResponseListParams{Limit: 2})), 5, "none comes twice")

	must[*live.CannedResponse](t)(l.CannedResponses.Update(ctx, first.ID, &live.CannedResponseUpdate{AllDepartments: salesiq.Set[live.TextBool](true), Enabled: salesiq.Set(false)}))
	got := must[*live.CannedResponse](t)(l.CannedResponses.Get(ctx, first.ID))
	assert.True(t, got.AllDepartments)
	assert.True(t, got.Public)
	assert.False(t, got.Enabled)
	assert.Equal(t, "Hello", got.Categories[0].Name)
	elsewhere := must[[]live.CannedResponse](t)(l.CannedResponses.List(ctx, &live.CannedResponseListParams{DepartmentID: "dept790"}))
	assert.Len(t, elsewhere, 1, "that of all departments")
	for _, by := range []string{"usage_count", "last_used_time"} {
		latest := must[[]live.CannedResponse](t)(l.CannedResponses.List(ctx, &live.CannedResponseListParams{SortBy: by, Order: "descending", Limit: 1}))
		assert.Equal(t, "4", latest[0].Content, by)
	}
	_, err := l.CannedResponses.List(ctx, &live.CannedResponseListParams{SortBy: "content"})
	assert.Equal(t, 1011, number(t, err))

	general := must[*live.CannedResponse](t)(l.CannedResponses.Create(ctx, &live.CannedResponseCreate{Content: "x", AllDepartments: true})).Categories
	require.Len(t, general, 1)
	assert.Equal(t, 1019, number(t, l.CannedCategories.Delete(ctx, greetings.ID, "none")))
	assert.Equal(t, 1011, number(t, l.CannedCategories.Delete(ctx, greetings.ID, greetings.ID)))
	require.NoError(t, l.CannedCategories.Delete(ctx, greetings.ID, general[0].ID))
	assert.Equal(t, general, must[*live.CannedResponse](t)(l.CannedResponses.Get(ctx, first.ID)).Categories)
	require.NoError(t, l.CannedResponses.Delete(ctx, first.ID))
}

func TestRulesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	var ids []string
	for _, title := range []string{"1", "2", "3"} {
		rule := must[*live.RoutingRule](t)(l.VisitorRouting.Create(ctx, &live.RoutingRuleWrite{
			All: anyCriteria, Title: title, AppID: "brand123", Users: &live.RoutingUsers{OperatorIDs: []string{"operator456"}},
		}))
		ids = append(ids, rule.ID)
	}
	require.NoError(t, l.VisitorRouting.Move(ctx, ids[2], 1))
	require.NoError(t, l.VisitorRouting.Enable(ctx, ids[0], false))
	must[*live.RoutingRule](t)(l.VisitorRouting.Update(ctx, ids[1], &live.RoutingRuleWrite{All: anyCriteria, Title: "two"}))
	rules := must[*live.RoutingRules](t)(l.VisitorRouting.List(ctx))
	var order []string
	for i, rule := range rules.Rules {
		assert.Equal(t, i+1, rule.Position)
		order = append(order, rule.Title)
	}
	assert.Equal(t, []string{"3", "1", "two"}, order)
	got := must[*live.RoutingRule](t)(l.VisitorRouting.Get(ctx, ids[0]))
	assert.False(t, got.Enabled)
	assert.Equal(t, "Nordlicht Outdoor", got.App.Name)
	assert.Equal(t, []string{"operator456"}, got.Users.OperatorIDs)
	assert.Equal(t, anyCriteria, got.All)
	assert.Equal(t, 1011, number(t, l.VisitorRouting.Move(ctx, ids[0], 4)))
	_, err := l.VisitorRouting.Create(ctx, &live.RoutingRuleWrite{All: anyCriteria, Users: &live.RoutingUsers{OperatorIDs: []string{"none"}}})
	assert.Equal(t, 1024, number(t, err))
	_, err = live.Post[any](ctx, s.Client(t), "/visitorroutingrules", json.RawMessage(`{"and_criteria":[{"or_criteria":null}]}`))
	assert.Equal(t, 1007, number(t, err))
	require.NoError(t, l.VisitorRouting.Delete(ctx, ids[0]))
	assert.Len(t, must[*live.RoutingRules](t)(l.VisitorRouting.List(ctx)).Rules, 2)

	assert.Equal(t, live.Enabled, must[*live.CommonRule](t)(l.VisitorRouting.Common(ctx)).RouteToAll)
	require.NoError(t, l.VisitorRouting.UpdateCommon(ctx, live.Disabled))
	assert.Equal(t, live.Disabled, must[*live.CommonRule](t)(l.VisitorRouting.Common(ctx)).RouteToAll)
	assert.Equal(t, live.Disabled, must[*live.RoutingRules](t)(l.VisitorRouting.List(ctx)).RouteToAll)
	assert.Equal(t, 1011, number(t, l.VisitorRouting.UpdateCommon(ctx, "maybe")))

	chat := must[*live.RoutingRule](t)(l.ChatRouting.Create(ctx, &live.RoutingRuleWrite{All: anyCriteria, Title: "x"}))
	require.NoError(t, l.ChatRouting.Enable(ctx, chat.ID, false))
	must[*live.RoutingRule](t)(l.ChatRouting.Update(ctx, chat.ID, &live.RoutingRuleWrite{All: anyCriteria, Title: "y"}))
	got = must[*live.RoutingRule](t)(l.ChatRouting.Get(ctx, chat.ID))
	assert.False(t, got.Enabled)
	assert.Equal(t, "y", got.Title)
	assert.Len(t, must[*live.RoutingRules](t)(l.ChatRouting.List(ctx)).Rules, 1, "visitors' rules are others")
	calls := must[*live.RoutingRule](t)(l.CallRouting.Create(ctx, &live.RoutingRuleWrite{All: anyCriteria}))
	assert.NotEmpty(t, calls.ID)
	assert.Equal(t, "Nordlicht Outdoor", calls.App.Name, "the first app, if none is named")
}

func TestLeadRulesAndTriggersKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	_, l := startLive(t)
	ctx := t.Context()
	criteria := []live.LeadAnyOf{{Any: anyCriteria[0].Any}}
	rule := must[*live.LeadRule](t)(l.LeadScoring.Create(ctx, &live.LeadRuleWrite{Points: 10, All: criteria}))
	must[*live.LeadRule](t)(l.LeadScoring.Update(ctx, rule.ID, &live.LeadRuleWrite{Points: 5, All: criteria}))
	require.NoError(t, l.LeadScoring.Enable(ctx, rule.ID, live.Disabled))
	got := must[*live.LeadRule](t)(l.LeadScoring.Get(ctx, rule.ID))
	assert.Equal(t, 5, got.Points)
	assert.Equal(t, live.Disabled, got.Status)
	assert.Equal(t, criteria, got.All)
	assert.Equal(t, []live.LeadRule{*got}, must[[]live.LeadRule](t)(l.LeadScoring.List(ctx)))
	require.NoError(t, l.LeadScoring.Delete(ctx, rule.ID))
	assert.Empty(t, must[[]live.LeadRule](t)(l.LeadScoring.List(ctx)))
	require.NoError(t, l.LeadScoring.UpdateConfig(ctx, "weekly"))
	config := must[*live.LeadConfig](t)(l.LeadScoring.Config(ctx))
	assert.Equal(t, "weekly", config.Frequency)
	assert.False(t, config.NextAt.IsZero())

	write := &live.TriggerWrite{
		All: anyCriteria, AppID: "brand123", Title: "Greet", Event: live.TriggerEvent{Type: "lands_on_website"},
		Action: live.TriggerAction{Type: "send_chat_invite", Params: live.TriggerParams{SenderName: "Greta", Value: "Moin"}, Delay: 5},
	}
	first := must[*live.Trigger](t)(l.Triggers.Create(ctx, write))
	second := must[*live.Trigger](t)(l.Triggers.Create(ctx, write))
	write.Title = "Ask"
	must[*live.Trigger](t)(l.Triggers.Update(ctx, second.ID, write))
	require.NoError(t, l.Triggers.Move(ctx, second.ID, 1))
	require.NoError(t, l.Triggers.Enable(ctx, second.ID, false))
	trigger := must[*live.Trigger](t)(l.Triggers.Get(ctx, second.ID))
	assert.Equal(t, write.Action, trigger.Action)
	assert.Equal(t, write.Event, trigger.Event)
	assert.False(t, trigger.Enabled)
	all := must[[]live.Trigger](t)(l.Triggers.List(ctx))
	require.Len(t, all, 2)
	assert.Equal(t, "Ask", all[0].Title)
	assert.Equal(t, 2, all[1].Position)
	write.AppID = "none"
	_, err := l.Triggers.Update(ctx, first.ID, write)
	assert.Equal(t, 1019, number(t, err))
	require.NoError(t, l.Triggers.Delete(ctx, second.ID))
	_, err = l.Triggers.Get(ctx, second.ID)
	assert.Equal(t, 1019, number(t, err))
}

func TestPresetsViewsAndPreferencesKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	write := &live.TrackingPresetWrite{Name: "Buyers", Enabled: true, Rule: live.Rings{One: anyCriteria, Two: anyCriteria, Three: anyCriteria, Four: anyCriteria}}
	made := must[*live.TrackingPreset](t)(l.TrackingPresets.Create(ctx, write))
	require.NoError(t, l.TrackingPresets.Enable(ctx, made.ID, false))
	assert.False(t, must[*live.TrackingPreset](t)(l.TrackingPresets.Get(ctx, made.ID)).Enabled)
	write.Applied, write.Description = true, "Who buys"
	must[*live.TrackingPreset](t)(l.TrackingPresets.Update(ctx, made.ID, write))
	write.Name = "Readers"
	other := must[*live.TrackingPreset](t)(l.TrackingPresets.Create(ctx, write))
	all := must[[]live.TrackingPreset](t)(l.TrackingPresets.List(ctx))
	require.Len(t, all, 2)
	assert.False(t, all[0].Applied, "one is applied at a time")
	assert.True(t, all[1].Applied)
	assert.Equal(t, write.Rule, all[1].Rule)
	half := `{"name":"Half","rule":{"ring_one":[{"or_criteria":[{"field_name":"country","comparator":"is_equal_to","values":["canada"]}]}]}}`
	assert.Contains(t, do(t, s, s.AccessToken(), "POST", "/api/v2/nordlicht/trackingpresets", half).body, `"json_key":"rule.ring_two"`, "all rings are required")

	_, err := l.TrackingPresets.Create(ctx, &live.TrackingPresetWrite{Name: "Half", Rule: live.Rings{One: anyCriteria}})
	wrong, ok := errors.AsType[*salesiq.InputError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "rule.ring_two", wrong.Field)

	views := must[[]live.HistoryView](t)(l.HistoryViews.List(ctx))
	require.Len(t, views, 2)
	assert.Equal(t, "-1", views[0].ID)
	assert.True(t, views[0].System)
	view := must[*live.HistoryView](t)(l.HistoryViews.Create(ctx, &live.HistoryViewCreate{Name: "North", All: anyCriteria, SortBy: "leadscore"}))
	must[*live.HistoryView](t)(l.HistoryViews.Update(ctx, view.ID, &live.HistoryViewUpdate{Favorite: salesiq.Set(true)}))
	got := must[*live.HistoryView](t)(l.HistoryViews.Get(ctx, view.ID))
	assert.True(t, got.Favorite)
	assert.Equal(t, "leadscore", got.SortBy)
	_, err = l.HistoryViews.Update(ctx, "-1", &live.HistoryViewUpdate{Name: salesiq.Set("x")})
	assert.Equal(t, 1016, number(t, err))
	assert.Equal(t, 1016, number(t, l.HistoryViews.Delete(ctx, "-2")))

	require.NoError(t, l.HistoryViews.Select(ctx, "list_two", view.ID))
	assert.Equal(t, 1019, number(t, l.HistoryViews.Select(ctx, "list_two", "none")))
	assert.Equal(t, 1011, number(t, l.HistoryViews.Select(ctx, "list_four", view.ID)))
	chosen := must[*live.Preferences](t)(l.HistoryViews.Preferences(ctx))
	assert.Equal(t, live.SelectedView{ID: view.ID, Name: "North"}, chosen.Views["list_two"])
	assert.Equal(t, "-1", chosen.Views["list_one"].ID)
	assert.Equal(t, other.ID, chosen.Tracking.Preset.ID)
	require.NoError(t, l.TrackingPresets.Delete(ctx, other.ID))
	require.NoError(t, l.HistoryViews.Delete(ctx, view.ID))
	chosen = must[*live.Preferences](t)(l.HistoryViews.Preferences(ctx))
	assert.Equal(t, "-1", chosen.Views["list_two"].ID)
	assert.Empty(t, chosen.Tracking.Preset.ID)
}

func TestMonitorsAndBlockedIPsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	monitor := must[*live.Monitor](t)(l.Monitors.Create(ctx, live.MonitorOperator, "operator456"))
	assert.Equal(t, "Greta Sommer", monitor.Target.OperatorName)
	must[*live.Monitor](t)(l.Monitors.Create(ctx, live.MonitorVisitorIP, "203.0.113.7"))
	assert.False(t, must[*live.Monitor](t)(l.Monitors.Enable(ctx, monitor.ID, false)).Enabled)
	all := collect(t, l.Monitors.All(ctx))
	require.Len(t, all, 2)
	assert.False(t, all[0].Enabled)
	assert.Equal(t, live.MonitorTarget{Type: live.MonitorVisitorIP, VisitorIP: "203.0.113.7"}, all[1].Target)
	_, err := l.Monitors.Create(ctx, live.MonitorOperator, "none")
	assert.Equal(t, 1024, number(t, err))
	require.NoError(t, l.Monitors.Delete(ctx, monitor.ID))
	assert.Len(t, collect(t, l.Monitors.All(ctx)), 1)

	blocked := must[[]live.BlockedIP](t)(l.BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "203.0.113.7", Comment: "spam"}))
	require.Len(t, blocked, 2, "one for each app")
	assert.Equal(t, "spam", blocked[1].Comments[0].Text)
	assert.Equal(t, "brand123456789", blocked[1].App.ID)
	_, err = l.BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "203.0.113.7", AppIDs: []string{"brand123"}})
	assert.Equal(t, 1014, number(t, err))
	_, err = l.BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "203.0.113.8", AppIDs: []string{"brand123", "none"}})
	assert.Equal(t, 1019, number(t, err))
	assert.Equal(t, liveRefusal{Code: wrongValue, Key: "ip"}, liveRefusalIn(t, do(t, s, s.AccessToken(), "POST", liveRoot+"/blockedips", `{"comment":"nobody"}`)))
	require.NoError(t, l.BlockedIPs.SetStatus(ctx, blocked[0].ID, live.UnblockIP))
	require.NoError(t, l.BlockedIPs.SetStatus(ctx, blocked[0].ID, "unblocked"), "the status as it is may be sent back")
	assert.Equal(t, 1011, number(t, l.BlockedIPs.SetStatus(ctx, blocked[0].ID, "blocked")))
	assert.Equal(t, 1011, number(t, l.BlockedIPs.SetStatus(ctx, blocked[0].ID, "forget")))
	require.NoError(t, l.BlockedIPs.Delete(ctx, blocked[1].ID))
	left := collect(t, l.BlockedIPs.All(ctx))
	require.Len(t, left, 1, "nothing of what was refused")
	assert.Equal(t, "unblocked", left[0].Status)

	agent := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithRole(salesiq.RoleAgent))
	_, err = live.New(agent.Client(t)).BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "203.0.113.7"})
	assert.Equal(t, 1016, number(t, err), "associates may not")
}

func TestEncryptionsWantTheirContentType(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	values := must[[]live.Encryption](t)(l.Encryptions.Create(ctx, []string{"ada@post.example", " ada@post.example ", "bo@post.example"}))
	require.Len(t, values, 3)
	assert.Equal(t, values[0], values[1], "values are trimmed")
	assert.NotEqual(t, values[0], values[2])
	const body = `{"type":"siqidentifiers","values":["a"]}`
	for _, row := range []struct{ contentType, body, want string }{
		{"", body, `{"error":{"code":1054,"header":"Content-Type"`},
		{"text/plain", body, `{"error":{"code":1054,"header":"Content-Type"`},
		{"application/json; charset=utf-8", body, `"encrypted_value":"siq`},
		{"application/json", `{"type":"other","values":["a"]}`, `"json_key":"type"`},
		{"application/json", `{"type":"siqidentifiers","values":[` + strings.Repeat(`"a",`, 20) + `"a"]}`, `"json_key":"values"`},
		{"application/json", `{"type":"siqidentifiers","values":["a"," "]}`, `"json_key":"values[1]"`},
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v2/encryptions", strings.NewReader(row.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Zoho-oauthtoken "+s.AccessToken())
		if row.contentType != "" {
			request.Header.Set("Content-Type", row.contentType)
		}
		a, err := send(s, request)
		require.NoError(t, err)
		assert.Contains(t, a.body, row.want, "%+v", row)
	}
}

func TestABotHasThreeMinutesForItsCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := startLive(t, salesiqtest.InMemory())
		ctx := t.Context()
		answer := map[string]any{"action": "reply", "replies": []any{"Here", map[string]string{"type": "file", "url": "https://x.example/f", "text": "f"}}}
		require.NoError(t, l.Callbacks.Progress(ctx, "r1", "Looking"))
		time.Sleep(2 * time.Minute)
		require.NoError(t, l.Callbacks.Progress(ctx, "r1", "Still looking"))
		require.NoError(t, l.Callbacks.Respond(ctx, "r1", answer))
		assert.Equal(t, 1019, number(t, l.Callbacks.Respond(ctx, "r1", answer)), "it is answered")
		require.NoError(t, l.Callbacks.Progress(ctx, "r2", "Looking"))
		time.Sleep(3*time.Minute + time.Second)
		assert.Equal(t, 1019, number(t, l.Callbacks.Respond(ctx, "r2", answer)), "it is too late")
		assert.Equal(t, 1011, number(t, l.Callbacks.Respond(ctx, "r3", map[string]any{"action": "dance", "replies": []string{}})))
		assert.Equal(t, 1011, number(t, l.Callbacks.Respond(ctx, "r3", map[string]any{"action": "end"})), "replies are mandatory")
		for _, replies := range []any{"Here", nil, []any{"Here", 7}, []any{nil}} {
			assert.Equal(t, 1007, number(t, l.Callbacks.Respond(ctx, "r3", map[string]any{"action": "end", "replies": replies})), "%v", replies)
		}
		written := s.Journal()
		require.Len(t, written, 4)
		assert.Equal(t, "/api/v2/nordlicht/callbacks/r1/response", written[2].Path)
		assert.Contains(t, written[2].Body, `"action":"reply"`)
	})
}

// What a GET answers with can be sent back, and changes nothing.
func TestWhatWasReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	s, l := startLive(t)
	ctx := t.Context()
	category := collect(t, l.ArticleCategories.All(ctx))[0]
	article := must[*live.Article](t)(l.Articles.Create(ctx, &live.ArticleCreate{DepartmentID: "dept789", CategoryID: category.ID, Title: "x", Content: "x"}))
	response := must[*live.CannedResponse](t)(l.CannedResponses.Create(ctx, &live.CannedResponseCreate{Content: "x", DepartmentID: "dept789"}))
	visitors := must[*live.RoutingRule](t)(l.VisitorRouting.Create(ctx, &live.RoutingRuleWrite{All: anyCriteria}))
	chats := must[*live.RoutingRule](t)(l.ChatRouting.Create(ctx, &live.RoutingRuleWrite{All: anyCriteria}))
	lead := must[*live.LeadRule](t)(l.LeadScoring.Create(ctx, &live.LeadRuleWrite{Points: 1, All: []live.LeadAnyOf{{Any: anyCriteria[0].Any}}}))
	trigger := must[*live.Trigger](t)(l.Triggers.Create(ctx, &live.TriggerWrite{
		All: anyCriteria, AppID: "brand123", Title: "x", Event: live.TriggerEvent{Type: "lands_on_website"}, Action: live.TriggerAction{Type: "open_chat_window"},
	}))
	preset := must[*live.TrackingPreset](t)(l.TrackingPresets.Create(ctx, &live.TrackingPresetWrite{Name: "x", Rule: live.Rings{One: anyCriteria, Two: anyCriteria, Three: anyCriteria, Four: anyCriteria}}))
	view := must[*live.HistoryView](t)(l.HistoryViews.Create(ctx, &live.HistoryViewCreate{Name: "x", All: anyCriteria}))
	must[*live.MobileChannel](t)(l.IOS.Create(ctx, "brand123", "x"))
	for _, path := range []string{
		"operators/operator456", "departments/dept789", "apps/brand123", "apps/brand123/channels/ios", "articles/" + article.ID, "cannedresponses/" + response.ID,
		"cannedresponsecategories/" + response.Categories[0].ID, "visitorroutingrules/" + visitors.ID, "chatroutingrules/" + chats.ID,
		"leadscorerules/" + lead.ID, "triggerrules/" + trigger.ID, "trackingpresets/" + preset.ID, "visitorhistoryviews/" + view.ID,
	} {
		path = "/api/v2/nordlicht/" + path
		read := into[map[string]json.RawMessage](t, get(t, s, path))
		body, err := json.Marshal(read)
		require.NoError(t, err)
		a := do(t, s, s.AccessToken(), http.MethodPut, path, string(body))
		require.NotContains(t, a.body, `"error":`, path)
		again := into[map[string]json.RawMessage](t, get(t, s, path))
		for _, member := range []string{"modified_time"} {
			delete(read, member)
			delete(again, member)
		}
		assert.Equal(t, read, again, path)
		a = do(t, s, s.AccessToken(), http.MethodPut, path, `{"id":"another"}`)
		if strings.Contains(path, "channels") {
			continue // Channels have no ids.
		}
		assert.Contains(t, a.body, `"json_key":"id"`, path)
	}
}

func TestWebhooksAreManaged(t *testing.T) {
	t.Parallel()
	s, l := startLive(t, salesiqtest.WithWebhookRetryPause(time.Millisecond))
	ctx := t.Context()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(receiver.Close)
	require.NoError(t, l.Webhooks.Delete(ctx, "webhook123"))
	create := func(kind live.WebhookType, path string, events ...salesiq.EventName) *live.Webhook {
		return must[*live.Webhook](t)(l.Webhooks.Create(ctx, &live.WebhookCreate{Type: kind, URL: receiver.URL + path, Events: events, Secured: true}))
	}
	hook := create(live.DataWebhook, "/1", "conversation.created")
	other := create(live.DataWebhook, "/2", "conversation.rated")
	administration := create(live.AdministrationWebhook, "/3", "tag.created")
	assert.Equal(t, "1", hook.Version)

	added := must[*live.Webhook](t)(l.Webhooks.AddEvents(ctx, hook.ID, []salesiq.EventName{"conversation.visitor.replied", "conversation.created"}))
	assert.JSONEq(t, `["conversation.visitor.replied","conversation.created"]`, string(added.Extra["ids"]), "as the page has them")
	require.NoError(t, l.Webhooks.RemoveEvents(ctx, hook.ID, []salesiq.EventName{"conversation.visitor.replied"}))
	assert.Equal(t, []string{"brand123"}, must[*live.Webhook](t)(l.Webhooks.AddApps(ctx, hook.ID, []string{"brand123"})).AppIDs)
	got := must[*live.Webhook](t)(l.Webhooks.Get(ctx, hook.ID))
	assert.Equal(t, []salesiq.EventName{"conversation.created"}, got.Events)
	_, err := l.Webhooks.AddEvents(ctx, hook.ID, []salesiq.EventName{"chat.ended"})
	assert.Equal(t, 1011, number(t, err))
	_, err = l.Webhooks.AddApps(ctx, hook.ID, []string{"none"})
	assert.Equal(t, 1019, number(t, err))

	ids := func(params *live.WebhookListParams) (ids []string) {
		for _, webhook := range must[[]live.Webhook](t)(l.Webhooks.List(ctx, params)) {
			ids = append(ids, webhook.ID)
		}
		return ids
	}
	assert.ElementsMatch(t, []string{hook.ID, other.ID}, ids(nil))
	assert.Equal(t, []string{administration.ID}, ids(&live.WebhookListParams{Type: live.AdministrationWebhook}))
	assert.Equal(t, []string{hook.ID}, ids(&live.WebhookListParams{AppIDs: []string{"brand123"}}))
	time.Sleep(2 * time.Millisecond)
	require.NoError(t, l.Webhooks.RemoveApps(ctx, hook.ID, []string{"brand123"}))
	assert.Equal(t, []string{other.ID, hook.ID}, ids(&live.WebhookListParams{SortBy: "modified_time"}))
	assert.Equal(t, []string{hook.ID, other.ID}, ids(&live.WebhookListParams{SortBy: "-modified_time"}))
	assert.Equal(t, []string{hook.ID, other.ID}, ids(&live.WebhookListParams{SortBy: "created_time"}))
	assert.Equal(t, []string{other.ID, hook.ID}, ids(&live.WebhookListParams{SortBy: "-created_time"}))
	_, err = l.Webhooks.List(ctx, &live.WebhookListParams{SortBy: "url"})
	assert.Equal(t, 1011, number(t, err))
	_, err = l.Webhooks.List(ctx, &live.WebhookListParams{Type: live.AdministrationWebhook, AppIDs: []string{"brand123"}})
	assert.Equal(t, 1011, number(t, err))
	a := get(t, s, "/api/v2/nordlicht/webhooks")
	assert.Equal(t, 3, strings.Count(a.body, `"failures_count"`), "the page's example leaves the type out")
	must[*live.Webhook](t)(l.Webhooks.AddApps(ctx, other.ID, []string{"brand123"}))
	summary := must[*live.WebhookSummary](t)(l.Webhooks.Summary(ctx))
	assert.Equal(t, 3, summary.All)
	assert.Equal(t, map[string]int{"brand123": 1}, summary.ByApp)

	before := time.Now()
	for range 3 {
		_, err := s.StartChat("visitor123", "Hello")
		require.NoError(t, err)
	}
	waitForAttempts := func(n int) {
		require.Eventually(t, func() bool { return len(s.Deliveries()) == n }, 10*time.Second, time.Millisecond)
	}
	waitForAttempts(12)
	failed := collect(t, l.Webhooks.FailedExecutions(ctx, hook.ID, nil))
	require.Len(t, failed, 3)
	count := func(params *live.ExecutionListParams) int {
		return len(collect(t, l.Webhooks.FailedExecutions(ctx, hook.ID, params)))
	}
	assert.Equal(t, 3, count(&live.ExecutionListParams{From: before, Events: []salesiq.EventName{"conversation.created", "conversation.rated"}}))
	assert.Equal(t, 0, count(&live.ExecutionListParams{To: before.Add(-time.Minute)}))
	assert.Equal(t, 0, count(&live.ExecutionListParams{Events: []salesiq.EventName{"conversation.rated"}}))
	summary = must[*live.WebhookSummary](t)(l.Webhooks.FailedExecutionsSummary(ctx, hook.ID))
	assert.Equal(t, 3, summary.All)
	assert.Equal(t, map[string]int{"brand123": 3}, summary.ByApp)
	require.NoError(t, l.Webhooks.DeleteFailedExecutions(ctx, hook.ID, []string{failed[0].ID}))
	assert.Equal(t, 2, count(nil))
	assert.Equal(t, 1011, number(t, l.Webhooks.DeleteFailedExecutions(ctx, hook.ID, []string{failed[0].ID})))
	a = do(t, s, s.AccessToken(), http.MethodDelete, "/api/v2/nordlicht/webhooks/"+hook.ID+"/executions", `{"ids":["`+failed[1].ID+`"]}`)
	assert.Equal(t, http.StatusNoContent, a.status, "the page's sample has the ids in the body: %s", a.body)
	assert.Empty(t, must[[]string](t)(l.Webhooks.Retry(ctx, hook.ID, []string{failed[2].ID})))
	waitForAttempts(16)
	again := collect(t, l.Webhooks.FailedExecutions(ctx, hook.ID, nil))
	require.Len(t, again, 1)
	assert.Equal(t, failed[2].Retries+1, again[0].Retries)
	a = do(t, s, s.AccessToken(), http.MethodPost, "/api/v2/nordlicht/webhooks/"+hook.ID+"/executions/"+again[0].ID, "")
	assert.Contains(t, a.body, `"skipped":[]`, "one of them by its path")
}
