package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/examples/internal/statefile"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// people are visitors who make trouble, all of the last hour.
func people() salesiqtest.Data {
	recent := time.Now().Add(-time.Hour)
	return salesiqtest.Data{Visitors: []salesiq.Visitor{
		{ID: "visitor1", Name: "Ada", Email: "ada@mail.example", LastVisit: recent},
		{ID: "visitor2", Name: "Nguyễn Thị Mai", Email: "mai@mail.example", Company: "Fjellsport", City: "Malmö", LastVisit: recent, CustomFields: map[string]any{"budget": "large"}},
		{ID: "visitor3", Name: "Nobody", LastVisit: recent},
		{ID: "visitor4", Name: "Ada again", Email: " ADA@mail.example", LastVisit: recent},
		{ID: "visitor5", Email: "first(work),last@mail.example", Phone: "+1-555-0100", LastVisit: recent},
		{ID: "visitor6", Name: "Was Here", Email: "old@mail.example", LastVisit: recent.Add(-48 * time.Hour)},
		{ID: "visitor7", Name: "No Address", Email: "not an address", LastVisit: recent},
	}}
}

// emails are those of people that get a lead.
var emails = []string{"ada@mail.example", "first(work),last@mail.example", "mai@mail.example"}

func assertOneLeadEach(t *testing.T, server *salesiqtest.Server, want []string) {
	t.Helper()
	var got []string
	for _, lead := range server.Leads() {
		got = append(got, lead["Email"].(string))
	}
	assert.ElementsMatch(t, want, got)
}

func startServer(t *testing.T) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(people()))
	return server
}

func setEnvironment(t *testing.T, server *salesiqtest.Server) {
	t.Helper()
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
}

func TestEachAddressGetsOneLead(t *testing.T) {
	server := startServer(t)
	setEnvironment(t, server)
	c := config{state: filepath.Join(t.TempDir(), "state"), since: 24 * time.Hour}
	for _, want := range []string{"3 created, 1 existing, 2 skipped, 0 failed\n", "0 created, 4 existing, 2 skipped, 0 failed\n"} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out, c))
		assert.Contains(t, out.String(), want)
		assert.NotContains(t, out.String(), "@mail.example", "logs are no place for addresses")
		assertOneLeadEach(t, server, emails)
	}
	c.state = filepath.Join(t.TempDir(), "lost")
	require.NoError(t, run(t.Context(), io.Discard, c), "without its state file")
	assertOneLeadEach(t, server, emails)

	leads := map[string]map[string]any{}
	for _, lead := range server.Leads() {
		delete(lead, "id")
		delete(lead, "Created_Time")
		leads[lead["Email"].(string)] = lead
	}
	assert.Equal(t, map[string]any{
		"Last_Name": "Ada", "Email": "ada@mail.example", "Lead_Source": "Website Chat", "Lead_Status": "New",
		"Description": "Visitor ID: visitor1, Pages Visited: 0",
	}, leads["ada@mail.example"])
	assert.Equal(t, map[string]any{
		"First_Name": "Nguyễn Thị", "Last_Name": "Mai", "Company": "Fjellsport", "City": "Malmö", "Email": "mai@mail.example",
		"Lead_Source": "Website Chat", "Lead_Status": "New", "Custom_Field_budget": "large",
		"Description": "Visitor ID: visitor2, Pages Visited: 0",
	}, leads["mai@mail.example"])
	assert.Equal(t, "Unknown", leads["first(work),last@mail.example"]["Last_Name"])
}

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

func TestDryRunChangesNothing(t *testing.T) {
	server := startServer(t)
	setEnvironment(t, server)
	c := config{state: filepath.Join(t.TempDir(), "state"), since: 24 * time.Hour, dryRun: true}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assert.Contains(t, out.String(), "3 would be created, 1 existing, 2 skipped, 0 failed\n")
	assert.Empty(t, server.Leads())
	assert.NoFileExists(t, c.state)
}

