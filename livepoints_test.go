package salesiq_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/widget"
)

// The points in which the live service, as its vendor describes it, differs from
// the specification: one test for each, which fails without the tolerance.

// livePortal is what a client of the live dialect lists.
type livePortal struct {
	ScreenName string `json:"screenname"`
}

func newLiveServer(t *testing.T, opts ...salesiqtest.Option) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t, append([]salesiqtest.Option{salesiqtest.Live()}, opts...)...)
	return server
}

// The screen name is part of the path, but for the list of screen names; other
// roots can be reached.
func TestLivePoint01(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t, salesiq.WithPortal("Zylker INC"))
	for _, path := range []string{
		"/conversations", "conversations/1?a=b", "/portals", "/portals/x", "/portalsettings",
		"/api/v1/{portal}/chats", "/api/v3/{portal}/visitors", "/visitor/v2/{portal}/conversations", "/api/v2/portals",
	} {
		require.NoError(t, client.Do(t.Context(), "GET", path, nil, nil))
	}
	var got []string
	for _, request := range api.requests() {
		got = append(got, request.Path)
	}
	assert.Equal(t, []string{
		"/api/v2/Zylker%20INC/conversations", "/api/v2/Zylker%20INC/conversations/1", "/api/v2/portals", "/api/v2/portals/x",
		"/api/v2/Zylker%20INC/portalsettings", "/api/v1/Zylker%20INC/chats", "/api/v3/Zylker%20INC/visitors",
		"/visitor/v2/Zylker%20INC/conversations", "/api/v2/portals",
	}, got)

	require.NoError(t, api.client(t, salesiq.WithPortal("a/b?c")).Do(t.Context(), "GET", "/x", nil, nil))
	requests := api.requests()
	assert.Equal(t, "/api/v2/a%2Fb%3Fc/x", requests[len(requests)-1].Path)

	server := newLiveServer(t)
	_, err := server.Client(t).Operators.List(t.Context(), nil)
	require.NoError(t, err)
	bare, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), salesiq.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = bare.Operators.List(t.Context(), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.NotErrorIs(t, err, salesiq.ErrResourceNotFound, "a deletion must not look done")
	require.ErrorContains(t, err, "WithPortal (SALESIQ_PORTAL)")
	assert.Equal(t, 1006, vendorCode(t, err))
	_, err = server.Client(t, salesiq.WithPortal("elsewhere")).Operators.List(t.Context(), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.NotErrorIs(t, err, salesiq.ErrResourceNotFound)
	require.ErrorContains(t, err, `"elsewhere"`)
	assert.Equal(t, 1005, vendorCode(t, err))
}

func vendorCode(t *testing.T, err error) int {
	t.Helper()
	var failure *salesiq.Error
	require.ErrorAs(t, err, &failure)
	return failure.VendorCode
}

// Canada has another host than specified, and any host can be set.
func TestLivePoint02(t *testing.T) {
	t.Parallel()
	dc, err := salesiq.LookupDataCenter("CA-cloud")
	require.NoError(t, err)
	assert.Equal(t, "https://salesiq.zohocloud.ca", dc.Hosts().API)
	assert.Equal(t, "https://accounts.zohocloud.ca", dc.Hosts().Accounts)
	assert.Equal(t, "https://salesiq.zoho.ca", salesiq.CA.Hosts().API, "as specified")
	free := salesiq.Hosts{API: "https://salesiq.zoho.example", Accounts: "https://accounts.zoho.example", Widget: "https://w.example"}.DataCenter()
	client, err := salesiq.NewClient(salesiq.StaticToken(testToken), salesiq.WithDataCenter(free))
	require.NoError(t, err)
	assert.Equal(t, free, client.DataCenter())
	page, err := widget.Widget{Code: "c", DataCenter: free, CodeInURL: true}.HTML("")
	require.NoError(t, err)
	assert.Contains(t, page, "https://w.example/widget?wc=c")
}

// The api_domain of a token is another product's host, and never used as ours.
func TestLivePoint03(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"https://www.zohoapis.com", "https://www.zohoapis.example", "www.zohoapis.com", "nonsense"} {
		server := newLiveServer(t, salesiqtest.WithAPIDomain(domain))
		client := server.Client(t, salesiq.WithDataCenter(salesiq.US), salesiq.WithBaseURL(server.URL), salesiq.WithAccountsURL(server.URL))
		_, err := client.Operators.List(t.Context(), nil)
		require.NoError(t, err, domain)
		assert.Equal(t, server.URL, client.DataCenter().Hosts().API)
	}
}

// A code is exchanged where the callback says, if that is one of the vendor's.
func TestLivePoint04(t *testing.T) {
	t.Parallel()
	flow := salesiq.OAuth{}
	query := url.Values{"state": {"s"}, "code": {"1000.a.b"}, "location": {"in"}, "accounts-server": {salesiq.IN.Hosts().Accounts}}
	code, err := flow.ParseCallback(query, "s")
	require.NoError(t, err)
	assert.Equal(t, salesiq.IN, code.DataCenter)
	query.Set("accounts-server", "https://accounts.zoho.in.evil.example")
	_, err = flow.ParseCallback(query, "s")
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
}

