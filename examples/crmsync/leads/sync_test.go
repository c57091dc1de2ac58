package leads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/crmsync/internal/people"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestNamesAreSplitAtTheLastWord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"John Doe": {"John", "Doe"}, "Nguyễn Thị Mai": {"Nguyễn Thị", "Mai"}, " Ada ": {"", "Ada"}, "": {}, " ": {},
	} {
		first, last := splitName(name)
		assert.Equal(t, want, [2]string{first, last}, name)
	}
}

func TestWhatTheVisitorDidNotTellIsLeftOut(t *testing.T) {
	t.Parallel()
	l := newLead("ada@mail.example", &salesiq.Visitor{ID: "visitor1"})
	assert.Equal(t, lead{
		"Last_Name": "Unknown", "Email": "ada@mail.example", "Lead_Source": "Website Chat", "Lead_Status": "New",
		"Description": "Visitor ID: visitor1, Pages Visited: 0",
	}, l)
}

func TestALeadHasWhatTheVisitorTold(t *testing.T) {
	t.Parallel()
	l := newLead("ada@mail.example", &salesiq.Visitor{
		ID: "visitor1", Name: "Ada King Lovelace", Phone: "+1", Company: "Analytical", City: "London", Region: "England", Country: "UK",
		PagesVisited: 7, CustomFields: map[string]any{"Budget": 3},
	})
	assert.Equal(t, lead{
		"First_Name": "Ada King", "Last_Name": "Lovelace", "Email": "ada@mail.example", "Phone": "+1", "Company": "Analytical",
		"City": "London", "State": "England", "Country": "UK", "Lead_Source": "Website Chat", "Lead_Status": "New",
		"Description": "Visitor ID: visitor1, Pages Visited: 7", "Custom_Field_Budget": 3,
	}, l)
}

// syncerOf returns a syncer whose calls to the CRM go through transport.
func syncerOf(t *testing.T, server *salesiqtest.Server, j *Journal, transport http.RoundTripper) *Syncer {
	t.Helper()
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: server.AccessToken()})
	return &Syncer{
		Visitors: server.Client(t).Visitors,
		CRM:      NewCRM(server.URL, transport, tokens, nil),
		Journal:  j,
		Since:    24 * time.Hour,
	}
}

// run is a run of the program.
func run(ctx context.Context, s *Syncer) (Summary, error) {
	return runAndTell(ctx, s, func(Result) {})
}

func runAndTell(ctx context.Context, s *Syncer, tell func(Result)) (Summary, error) {
	visitors, err := s.Recent(ctx)
	if err != nil {
		return Summary{}, err
	}
	return s.Sync(ctx, visitors, tell)
}

// killer ends the program at one of its calls to the CRM.
type killer struct {
	next      http.RoundTripper
	at        int  // Which call; counts down.
	processed bool // The CRM has carried it out.
	kill      func()
}

func (k *killer) RoundTrip(request *http.Request) (*http.Response, error) {
	k.at--
	if k.at != 0 {
		return k.next.RoundTrip(request)
	}
	if k.processed {
		response, err := k.next.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
	}
	k.kill()
	return nil, context.Canceled
}

// tear cuts the last line of a file in the middle, as a power failure would.
func tear(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	if len(content) > 20 {
		require.NoError(t, os.Truncate(path, int64(len(content)-20)))
	}
}

func TestStoppedAtAnyStepItGoesOnWithoutADuplicate(t *testing.T) {
	t.Parallel()
	for _, processed := range []bool{false, true} {
		for _, torn := range []bool{false, true} {
			for at := 1; ; at++ {
				server := people.Start(t)
				path := filepath.Join(t.TempDir(), "state")
				j, err := OpenJournal(path, time.Now())
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				k := &killer{next: http.DefaultTransport, at: at, processed: processed, kill: cancel}
				_, err = run(ctx, syncerOf(t, server, j, k))
				cancel()
				j.Close()
				if k.at > 0 { // It had no call so late.
					require.NoError(t, err)
					require.Greater(t, at, 6)
					break
				}
				require.ErrorIs(t, err, context.Canceled)
				if torn {
					tear(t, path)
				}
				j, err = OpenJournal(path, time.Now())
				require.NoError(t, err)
				_, err = run(t.Context(), syncerOf(t, server, j, http.DefaultTransport))
				require.NoError(t, err)
				j.Close()
				people.AssertOneLeadEach(t, server, people.Emails)
			}
		}
	}
}

