package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/crmsync/internal/people"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func setEnvironment(t *testing.T, server *salesiqtest.Server) {
	t.Helper()
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
}

func TestEachAddressGetsOneLead(t *testing.T) {
	server := people.Start(t)
	setEnvironment(t, server)
	c := config{state: filepath.Join(t.TempDir(), "state"), since: 24 * time.Hour}
	for _, want := range []string{"3 created, 1 existing, 2 skipped, 0 failed\n", "0 created, 4 existing, 2 skipped, 0 failed\n"} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out, c))
		assert.Contains(t, out.String(), want)
		assert.NotContains(t, out.String(), "@mail.example", "logs are no place for addresses")
		people.AssertOneLeadEach(t, server, people.Emails)
	}
	c.state = filepath.Join(t.TempDir(), "lost")
	require.NoError(t, run(t.Context(), io.Discard, c), "without its state file")
	people.AssertOneLeadEach(t, server, people.Emails)

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

func TestDryRunChangesNothing(t *testing.T) {
	server := people.Start(t)
	setEnvironment(t, server)
	c := config{state: filepath.Join(t.TempDir(), "state"), since: 24 * time.Hour, dryRun: true}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assert.Contains(t, out.String(), "3 would be created, 1 existing, 2 skipped, 0 failed\n")
	assert.Empty(t, server.Leads())
	assert.NoFileExists(t, c.state)
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
	people.AssertOneLeadEach(t, server, want)
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
	server := people.Start(t)
	setEnvironment(t, server)
	for address, reason := range map[string]string{"": "set SALESIQ_CRM_URL", "http://crm.example": "https://"} {
		t.Setenv("SALESIQ_CRM_URL", address)
		require.ErrorContains(t, run(t.Context(), io.Discard, config{dryRun: true}), reason)
	}
}