// The token endpoint refuses with status 200, and throttles with 200 or 400.
func TestLivePoint05(t *testing.T) {
	t.Parallel()
	const throttled = `{"error_description":"too many","error":"Access Denied","status":"failure"}`
	for _, row := range []struct {
		status    int
		body      string
		permanent bool
		wait      time.Duration
	}{
		{200, `{"error":"invalid_client"}`, true, 0},
		{200, `{"error":"invalid_code"}`, true, 0},
		{200, throttled, false, 9 * time.Minute},
		{400, throttled, false, 9 * time.Minute},
	} {
		var asked atomic.Int32
		accounts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(row.status)
			io.WriteString(w, row.body)
		}))
		t.Cleanup(accounts.Close)
		auth := salesiq.RefreshToken(salesiq.Credentials{ClientID: "c", ClientSecret: salesiq.NewSecret("s"), RefreshToken: salesiq.NewSecret("r")}, salesiq.NewMemoryTokenStore())
		client, err := salesiq.NewClient(auth, salesiq.WithBaseURL(accounts.URL))
		require.NoError(t, err)
		for range 3 {
			_, err = client.Chats.Get(t.Context(), "c1")
			var refused *salesiq.AuthError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, row.permanent, refused.Permanent, row.body)
			if row.wait > 0 {
				assert.Greater(t, time.Until(refused.RetryAt), row.wait)
			}
		}
		assert.EqualValues(t, 1, asked.Load(), "never in a tight loop: %s", row.body)
	}
}

// The service gives out ten tokens in ten minutes, so a token is requested once and
// kept.
func TestLivePoint06(t *testing.T) {
	t.Parallel()
	server := newLiveServer(t)
	client := server.Client(t)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			_, err := client.Operators.List(t.Context(), nil)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, 1, server.Stats().TokenRequests)
	server.RevokeTokens()
	_, err := client.Operators.List(t.Context(), nil)
	require.NoError(t, err, "the refresh token is kept, though no answer repeats it")
	assert.Equal(t, 2, server.Stats().TokenRequests)
}

// Scopes are other words than the specified ones.
func TestLivePoint07(t *testing.T) {
	t.Parallel()
	flow := salesiq.OAuth{
		Credentials: salesiq.Credentials{ClientID: "c"}, RedirectURL: "https://app.example/back",
		Scopes: []salesiq.Scope{live.ScopeConversationsRead, "SalesIQ.media.READ"},
	}
	address, err := flow.AuthURL("state")
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	assert.Equal(t, "SalesIQ.conversations.READ,SalesIQ.media.READ", u.Query().Get("scope"))
}

// A success says nothing of itself, and what surrounds the data can be had.
func TestLivePoint08(t *testing.T) {
	t.Parallel()
	const answer = `{"url":"/api/v2/z/operators","object":"list","CRC":"77","data":[{"id":"1"}],"sync_time":"1524153096249","more_data_available":"true"}`
	api := newAPIRecorder(t, answerJSON(http.StatusOK, answer))
	var response salesiq.Response
	page, err := api.client(t).Operators.List(t.Context(), nil, salesiq.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, "1", page.Items[0].ID)
	around := live.ReadEnvelope(&response)
	assert.Equal(t, "/api/v2/z/operators", around.URL)
	assert.Equal(t, "list", around.Object)
	assert.Equal(t, time.UnixMilli(1_524_153_096_249).UTC(), around.SyncTime)
	assert.True(t, *around.MoreData)
	assert.JSONEq(t, `"77"`, string(around.Extra["CRC"]))

	for _, nothing := range []string{``, `{}`, `{"url":"/x","object":"operator"}`, `{"url":"/x","object":"operator","data":{}}`} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, nothing))
		chat, err := api.client(t).Chats.End(t.Context(), "c1", nil)
		require.NoError(t, err, nothing)
		assert.Empty(t, chat.ID)
		for _, err := range live.All[livePortal](t.Context(), api.client(t), "/x", nil, live.PageAndLimit()) {
			assert.Contains(t, nothing, `"data":{}`, "%v: an object is no list", err)
		}
	}
	api = newAPIRecorder(t, answerJSON(http.StatusOK, `{"url":"/x","object":"message","data":"Success"}`))
	sent, err := live.New(api.client(t, salesiq.WithPortal("z"))).Messages.Send(t.Context(), "1", "Once")
	require.NoError(t, err, "data may be a text, and the message has been sent")
	assert.Empty(t, sent.Text())
	_, err = live.New(api.client(t, salesiq.WithPortal("z"))).Conversations.Get(t.Context(), "1")
	require.ErrorIs(t, err, salesiq.ErrDecode, "but it is no conversation")
	api = newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	_, err = live.Put[any](t.Context(), api.client(t), "/operators/1/enable", nil)
	require.NoError(t, err)
	assert.Equal(t, live.Envelope{}, live.ReadEnvelope(&salesiq.Response{}))
}