func TestLostAnswersMakeNoDuplicate(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]salesiqtest.Fault{
		"the connection breaks":    {Effect: salesiqtest.ResetConnection},
		"the answer breaks off":    {Effect: salesiqtest.CutBody},
		"a proxy answers":          {Effect: salesiqtest.HTMLPage},
		"an empty answer":          {Effect: salesiqtest.EmptyBody},
		"the CRM fails afterwards": {Status: http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := people.Start(t)
			fault.Method, fault.Path, fault.Processed, fault.Times = http.MethodPost, "/crm/v8/Leads", true, 2
			require.NoError(t, server.Inject(fault))
			sum, err := run(t.Context(), syncerOf(t, server, NewJournal(), http.DefaultTransport))
			require.NoError(t, err)
			assert.Equal(t, Summary{Created: 3, Existing: 1, Skipped: 2}, sum)
			people.AssertOneLeadEach(t, server, people.Emails)
		})
	}
}

func TestAFailureIsCountedAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := people.Start(t)
	require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: "/crm/v8/Leads", Status: http.StatusForbidden, Message: "no"}))
	sum, err := run(t.Context(), syncerOf(t, server, NewJournal(), http.DefaultTransport))
	require.ErrorIs(t, err, errFailures)
	assert.Equal(t, Summary{Created: 3, Skipped: 2, Failed: 1}, sum, "the second visitor with that address had more luck")
	people.AssertOneLeadEach(t, server, people.Emails)
}

func TestTroubleWithASearchIsOverSoon(t *testing.T) {
	t.Parallel()
	server := people.Start(t)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/v8/Leads/search", Status: http.StatusServiceUnavailable}))
	_, err := run(t.Context(), syncerOf(t, server, NewJournal(), http.DefaultTransport))
	require.NoError(t, err)
	people.AssertOneLeadEach(t, server, people.Emails)
}

// lateCRM finds a lead only some time after it was created.
type lateCRM struct {
	lag time.Duration

	mu      sync.Mutex
	created map[string][]time.Time
	lose    bool // The next answer to a creation.
}

func (l *lateCRM) RoundTrip(request *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	respond := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: request}, nil
	}
	if request.Method == http.MethodGet {
		email := strings.TrimSuffix(strings.TrimPrefix(request.URL.Query().Get("criteria"), "(Email:equals:"), ")")
		if at := l.created[email]; len(at) > 0 && time.Since(at[0]) >= l.lag {
			return respond(http.StatusOK, `{"data":[{"id":"1"}]}`)
		}
		return respond(http.StatusNoContent, "")
	}
	var body struct{ Data []struct{ Email string } }
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		return nil, err
	}
	email := body.Data[0].Email
	l.created[email] = append(l.created[email], time.Now())
	if l.lose {
		l.lose = false
		return nil, errors.New("connection reset")
	}
	return respond(http.StatusCreated, `{"data":[{"code":"SUCCESS","status":"success"}]}`)
}

func TestASlowIndexOfTheCRMMakesNoDuplicate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &lateCRM{lag: 20 * time.Second, created: map[string][]time.Time{}, lose: true}
		visitor := &salesiq.Visitor{ID: "visitor1", Email: "ada@mail.example"}
		path := filepath.Join(t.TempDir(), "state")
		for _, patience := range []time.Duration{time.Second, time.Minute} { // The first run is stopped while it waits for the lead.
			j, err := OpenJournal(path, time.Now())
			require.NoError(t, err)
			s := &Syncer{
				Settle: 30 * time.Second, Journal: j,
				CRM: &CRM{base: "https://crm.example", client: &http.Client{Transport: fake}},
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			s.sync(ctx, visitor) //nolint:errcheck // What counts is what the CRM has.
			cancel()
			j.Close()
		}
		assert.Len(t, fake.created["ada@mail.example"], 1)
	})
}

// reply is what a scripted CRM says to a request. Without a status, the connection breaks.
type reply struct {
	status int
	body   string
}

// scripted is a CRM that says one thing after the other, and the last for ever.
type scripted struct {
	replies []reply
	asked   []string // The method of each request,
	bodies  []string // its body,
	after   []time.Duration
	began   time.Time
}

