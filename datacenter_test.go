package salesiq

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDataCentersAreTheSpecifications(t *testing.T) {
	t.Parallel()
	for name, api := range map[string]string{
		"US": "https://salesiq.zoho.com",
		"EU": "https://salesiq.zoho.eu",
		"IN": "https://salesiq.zoho.in",
		"AU": "https://salesiq.zoho.com.au",
		"JP": "https://salesiq.zoho.jp",
		"CA": "https://salesiq.zoho.ca",
		"CN": "https://salesiq.zoho.com.cn",
	} {
		dc, err := LookupDataCenter(name)
		require.NoError(t, err)
		require.Equal(t, name, string(dc))
		require.Equal(t, api, dc.Hosts().API)
	}
	for _, dc := range DataCenters() {
		for _, address := range []string{dc.Hosts().API, dc.Hosts().Accounts, dc.Hosts().Widget} {
			u, err := url.Parse(address)
			require.NoError(t, err)
			require.Equal(t, "https://"+u.Host, address, "a bare host over TLS")
		}
		found, err := LookupDataCenter(string(dc))
		require.NoError(t, err)
		require.Equal(t, dc, found)
	}
}

func TestUnknownDataCenterIsRefusedWithTheKnownOnes(t *testing.T) {
	t.Parallel()
	dc, err := LookupDataCenter(" eu ")
	require.NoError(t, err)
	require.Equal(t, EU, dc)
	_, err = LookupDataCenter("Mars")
	require.ErrorIs(t, err, ErrInvalidInput)
	require.ErrorContains(t, err, `"Mars"`)
	require.ErrorContains(t, err, "US, EU, IN")
}

func TestAPIDomainTellsDataCentersApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		dc     DataCenter
		domain string
		want   string // The data center to use instead; empty if all is well.
		why    string
	}{
		{US, "https://www.zohoapis.com", "", "its own"},
		{AU, "https://www.zohoapis.com.au", "", "its own, though it begins like another's"},
		{CN, "https://www.zohoapis.com.cn", "", "its own, though it begins like another's"},
		{EU, "https://api.zoho.eu", "", "its own, in the older form"},
		{CA, "https://www.zohoapis.ca", "", "its own"},
		{CACloud, "https://www.zohoapis.ca", "", "both Canadas share an OAuth server"},
		{US, "https://www.zohoapis.eu", "EU", "another"},
		{EU, "https://WWW.ZOHOAPIS.COM", "US", "in capitals"},
		{US, "https://www.zohoapis.com.au", "AU", "another that begins alike"},
		{AU, "https://www.zohoapis.com", "US", "the other way round"},
		{IN, "https://www.zohoapis.com.cn", "CN", "another"},
		{US, "https://www.zohocloud.ca", "CA", "another"},
		{US, "", "", "none was given"},
		{US, "https://www.zohoapis.example", "", "not a known one"},
		{US, "https://www.zohoapis.eu.example", "", "not a known one, though it begins so"},
		{US, "http://127.0.0.1:8080", "", "a test server's"},
		{US, "://", "", "not a URL"},
		{Hosts{API: "https://proxy.example", Accounts: "https://proxy.example"}.DataCenter(), "https://www.zohoapis.eu", "", "a free-form data center may be any"},
	} {
		err := siteOf(test.dc).checkAPIDomain(test.domain)
		if test.want == "" {
			require.NoError(t, err, test.why)
			continue
		}
		require.ErrorIs(t, err, ErrWrongDataCenter, test.why)
		require.ErrorContains(t, err, "WithDataCenter(salesiq."+test.want+")", test.why)
	}
}