// Errors have two shapes and any status, and the numbers have names.
func TestLivePoint09(t *testing.T) {
	t.Parallel()
	names := map[int]salesiq.ErrorCode{
		1002: salesiq.ErrInvalidToken, 1008: salesiq.ErrInvalidToken, 1009: salesiq.ErrInvalidOAuthScope,
		1004: salesiq.ErrInvalidRequest, 1005: salesiq.ErrInvalidRequest, 1006: salesiq.ErrInvalidRequest,
		1007: salesiq.ErrInvalidRequest, 1010: salesiq.ErrInvalidRequest, 1011: salesiq.ErrInvalidRequest,
		1014: salesiq.ErrDuplicateResource, 1015: salesiq.ErrInvalidRequest, 1016: salesiq.ErrPermissionDenied,
		1017: salesiq.ErrPlanLimit, 1018: salesiq.ErrInvalidRequest, 1019: salesiq.ErrResourceNotFound,
		1020: salesiq.ErrOperatorOffline, 1021: salesiq.ErrPlanLimit, 1023: salesiq.ErrRateLimitExceeded,
		1024: salesiq.ErrOperatorOffline, 1025: salesiq.ErrInvalidDepartment, 1026: salesiq.ErrInvalidRequest,
		1027: salesiq.ErrInvalidRequest, 1028: salesiq.ErrInvalidRequest, 1029: salesiq.ErrInvalidRequest,
		1031: salesiq.ErrInvalidRequest, 1054: salesiq.ErrInvalidRequest, 2310: "2310",
	}
	for number, name := range names {
		for _, status := range []int{200, 400, 404} {
			body := fmt.Sprintf(`{"error":{"message":"No","code":%d,"json_key":"operators[1].name","param":"p"}}`, number)
			api := newAPIRecorder(t, answerJSON(status, body))
			_, err := api.client(t).Chats.Get(t.Context(), "c1")
			failure := requireOneLine(t, err)
			require.ErrorIs(t, err, name)
			assert.Equal(t, number, failure.VendorCode)
			assert.Equal(t, "No", failure.Message)
			assert.Equal(t, "operators[1].name", failure.Key)
			assert.Equal(t, "p", failure.Param)
			assert.Equal(t, status, failure.StatusCode)
			assert.Contains(t, err.Error(), strconv.Itoa(number))
			assert.False(t, failure.MaybeProcessed)
		}
	}
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"error":"Visitor feature is off"}`))
	_, err := api.client(t).Chats.Get(t.Context(), "c1")
	assert.Equal(t, "Visitor feature is off", requireOneLine(t, err).Message)
}

// freshTokens returns a client that has a new token whenever it asks for one.
func freshTokens(t *testing.T, api *apiRecorder) *salesiq.Client {
	t.Helper()
	server := salesiqtest.Start(t)
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	client, err := salesiq.NewClient(auth, salesiq.WithBaseURL(api.URL), salesiq.WithAccountsURL(server.URL), salesiq.WithMaxAttempts(1))
	require.NoError(t, err)
	return client
}

// An expired token is not always a 401. It is renewed once, and the call made
// again, whatever its method.
func TestLivePoint10(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why     string
		status  int
		number  int
		renewed bool
	}{
		{"as published", 200, 1008, true},
		{"as published, without a header", 200, 1002, true},
		{"as seen", 400, 1001, true},
		{"as seen, by its own name", 400, 1008, true},
		{"as one would think", 401, 1001, true},
		{"anything may be unknown", 200, 1001, false},
		{"a failure of the service", 500, 1001, false},
		{"another refusal", 400, 1016, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			var first atomic.Value
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				token := r.Header.Get("Authorization")
				if first.CompareAndSwap(nil, token) || first.Load() == token {
					answerJSON(row.status, fmt.Sprintf(`{"error":{"code":%d,"message":"No"}}`, row.number))(w, r)
					return
				}
				answerJSON(http.StatusOK, `{"url":"/x","object":"message","data":{"id":"m1"}}`)(w, r)
			})
			message, err := freshTokens(t, api).Chats.SendMessage(t.Context(), "c1", salesiq.TextMessage("Once"))
			if !row.renewed {
				require.Error(t, err)
				assert.Len(t, api.requests(), 1)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "m1", message.ID)
			require.Len(t, api.requests(), 2)
			assert.Equal(t, api.requests()[0].Body, api.requests()[1].Body, "the body goes with it")
		})
	}
	t.Run("never twice", func(t *testing.T) {
		t.Parallel()
		api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"error":{"code":1008}}`))
		_, err := freshTokens(t, api).Chats.Get(t.Context(), "c1")
		require.ErrorIs(t, err, salesiq.ErrInvalidToken)
		assert.Len(t, api.requests(), 2)
	})
}