// syncerOf returns a syncer whose calls to the CRM go through transport.
func syncerOf(t *testing.T, server *salesiqtest.Server, j *journal, transport http.RoundTripper) *syncer {
	t.Helper()
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: server.AccessToken()})
	return &syncer{
		config:   config{since: 24 * time.Hour},
		visitors: server.Client(t).Visitors,
		leads:    &crm{base: server.URL, client: &http.Client{Transport: &signer{tokens: tokens, next: transport}}},
		journal:  j,
		out:      io.Discard,
	}
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
				server := startServer(t)
				path := filepath.Join(t.TempDir(), "state")
				j, err := loadJournal(path, time.Now())
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				k := &killer{next: http.DefaultTransport, at: at, processed: processed, kill: cancel}
				err = syncerOf(t, server, j, k).run(ctx)
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
				j, err = loadJournal(path, time.Now())
				require.NoError(t, err)
				require.NoError(t, syncerOf(t, server, j, http.DefaultTransport).run(t.Context()))
				j.Close()
				assertOneLeadEach(t, server, emails)
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
			server := startServer(t)
			fault.Method, fault.Path, fault.Processed, fault.Times = http.MethodPost, "/crm/v8/Leads", true, 2
			require.NoError(t, server.Inject(fault))
			s := syncerOf(t, server, statefile.Memory[entry](), http.DefaultTransport)
			require.NoError(t, s.run(t.Context()))
			assert.Equal(t, summary{created: 3, existing: 1, skipped: 2}, s.summary)
			assertOneLeadEach(t, server, emails)
		})
	}
}

func TestAFailureIsCountedAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: "/crm/v8/Leads", Status: http.StatusForbidden, Message: "no"}))
	s := syncerOf(t, server, statefile.Memory[entry](), http.DefaultTransport)
	require.ErrorIs(t, s.run(t.Context()), errFailures)
	assert.Equal(t, summary{created: 3, skipped: 2, failed: 1}, s.summary, "the second visitor with that address had more luck")
	assertOneLeadEach(t, server, emails)
}

func TestTroubleWithASearchIsOverSoon(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/v8/Leads/search", Status: http.StatusServiceUnavailable}))
	require.NoError(t, syncerOf(t, server, statefile.Memory[entry](), http.DefaultTransport).run(t.Context()))
	assertOneLeadEach(t, server, emails)
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
			j, err := loadJournal(path, time.Now())
			require.NoError(t, err)
			s := &syncer{
				config: config{settle: 30 * time.Second}, journal: j, out: io.Discard,
				leads: &crm{base: "https://crm.example", client: &http.Client{Transport: fake}},
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
		s := syncerOf(t, server, statefile.Memory[entry](), server.HTTPClient().Transport)
		began := time.Now()
		require.NoError(t, s.run(t.Context()))
		assert.Len(t, server.Leads(), 2345)
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
		assert.Less(t, time.Since(began), 3*time.Minute, "24 calls take three windows")
	})
}

// TestMain lets the test binary be the program, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("CRMSYNC_IS_THE_PROGRAM") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestKilledAtAnyMomentItGoesOnWithoutADuplicate(t *testing.T) {
	t.Parallel()
	data := salesiqtest.Data{}
	var want []string
	for i := range 60 {
		email := fmt.Sprintf("guest%d@mail.example", i/2) // Everybody came twice.
		data.Visitors = append(data.Visitors, salesiq.Visitor{ID: fmt.Sprintf("visitor%d", i), Email: email, LastVisit: time.Now().Add(-time.Hour)})
		if i%2 == 0 {
			want = append(want, email)
		}
	}
	server := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Probability: 1, Latency: 3 * time.Millisecond}))
	path := filepath.Join(t.TempDir(), "state")
	const kills = 7 // With the last run, as many as there are tokens to be had.
	for run := 0; run <= kills; run++ {
		var output bytes.Buffer
		program := exec.CommandContext(t.Context(), os.Args[0], "-state", path, "-settle", "0s")
		program.Env = append(append(os.Environ(), server.Environment()...),
			"CRMSYNC_IS_THE_PROGRAM=1", "ZOHO_CRM_ACCESS_TOKEN="+server.AccessToken())
		program.Stdout, program.Stderr = &output, &output
		before := len(server.Leads())
		require.NoError(t, program.Start())
		if run == kills {
			require.NoError(t, program.Wait(), output.String())
			break
		}
		require.Eventually(t, func() bool { return len(server.Leads()) >= before+2 }, 30*time.Second, time.Millisecond, "it is at work")
		time.Sleep(rand.N(10 * time.Millisecond)) // At any moment.
		require.NoError(t, program.Process.Kill())
		require.Error(t, program.Wait(), "it was killed")
	}
	assertOneLeadEach(t, server, want)
}