func (s *scripted) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	r := s.replies[min(len(s.asked), len(s.replies)-1)]
	s.asked, s.bodies, s.after = append(s.asked, request.Method), append(s.bodies, string(body)), append(s.after, time.Since(s.began))
	if r.status == 0 {
		return nil, errors.New("connection reset")
	}
	return &http.Response{StatusCode: r.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.body)), Request: request}, nil
}

// crmThat returns a CRM that says one thing after the other.
func crmThat(replies ...reply) (*CRM, *scripted) {
	says := &scripted{replies: replies, began: time.Now()}
	return NewCRM("https://crm.example", says, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"}), nil), says
}

var (
	nobody   = reply{http.StatusNoContent, ""}
	somebody = reply{http.StatusOK, `{"data":[{"id":"1"}]}`}
	made     = reply{http.StatusCreated, `{"data":[{"code":"SUCCESS","status":"success"}]}`}
)

func TestARefusalSaysWhy(t *testing.T) {
	t.Parallel()
	for reason, r := range map[string]reply{
		"creating a lead: HTTP 400 INVALID_DATA: invalid Email": {http.StatusBadRequest, `{"data":[{"code":"INVALID_DATA","message":"invalid Email"}]}`},
		"creating a lead: HTTP 401 INVALID_TOKEN: no such":      {http.StatusUnauthorized, `{"code":"INVALID_TOKEN","message":"no such"}`},
		"creating a lead: MANDATORY_NOT_FOUND: Last_Name":       {http.StatusOK, `{"data":[{"code":"MANDATORY_NOT_FOUND","message":"Last_Name","status":"error"}]}`},
	} {
		crm, says := crmThat(r)
		err := crm.create(t.Context(), lead{"Email": "ada@mail.example"})
		require.EqualError(t, err, reason)
		require.NotErrorIs(t, err, errUnclear)
		assert.Equal(t, []string{`{"data":[{"Email":"ada@mail.example"}]}`}, says.bodies)
	}
}

func TestAnAnswerThatTellsNothingIsUnclear(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]reply{
		"no answer":          {},
		"the CRM fails":      {http.StatusInternalServerError, `{"data":[{"status":"success"}]}`},
		"too many calls":     {http.StatusTooManyRequests, `{"code":"TOO_MANY_REQUESTS"}`},
		"a proxy":            {http.StatusOK, "<html>"},
		"a proxy that fails": {http.StatusForbidden, "<html>"},
		"no result":          {http.StatusCreated, `{"data":[]}`},
		"two results":        {http.StatusCreated, `{"data":[{"status":"success"},{"status":"success"}]}`},
	} {
		crm, _ := crmThat(r)
		err := crm.create(t.Context(), lead{})
		require.ErrorIs(t, err, errUnclear, name)
		assert.NotContains(t, err.Error(), "crm.example", "a URL may hold an address")
	}
}

func TestARedirectIsNeitherFollowedNorUnclear(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect, 399} {
		crm, says := crmThat(reply{status, "<html>"}, made)
		err := crm.create(t.Context(), lead{})
		require.ErrorContains(t, err, "set SALESIQ_CRM_URL", status)
		require.NotErrorIs(t, err, errUnclear)
		assert.Len(t, says.asked, 1)
	}
}

func TestACRMThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		crm, _ := crmThat(reply{})
		signed := crm.client.Transport.(*signer)
		signed.next = silence{}
		began := time.Now()
		require.ErrorIs(t, crm.create(t.Context(), lead{}), errUnclear)
		assert.Equal(t, 30*time.Second, time.Since(began))
	})
}

// silence is a CRM that says nothing.
type silence struct{}

func (silence) RoundTrip(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
}