// There is no single way of paging, and no total.
func TestLivePoint11(t *testing.T) {
	t.Parallel()
	type item struct {
		ID string `json:"id"`
	}
	key := live.KeyAndLimit()
	nested := live.PageStyle{Key: "startkey", Items: "visitorlist"}
	index := live.IndexAndLimit()
	pageno := live.PageStyle{Number: "pageno", Size: "limit", PerPage: 2}
	key.PerPage, index.PerPage = 2, 2
	for _, row := range []struct {
		why     string
		style   live.PageStyle
		answers []string
		queries []string
		ids     string
	}{
		{"page and per_page", live.PageStyle{Number: "page", Size: "per_page", PerPage: 2},
			[]string{`{"data":[{"id":"a"},{"id":"b"}],"pagination":{"page":1,"per_page":2,"total":4}}`, `{"data":[{"id":"c"},{"id":"d"}],"pagination":{"page":2,"per_page":2,"total":4}}`},
			[]string{"page=1&per_page=2", "page=2&per_page=2"}, "abcd"},
		{"another name for the page, until a short one", pageno, []string{`{"data":[{"id":"a"},{"id":"b"}]}`, `{"data":[{"id":"c"}]}`},
			[]string{"limit=2&pageno=1", "limit=2&pageno=2"}, "abc"},
		{"until an empty one", pageno, []string{`{"data":[{"id":"a"},{"id":"b"}]}`, `{"data":[]}`}, []string{"limit=2&pageno=1", "limit=2&pageno=2"}, "ab"},
		{"until one that was there before", pageno, []string{`{"data":[{"id":"a"},{"id":"b"}]}`, `{"data":[{"id":"a"},{"id":"b"}]}`},
			[]string{"limit=2&pageno=1", "limit=2&pageno=2"}, "ab"},
		{"an index counts items", index, []string{`{"data":[{"id":"a"},{"id":"b"}]}`, `{"data":[{"id":"c"}]}`}, []string{"index=1&limit=2", "index=3&limit=2"}, "abc"},
		{"until the service says so", pageno, []string{`{"data":[{"id":"a"},{"id":"b"}],"more_data_available":false}`}, []string{"limit=2&pageno=1"}, "ab"},
		{"a short page that is not the last", pageno, []string{`{"data":[{"id":"a"}],"more_data_available":true}`, `{"data":[{"id":"b"}],"more_data_available":"false"}`},
			[]string{"limit=2&pageno=1", "limit=2&pageno=2"}, "ab"},
		{"a key", key, []string{`{"data":[{"id":"a"},{"id":"b"}],"next_key":17}`, `{"data":[{"id":"c"},{"id":"d"}],"next_key":""}`}, []string{"limit=2", "limit=2&next_key=17"}, "abcd"},
		{"a key that does not move", key, []string{`{"data":[{"id":"a"},{"id":"b"}],"next_key":"17"}`, `{"data":[{"id":"c"},{"id":"d"}],"next_key":"17"}`},
			[]string{"limit=2", "limit=2&next_key=17"}, "abcd"},
		{"a key within data", nested, []string{`{"data":{"startkey":"9-1","visitorlist":[{"id":"a"}]}}`, `{"data":{"visitorlist":[{"id":"b"}]}}`}, []string{"", "startkey=9-1"}, "ab"},
		{"no list at all", nested, []string{`{"data":{}}`}, []string{""}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int32
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				n := int(served.Add(1)) - 1
				if assert.Less(t, n, len(row.answers), "it goes on and on") {
					answerJSON(http.StatusOK, row.answers[n])(w, r)
				}
			})
			items := live.All[item](t.Context(), api.client(t), "/things", nil, row.style)
			for range 2 {
				var ids strings.Builder
				for one, err := range items {
					require.NoError(t, err)
					ids.WriteString(one.ID)
				}
				assert.Equal(t, row.ids, ids.String())
				served.Store(0)
			}
			for i, want := range append(row.queries, row.queries...) {
				assert.Equal(t, want, api.requests()[i].Query.Encode())
			}
		})
	}

	t.Run("params come first", func(t *testing.T) {
		t.Parallel()
		api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":[{"id":"a"}]}`))
		params := url.Values{"page": {"3"}, "limit": {"5"}, "status": {"open"}}
		for range live.Pages[item](t.Context(), api.client(t), "/things", params, live.PageAndLimit()) {
			break
		}
		assert.Equal(t, "limit=5&page=3&status=open", api.requests()[0].Query.Encode())
		assert.Equal(t, "3", params.Get("page"), "they stay as they were")
	})
	t.Run("a typed list in another style", func(t *testing.T) {
		t.Parallel()
		many := salesiqtest.Data{}
		for i := range 30 {
			many.Operators = append(many.Operators, salesiq.Operator{ID: fmt.Sprint("o", i), Name: "A B", Email: fmt.Sprint(i, "@x.example"), Role: salesiq.RoleAgent})
		}
		server := newLiveServer(t, salesiqtest.WithData(many))
		count := 0
		for _, err := range live.All[salesiq.Operator](t.Context(), server.Client(t), "/operators", nil, live.IndexAndLimit()) {
			require.NoError(t, err)
			count++
		}
		assert.Len(t, server.Operators(), count)
	})
	t.Run("a list begins where its params say", func(t *testing.T) {
		t.Parallel()
		fixed := live.PageStyle{Index: "index", First: 1, PerPage: 20}
		for want, style := range map[string]live.PageStyle{
			"limit=10&page=3": live.PageAndLimit(), "index=21&limit=10": live.IndexAndLimit(), "index=41": fixed, "limit=10": live.KeyAndLimit(),
		} {
			api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":[]}`))
			params, err := url.ParseQuery(want)
			require.NoError(t, err)
			require.NoError(t, drain(live.All[salesiq.Chat](t.Context(), api.client(t), "/chats", params, style)))
			assert.Equal(t, want, api.requests()[0].Query.Encode())
		}
	})
	t.Run("a page is known again whatever its items are", func(t *testing.T) {
		t.Parallel()
		page := func(from int) string {
			return fmt.Sprintf(`{"data":[{"name":"%d","size":%[1]d,"key":"%[1]d"},{"name":"%d","size":1,"key":"k%[2]d"}]}`, from, from+1)
		}
		checkRepetition[struct{ Name string }](t, page)
		checkRepetition[struct{ ID, Name string }](t, page)
		checkRepetition[struct{ Size *int }](t, page)
		checkRepetition[struct {
			ID *string `json:"key"`
		}](t, page)
		checkRepetition[*struct{ Name string }](t, page)
		checkRepetition[struct {
			*Identified

			Name string
		}](t, page)
		checkRepetition[map[string]any](t, page)
		checkRepetition[any](t, page)
	})
	t.Run("no style is no style", func(t *testing.T) {
		t.Parallel()
		api := newAPIRecorder(t, answerSuitably)
		err := drain(live.All[item](t.Context(), api.client(t), "/things", nil, live.PageStyle{}))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		assert.Empty(t, api.requests())
	})
}

// Identified is part of other items.
type Identified struct{ ID string }