func TestAnAddressCannotEndTheSearch(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `first\(work\)\,last@mail.example`, escape("first(work),last@mail.example"))
}

func TestTheTokenIsNotTakenElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Fail(t, "was asked", "%s %s", r.Method, r.URL.Path)
	}))
	t.Cleanup(elsewhere.Close)
	server := startServer(t)
	leads, err := newCRM(t.Context(), &account.Account{Client: server.Client(t), Emulator: server, Credentials: server.Credentials()})
	require.NoError(t, err)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": elsewhere.URL}, Times: 2}))
	_, err = leads.exists(t.Context(), emails[0])
	require.ErrorContains(t, err, "elsewhere")
	require.ErrorContains(t, leads.create(t.Context(), lead{"Last_Name": "Ada"}), "elsewhere")
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	leads, err := newCRM(t.Context(), &account.Account{Client: server.Client(t), Emulator: server, Credentials: server.Credentials()})
	require.NoError(t, err)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Effect: salesiqtest.RevokeToken, Skip: 1, Times: 1}))
	require.NoError(t, leads.create(t.Context(), lead{"Last_Name": "Ada"}))
	require.NoError(t, leads.create(t.Context(), lead{"Last_Name": "Zoë"}), "its token was revoked meanwhile")
	assert.Len(t, server.Leads(), 2)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/crm/", Effect: salesiqtest.RevokeToken, Times: 1}))
	require.ErrorContains(t, leads.create(t.Context(), lead{"Last_Name": "Mei"}), "HTTP 401")
}

func TestEachDataCenterHasItsCRM(t *testing.T) {
	t.Parallel()
	for _, dc := range salesiq.DataCenters() {
		want := map[string]string{
			"EU": "https://www.zohoapis.eu", "AU": "https://www.zohoapis.com.au", "CA": "https://www.zohoapis.ca",
			"CA-cloud": "https://www.zohoapis.ca", "CN": "https://www.zohoapis.com.cn", "US": "https://www.zohoapis.com",
		}
		assert.Equal(t, cmp.Or(want[string(dc)], "https://www.zohoapis."+strings.ToLower(string(dc))), crmOf(dc), string(dc))
	}
	assert.Empty(t, crmOf(salesiq.Hosts{API: "http://127.0.0.1:1", Accounts: "http://127.0.0.1:1"}.DataCenter()))
}

func TestACRMThatCannotBeTrustedGetsNoToken(t *testing.T) {
	server := startServer(t)
	setEnvironment(t, server)
	for address, reason := range map[string]string{"": "set SALESIQ_CRM_URL", "http://crm.example": "https://"} {
		t.Setenv("SALESIQ_CRM_URL", address)
		require.ErrorContains(t, run(t.Context(), io.Discard, config{dryRun: true}), reason)
	}
}

func TestWhenStoppedTheSummaryIsOfTheLinesAbove(t *testing.T) {
	t.Parallel()
	for _, processed := range []bool{false, true} {
		for at := 1; at <= 6; at++ {
			server := startServer(t)
			ctx, kill := context.WithCancel(t.Context())
			s := syncerOf(t, server, statefile.Memory[entry](), &killer{next: http.DefaultTransport, at: at, processed: processed, kill: kill})
			var out bytes.Buffer
			s.out = &out
			require.ErrorContains(t, s.run(ctx), "stopped")
			kill()
			sum := s.summary
			assert.Equal(t, strings.Count(out.String(), "\n")-1, sum.created+sum.existing+sum.skipped+sum.failed, out.String())
		}
	}
}