func TestASearchIsTriedFourTimesWithinSeconds(t *testing.T) {
	t.Parallel()
	busy := reply{http.StatusServiceUnavailable, ""}
	for name, row := range map[string]struct {
		replies []reply
		found   bool
		asked   []int // After how many seconds.
		reason  string
	}{
		"nobody":                {[]reply{nobody}, false, []int{0}, ""},
		"an empty list":         {[]reply{{http.StatusOK, `{"data":[]}`}}, false, []int{0}, ""},
		"somebody":              {[]reply{somebody}, true, []int{0}, ""},
		"somebody, in the end":  {[]reply{busy, {}, busy, somebody}, true, []int{0, 1, 3, 6}, ""},
		"trouble that goes on":  {[]reply{busy}, false, []int{0, 1, 3, 6}, "searching the CRM: no clear answer: HTTP 503"},
		"a refusal stays as is": {[]reply{{http.StatusForbidden, `{"code":"NO_PERMISSION","message":"no"}`}}, false, []int{0}, "searching the CRM: HTTP 403 NO_PERMISSION: no"},
	} {
		synctest.Test(t, func(t *testing.T) {
			crm, says := crmThat(row.replies...)
			found, err := crm.exists(t.Context(), "ada@mail.example")
			assert.Equal(t, row.found, found, name)
			if row.reason == "" {
				require.NoError(t, err, name)
			} else {
				require.EqualError(t, err, row.reason, name)
			}
			var asked []int
			for _, after := range says.after {
				asked = append(asked, int(after/time.Second))
			}
			assert.Equal(t, row.asked, asked, name)
		})
	}
}

// What the CRM has said is true, so that there is nothing to wait for.
func TestAClearAnswerIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		replies []reply
		asked   []string
		what    string
		state   string
	}{
		"a lead is there":   {[]reply{somebody}, []string{"GET"}, exists, stateDone},
		"a lead is created": {[]reply{nobody, made}, []string{"GET", "POST"}, created, stateDone},
		"a lead is refused": {[]reply{nobody, {http.StatusBadRequest, `{"code":"INVALID_DATA"}`}}, []string{"GET", "POST"}, "", stateRefused},
	} {
		synctest.Test(t, func(t *testing.T) {
			crm, says := crmThat(row.replies...)
			s := &Syncer{CRM: crm, Journal: NewJournal(), Settle: time.Minute}
			began := time.Now()
			what, err := s.sync(t.Context(), &salesiq.Visitor{Email: "ada@mail.example"})
			assert.Equal(t, row.what == "", err != nil, name)
			assert.Equal(t, row.what, what, name)
			assert.Equal(t, row.asked, says.asked, name)
			assert.Zero(t, time.Since(began), name)
			assert.Equal(t, Entry{row.state, began}, s.Journal.Get("ada@mail.example"), name)
			what, err = s.sync(t.Context(), &salesiq.Visitor{Email: "ADA@mail.example"})
			if row.state == stateDone {
				require.NoError(t, err, name)
				assert.Equal(t, exists, what, name)
				assert.Equal(t, row.asked, says.asked, "%s: the journal knows", name)
			}
		})
	}
}

func TestALostAnswerIsLookedForOnceTheLeadCanBeFound(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		search reply
		what   string
		state  string
	}{
		"it is there":           {somebody, created, stateDone},
		"it is not":             {nobody, "", stateCreating},
		"nobody can tell still": {reply{http.StatusForbidden, `{}`}, "", stateCreating},
	} {
		synctest.Test(t, func(t *testing.T) {
			crm, says := crmThat(nobody, reply{}, row.search)
			s := &Syncer{CRM: crm, Journal: NewJournal(), Settle: time.Minute}
			what, err := s.sync(t.Context(), &salesiq.Visitor{Email: "ada@mail.example"})
			assert.Equal(t, row.what, what, name)
			if row.what == "" {
				require.ErrorIs(t, err, errUnclear, name)
			}
			assert.Equal(t, []time.Duration{0, 0, time.Minute}, says.after, name)
			assert.Equal(t, row.state, s.Journal.Get("ada@mail.example").State, name)
		})
	}
}

func TestADryRunOnlySays(t *testing.T) {
	t.Parallel()
	crm, says := crmThat(nobody)
	s := &Syncer{CRM: crm, Journal: NewJournal(), DryRun: true}
	var results []Result
	visitor := salesiq.Visitor{Email: "ada@mail.example"}
	sum, err := s.Sync(t.Context(), []salesiq.Visitor{visitor, visitor, {}}, func(r Result) { results = append(results, r) })
	require.NoError(t, err)
	assert.Equal(t, Summary{Created: 1, Existing: 1, Skipped: 1}, sum)
	require.Len(t, results, 3)
	assert.Equal(t, []string{created, exists, skipped}, []string{results[0].What, results[1].What, results[2].What})
	assert.Equal(t, visitor, *results[0].Visitor)
	assert.Equal(t, []string{"GET"}, says.asked)
}