// checkRepetition reads two pages and then the second one for ever.
func checkRepetition[T any](t *testing.T, page func(from int) string) {
	t.Helper()
	var served atomic.Int32
	api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		n := int(served.Add(1))
		if assert.Less(t, n, 10, "%T: it goes on and on", *new(T)) {
			answerJSON(http.StatusOK, page(100*min(n, 2)))(w, r)
		}
	})
	style := live.PageStyle{Number: "page", Size: "limit", PerPage: 2}
	var numbers []int
	for page, err := range live.Pages[T](t.Context(), api.client(t), "/things", url.Values{"page": {"7"}}, style) {
		require.NoError(t, err)
		numbers = append(numbers, page.Number)
	}
	assert.Equal(t, []int{7, 8}, numbers, "%T", *new(T))
}

// chatWith gets a chat with some fields in another notation.
func chatWith(t *testing.T, fields string) salesiq.Chat {
	t.Helper()
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"url":"/x","object":"list","data":[{"id":"c0"},{`+fields+`}]}`))
	page, err := api.client(t).Chats.List(t.Context(), nil)
	require.NoError(t, err, fields)
	require.Len(t, page.Items, 2)
	return page.Items[1]
}

// Times are milliseconds, in strings or not, "-1" or nothing.
func TestLivePoint12(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_612_943_653_720).UTC()
	for _, text := range []string{`"1612943653720"`, `1612943653720`, `"2021-02-10T07:54:13.720Z"`} {
		chat := chatWith(t, `"started_at":`+text+`,"ended_at":`+text+`,"rating":"4"`)
		assert.True(t, at.Equal(chat.StartedAt), text)
		assert.True(t, at.Equal(chat.EndedAt), text)
	}
	for _, text := range []string{`"-1"`, `""`, `-1`, `null`} {
		chat := chatWith(t, `"started_at":`+text+`,"ended_at":`+text)
		assert.True(t, chat.StartedAt.IsZero(), text)
		assert.Zero(t, chat.EndedAt, text)
	}
	assert.Equal(t, at.Truncate(time.Second), chatWith(t, `"started_at":"1612943653"`).StartedAt)
}

// Flags and numbers are strings, sometimes words.
func TestLivePoint13(t *testing.T) {
	t.Parallel()
	chat := chatWith(t, `"duration":"120","rating":"5","transcript":"","visitor_info":""`)
	assert.Equal(t, 2*time.Minute, chat.Duration.Duration())
	assert.Equal(t, 5, *chat.Rating)
	assert.Nil(t, chatWith(t, `"rating":""`).Rating)
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":[{"id":"o1","max_chats":"unlimited","active_chats":"3"},{"id":"o2","max_chats":"10"}]}`))
	var response salesiq.Response
	page, err := api.client(t).Operators.List(t.Context(), nil, salesiq.WithResponse(&response))
	require.NoError(t, err)
	assert.Zero(t, page.Items[0].MaxChats)
	assert.Equal(t, 3, page.Items[0].ActiveChats)
	assert.Equal(t, 10, page.Items[1].MaxChats)
	assert.Contains(t, string(response.Body), "unlimited", "the word can be had")
	type webhook struct {
		Enabled bool `json:"enabled"`
	}
	for text, want := range map[string]bool{`"true"`: true, `"1"`: true, `1`: true, `true`: true, `"false"`: false, `0`: false, `""`: false} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":{"enabled":`+text+`}}`))
		got, err := live.Get[webhook](t.Context(), api.client(t), "/webhooks/1", nil)
		require.NoError(t, err)
		assert.Equal(t, want, got.Enabled, text)
	}
}

// Ids are sometimes numbers, and larger than a float64 holds.
func TestLivePoint14(t *testing.T) {
	t.Parallel()
	chat := chatWith(t, `"id":40526000000002041,"visitor_id":9007199254740993,"department_id":44000000014007,"tags":[32289000000646055]`)
	assert.Equal(t, "40526000000002041", chat.ID)
	assert.Equal(t, "9007199254740993", chat.VisitorID)
	assert.Equal(t, "44000000014007", chat.DepartmentID)
	assert.Equal(t, []string{"32289000000646055"}, chat.Tags)
}

// Resources have other names, which typed calls of one's own reach.
func TestLivePoint15(t *testing.T) {
	t.Parallel()
	server := newLiveServer(t)
	client := server.Client(t)
	type conversation struct {
		ID       string                `json:"id"`
		Question string                `json:"question"`
		Attender struct{ Name string } `json:"attender"`
	}
	got, err := live.Get[conversation](t.Context(), client, "/conversations/{id}", nil, salesiq.WithIDs("chat123"))
	require.NoError(t, err)
	assert.Equal(t, "Greta Sommer", got.Attender.Name)
	count := 0
	for _, err := range live.All[conversation](t.Context(), client, "/conversations", map[string]string{"status": "connected"}, live.PageAndLimit()) {
		require.NoError(t, err)
		count++
	}
	assert.Equal(t, 60, count)
	_, err = client.Chats.Get(t.Context(), "chat123")
	require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "the specified name is none there")
}

// Methods are others, too.
func TestLivePoint16(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t)
	in := map[string]string{"department_id": "d1"}
	require.NoError(t, second(live.Put[any](t.Context(), client, "/c/{id}/transfer", in, salesiq.WithIDs("a/b"))))
	require.NoError(t, second(live.Post[any](t.Context(), client, "/c", in)))
	require.NoError(t, second(live.Patch[any](t.Context(), client, "/c/1", in)))
	require.NoError(t, second(live.Delete[any](t.Context(), client, "/c", map[string]any{"ids": []int64{32289000000646055}})))
	require.NoError(t, second(live.Get[any](t.Context(), client, "/c", url.Values{"ids": {"a,b"}})))
	require.NoError(t, client.Do(t.Context(), "QUERY", "/c", in, nil))
	var got []string
	for _, r := range api.requests() {
		got = append(got, strings.TrimSpace(r.Method+" "+r.Path+" "+r.Query.Encode()+r.Body))
	}
	assert.Equal(t, []string{
		`PUT /api/v2/c/a%2Fb/transfer {"department_id":"d1"}`, `POST /api/v2/c {"department_id":"d1"}`,
		`PATCH /api/v2/c/1 {"department_id":"d1"}`, `DELETE /api/v2/c {"ids":[32289000000646055]}`,
		`GET /api/v2/c ids=a%2Cb`, `QUERY /api/v2/c {"department_id":"d1"}`,
	}, got)
}

