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