func TestAnAddressIsForgottenAfterAMonth(t *testing.T) {
	t.Parallel()
	path, now := filepath.Join(t.TempDir(), "state"), time.Now()
	const day = 24 * time.Hour
	j, err := OpenJournal(path, now)
	require.NoError(t, err)
	require.NoError(t, j.Put("ada@mail.example", Entry{stateDone, now.Add(-29 * day)}))
	require.NoError(t, j.Put("mai@mail.example", Entry{stateDone, now.Add(-30 * day)}))
	j.Close()
	j, err = OpenJournal(path, now)
	require.NoError(t, err)
	defer j.Close()
	assert.Equal(t, stateDone, j.Get("ada@mail.example").State)
	assert.Zero(t, j.Get("mai@mail.example"))
}

func TestWhatIsNoAddressIsNone(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		" Ada@Mail.Example ": "ada@mail.example", "a@b": "a@b", "a@b@c": "a@b@c",
		"": "", "@b": "", "a@": "", "a": "", "a b@c": "", "a@b\nc": "",
	} {
		assert.Equal(t, want, address(email), email)
	}
}

func TestFreePlanIsEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := salesiqtest.Data{}
		for i := range 2345 {
			data.Visitors = append(data.Visitors, salesiq.Visitor{
				ID: fmt.Sprintf("visitor%d", i), Email: fmt.Sprintf("guest%d@mail.example", i), LastVisit: time.Now().Add(-time.Hour),
			})
		}
		server := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()),
			salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
		s := syncerOf(t, server, NewJournal(), server.HTTPClient().Transport)
		began := time.Now()
		_, err := run(t.Context(), s)
		require.NoError(t, err)
		assert.Len(t, server.Leads(), 2345)
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
		assert.Less(t, time.Since(began), 3*time.Minute, "24 calls take three windows")
	})
}

func TestAnAddressCannotEndTheSearch(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `first\(work\)\,last@mail.example`, escape("first(work),last@mail.example"))
}

// signedIn returns the CRM with tokens of the emulator.
func signedIn(t *testing.T, server *salesiqtest.Server) *CRM {
	t.Helper()
	tokens := func() oauth2.TokenSource {
		return Tokens(t.Context(), server.Client(t).DataCenter(), server.Credentials())
	}
	return NewCRM(server.URL, http.DefaultTransport, tokens(), tokens())
}

func TestTheTokenIsNotTakenElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Fail(t, "was asked", "%s %s", r.Method, r.URL.Path)
	}))
	t.Cleanup(elsewhere.Close)
	server := people.Start(t)
	leads := signedIn(t, server)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": elsewhere.URL}, Times: 2}))
	_, err := leads.exists(t.Context(), people.Emails[0])
	require.ErrorContains(t, err, "elsewhere")
	require.ErrorContains(t, leads.create(t.Context(), lead{"Last_Name": "Ada"}), "elsewhere")
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	server := people.Start(t)
	leads := signedIn(t, server)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Effect: salesiqtest.RevokeToken, Skip: 1, Times: 1}))
	require.NoError(t, leads.create(t.Context(), lead{"Last_Name": "Ada"}))
	require.NoError(t, leads.create(t.Context(), lead{"Last_Name": "Zoë"}), "its token was revoked meanwhile")
	assert.Len(t, server.Leads(), 2)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Effect: salesiqtest.RevokeToken, Times: 1}))
	require.ErrorContains(t, leads.create(t.Context(), lead{"Last_Name": "Mei"}), "HTTP 401")
}

func TestWhenStoppedTheSummaryIsOfWhatWasTold(t *testing.T) {
	t.Parallel()
	for _, processed := range []bool{false, true} {
		for at := 1; at <= 6; at++ {
			server := people.Start(t)
			ctx, kill := context.WithCancel(t.Context())
			s := syncerOf(t, server, NewJournal(), &killer{next: http.DefaultTransport, at: at, processed: processed, kill: kill})
			told := 0
			sum, err := runAndTell(ctx, s, func(Result) { told++ })
			require.ErrorContains(t, err, "stopped")
			kill()
			assert.Equal(t, told, sum.Created+sum.Existing+sum.Skipped+sum.Failed)
		}
	}
}