// Operators are made of other fields, and have other roles.
func TestLivePoint17(t *testing.T) {
	t.Parallel()
	client := newLiveServer(t).Client(t)
	operator, err := client.Operators.Create(t.Context(), &salesiq.OperatorCreate{
		Name: "Edda Ipsen", Email: "edda@nordlicht.example", Role: "Associate",
		Extra: map[string]any{"email_id": "edda@nordlicht.example", "departments": []string{"dept790"}, "is_monitored": "true", "first_name": "Edda"},
	})
	require.NoError(t, err)
	assert.Equal(t, salesiq.OperatorRole("Associate"), operator.Role)
	assert.JSONEq(t, `"edda@nordlicht.example"`, string(operator.Extra["email_id"]))
}

// A message is a string, or an object that holds one.
func TestLivePoint18(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerJSON(http.StatusOK, `{"url":"/x","object":"list","data":[
		{"id":1,"message":{"text":"Hello there"},"timestamp":"1684822418056"},
		{"id":"2","message":"As specified"},
		{"id":"3","message":{"message":"Within","mode":"x"}},
		{"id":"4","message":{"url":"/photo.png"}}]}`))
	messages, err := api.client(t).Chats.Transcript(t.Context(), "c1")
	require.NoError(t, err)
	require.Len(t, messages, 4)
	assert.Equal(t, "Hello there", messages[0].Text)
	assert.Equal(t, "As specified", messages[1].Text)
	assert.Equal(t, "Within", messages[2].Text)
	assert.JSONEq(t, `{"url":"/photo.png"}`, messages[3].Text)

	sent, err := live.Post[map[string]any](t.Context(), newLiveServer(t).Client(t), "/conversations/chat123/messages", map[string]string{"text": "Hi"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"text": "Hi"}, (*sent)["message"])
}

// Too many calls are a number without headers, and asking again at once would
// make it worse.
func TestLivePoint19(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()))
		client := server.Client(t)
		began := time.Now()
		for range 12 {
			var response salesiq.Response
			_, err := client.Operators.List(t.Context(), nil, salesiq.WithResponse(&response))
			require.NoError(t, err)
			assert.False(t, response.RateWindow.Known, "no header tells")
		}
		assert.Greater(t, time.Since(began), 30*time.Second)
		assert.LessOrEqual(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded], 1, "the lock is left alone for a minute")

		impatient := server.Client(t, salesiq.WithMaxWait(time.Second))
		var err error
		for err == nil {
			_, err = impatient.Operators.List(t.Context(), nil)
		}
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		assert.True(t, salesiq.IsRetryable(err))
		var failure *salesiq.Error
		require.ErrorAs(t, err, &failure)
		assert.Greater(t, time.Until(failure.RetryAt), 50*time.Second)
	})
}

// Webhooks are made of other fields, and their URL is probed.
func TestLivePoint20(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the secret of another")))) // It refuses every event, and answers a probe.
	hook := httptest.NewServer(receiver)
	t.Cleanup(hook.Close)
	client := newLiveServer(t).Client(t)
	webhook, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
		Name: "live", URL: hook.URL, Events: []salesiq.EventName{"conversation.rated"},
		Extra: map[string]any{"type": "data", "app_ids": []string{"brand123"}, "secured": true, "version": "1"},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `true`, string(webhook.Extra["secured"]))
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, newHook(t, method, http.NoBody))
		assert.Equal(t, http.StatusOK, answer.Code)
	}
}

// Events are signed with RSA, in another header.
func TestLivePoint21(t *testing.T) {
	t.Parallel()
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	body := []byte(`{"event":"conversation.rated","attempt":1,"entity":{"id":"c1"}}`)
	signature, err := webhook.SignRSA(old, body)
	require.NoError(t, err)
	for verifier, want := range map[webhook.Verifier]int{
		webhook.RSA(&next.PublicKey, &old.PublicKey):           http.StatusOK,
		webhook.RSA(&next.PublicKey):                           http.StatusUnauthorized,
		webhook.HMAC(salesiq.NewSecret("a secret of its own")): http.StatusUnauthorized,
	} {
		request := newHook(t, http.MethodPost, strings.NewReader(string(body)))
		request.Header.Set("x-siqsignature", signature)
		answer := httptest.NewRecorder()
		testkit.Must(webhook.NewReceiver(verifier)).ServeHTTP(answer, request)
		assert.Equal(t, want, answer.Code)
	}
}

func newHook(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), method, "/", body)
}

// anyKey is a verifier that accepts everything.
type anyKey struct{}

func (anyKey) Verify(http.Header, []byte) error { return nil }

// Events have another envelope and other names, no time, and a count of
// deliveries that makes no other event.
func TestLivePoint22(t *testing.T) {
	t.Parallel()
	const event = `{"entity_type":"conversation","org_id":"60021477","event":"conversation.rated","entity_id":"19000000033103","attempt":%d,"version":"1","app_id":40526000000002041,"entity":{"id":"19000000033103","rating":"5"}}`
	receiver := testkit.Must(webhook.NewReceiver(anyKey{}))
	var got []webhook.Event
	webhook.OnAny(receiver, func(_ context.Context, e webhook.Event) error {
		got = append(got, e)
		return nil
	})
	for attempt := range 3 {
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, newHook(t, http.MethodPost, strings.NewReader(fmt.Sprintf(event, attempt+1))))
		assert.Equal(t, http.StatusOK, answer.Code)
	}
	require.Len(t, got, 1)
	info := got[0].Info()
	assert.Equal(t, salesiq.EventName("conversation.rated"), info.EventName)
	assert.JSONEq(t, `{"id":"19000000033103","rating":"5"}`, string(info.Data))
	assert.True(t, info.EventTime.IsZero())

	bare, err := webhook.Parse([]byte(`{"id":"19000000033103","question":"Bare?"}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"19000000033103","question":"Bare?"}`, string(bare.Info().Data))
}

// The service must be answered within five seconds, and neither with a redirect nor
// with 410.
func TestLivePoint23(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		receiver := testkit.Must(webhook.NewReceiver(anyKey{}))
		webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
			<-ctx.Done()
			return ctx.Err()
		})
		began := time.Now()
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, newHook(t, http.MethodPost, strings.NewReader(`{"event":"conversation.rated"}`)))
		assert.Less(t, time.Since(began), 5*time.Second)
		assert.Equal(t, http.StatusInternalServerError, answer.Code)
	})
	receiver := testkit.Must(webhook.NewReceiver(anyKey{}))
	for _, body := range []string{`{"event":"conversation.rated"}`, `{"event":"never.heard.of.it"}`, `no JSON`} {
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, newHook(t, http.MethodPost, strings.NewReader(body)))
		assert.NotEqual(t, http.StatusGone, answer.Code)
		assert.NotEqual(t, 3, answer.Code/100)
	}
}

// The widget's functions have other names, and a missing one harms nothing.
func TestLivePoint24(t *testing.T) {
	t.Parallel()
	calls := []widget.Call{widget.OpenWindow(), widget.TrackEvent("seen", nil), widget.SetVisitorPhone("1")}
	specified, err := widget.Widget{Code: "c", Calls: calls}.HTML("")
	require.NoError(t, err)
	official, err := widget.Widget{Code: "c", Calls: calls, OfficialNames: true}.HTML("")
	require.NoError(t, err)
	assert.Contains(t, specified, "floatwindow.open")
	for _, name := range []string{"floatwindow.visible", "visitor.customaction", "visitor.contactnumber"} {
		assert.Contains(t, official, name)
		assert.NotContains(t, specified, name)
	}
	assert.NotContains(t, official, "floatwindow.open", "it would register a handler there")
	assert.Contains(t, official, `=== "function"`, "each call is guarded")
	assert.Contains(t, official, "catch")
}

// The widget's script comes from another host, with the code in its address.
func TestLivePoint25(t *testing.T) {
	t.Parallel()
	page, err := widget.Widget{Code: "siq1", DataCenter: salesiq.EU, CodeInURL: true}.HTML("bm9uY2U=")
	require.NoError(t, err)
	assert.Contains(t, page, `src="https://salesiq.zohopublic.eu/widget?wc=siq1"`)
	assert.Equal(t, 2, strings.Count(string(page), `nonce="bm9uY2U="`))
	own, err := widget.Widget{Code: "siq1", ScriptURL: "https://cdn.example/w.js"}.HTML("")
	require.NoError(t, err)
	assert.Contains(t, own, `src="https://cdn.example/w.js"`)
}

// liveAndSpecified are the two dialects, with what a client and a request need to
// speak them.
var liveAndSpecified = map[string]struct {
	server   []salesiqtest.Option
	style    live.PageStyle
	operator map[string]any
	role     salesiq.OperatorRole
	webhook  map[string]any
	event    salesiq.EventName
}{
	"specified": {style: live.PageAndPerPage(), role: salesiq.RoleAgent, event: salesiq.EventChatRated},
	"live": {
		server: []salesiqtest.Option{salesiqtest.Live()}, style: live.IndexAndLimit(),
		operator: map[string]any{"email_id": "edda@nordlicht.example", "departments": []string{"dept790"}, "is_monitored": "true"},
		role:     "Associate",
		webhook:  map[string]any{"type": "data", "version": "1"}, event: "conversation.rated",
	},
}

// A client with WithPortal and one without do the same, wherever both dialects
// have the call.
func TestBothDialectsAreSpokenByTheSameCalls(t *testing.T) {
	t.Parallel()
	for name, dialect := range liveAndSpecified {
		start := func(t *testing.T, opts ...salesiqtest.Option) (*salesiqtest.Server, *salesiq.Client) {
			t.Helper()
			server := salesiqtest.Start(t, append(opts, dialect.server...)...)
			client := server.Client(t)
			return server, client
		}
		for what, check := range map[string]func(t *testing.T){
			"operators are listed": func(t *testing.T) {
				server, client := start(t)
				page, err := client.Operators.List(t.Context(), nil)
				require.NoError(t, err)
				var all []string
				for operator, err := range live.All[salesiq.Operator](t.Context(), client, "/operators", nil, dialect.style) {
					require.NoError(t, err)
					all = append(all, operator.ID)
				}
				require.Len(t, all, len(server.Operators()))
				assert.Equal(t, all[0], page.Items[0].ID)
			},
			"operators come and go": func(t *testing.T) {
				server, client := start(t)
				made, err := client.Operators.Create(t.Context(), &salesiq.OperatorCreate{
					Name: "Edda Ipsen", Email: "edda@nordlicht.example", Role: dialect.role, Extra: dialect.operator,
				})
				require.NoError(t, err)
				got, err := client.Operators.Get(t.Context(), made.ID)
				require.NoError(t, err)
				assert.Equal(t, made.ID, got.ID)
				assert.WithinDuration(t, time.Now(), server.Operators()[len(server.Operators())-1].CreatedAt, time.Minute)
				_, err = client.Operators.Create(t.Context(), &salesiq.OperatorCreate{
					Name: "Edda Ipsen", Email: "edda@nordlicht.example", Role: dialect.role, Extra: dialect.operator,
				})
				require.ErrorIs(t, err, salesiq.ErrDuplicateResource)
				require.NoError(t, client.Operators.Delete(t.Context(), made.ID))
				_, err = client.Operators.Get(t.Context(), made.ID)
				require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
				require.ErrorIs(t, client.Operators.Delete(t.Context(), "operator1"), salesiq.ErrPermissionDenied)
			},
			"webhooks come and go": func(t *testing.T) {
				_, client := start(t)
				hook := httptest.NewServer(testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the secret of another")))))
				t.Cleanup(hook.Close)
				made, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
					Name: "n", URL: hook.URL, Events: []salesiq.EventName{dialect.event}, Extra: dialect.webhook,
				})
				require.NoError(t, err)
				page, err := client.Webhooks.List(t.Context(), nil)
				require.NoError(t, err)
				assert.Equal(t, made.ID, page.Items[len(page.Items)-1].ID)
				assert.Equal(t, []salesiq.EventName{dialect.event}, made.Events)
				require.NoError(t, client.Webhooks.Delete(t.Context(), made.ID))
				require.ErrorIs(t, client.Webhooks.Delete(t.Context(), made.ID), salesiq.ErrResourceNotFound)
			},
			"an expired token is renewed": func(t *testing.T) {
				server, client := start(t)
				for range 2 {
					_, err := client.Operators.List(t.Context(), nil)
					require.NoError(t, err)
					server.RevokeTokens()
				}
				assert.Equal(t, 2, server.Stats().TokenRequests)
			},
			"a scope is missed": func(t *testing.T) {
				_, client := start(t, salesiqtest.WithScopes("SalesIQ.visitors.READ"))
				_, err := client.Operators.List(t.Context(), nil)
				require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
			},
			"a role is missed": func(t *testing.T) {
				_, client := start(t, salesiqtest.WithRole(salesiq.RoleAgent))
				require.ErrorIs(t, client.Operators.Delete(t.Context(), "operator456"), salesiq.ErrPermissionDenied)
			},
			"an outage is waited out": func(t *testing.T) {
				server, client := start(t)
				require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Status: http.StatusServiceUnavailable, Times: 1}))
				_, err := client.Operators.List(t.Context(), nil)
				require.NoError(t, err)
			},
			"any call is made": func(t *testing.T) {
				_, client := start(t)
				got, err := live.Get[map[string]json.RawMessage](t.Context(), client, "/operators/{id}", nil, salesiq.WithIDs("operator456"))
				require.NoError(t, err)
				assert.JSONEq(t, `"operator456"`, string((*got)["id"]))
				_, err = live.Get[any](t.Context(), client, "/nowhere", nil)
				if client.Portal() == "" {
					require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
				} else {
					require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "1006 tells nothing about what was asked for")
				}
				_, err = live.Put[any](t.Context(), client, "/operators", nil)
				require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "another method")
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				check(t)
			})
		}
	}
}

// Wildcards of a path are filled, each with one segment, or nothing is sent.
func TestAPathIsFilledOrRefused(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t)
	for _, id := range awkwardIDs {
		if id == "\xff" {
			continue // Go's own server does not decode it in an EscapedPath.
		}
		require.NoError(t, second(live.Get[any](t.Context(), client, "/x/{id}/y", nil, salesiq.WithIDs(id))), id)
		requests := api.requests()
		assert.Equal(t, "/api/v2/x/"+url.PathEscape(id)+"/y", requests[len(requests)-1].Path)
	}
	sent := len(api.requests())
	for _, row := range []struct {
		why, path string
		ids       []string
	}{
		{"an id too few", "/x/{id}", nil},
		{"an id too many", "/x/{id}", []string{"a", "b"}},
		{"an empty id", "/x/{id}", []string{""}},
		{"an id that leads up", "/x/{id}", []string{".."}},
		{"a portal that nobody has named", "/api/v3/{portal}/x", nil},
		{"a host", "https://elsewhere.example/x", nil},
		{"a path that leads up", "/../x", nil},
		{"no path", "", nil},
	} {
		_, err := live.Get[any](t.Context(), client, row.path, nil, salesiq.WithIDs(row.ids...), salesiq.WithOperation("Mine"))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, row.why)
		require.ErrorContains(t, err, "salesiq: Mine: ", row.why)
	}
	_, err := live.Get[any](t.Context(), client, "/x", func() {})
	require.ErrorIs(t, err, salesiq.ErrInvalidInput, "params that are none")
	_, err = live.New(api.client(t, salesiq.WithPortal("z"))).Conversations.Transfer(t.Context(), "1", nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput, "a body that is null")
	require.ErrorIs(t, client.Do(t.Context(), "PUT", "/x", (*live.Transfer)(nil), nil), salesiq.ErrInvalidInput)
	assert.Len(t, api.requests(), sent)
}
