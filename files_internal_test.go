package salesiq

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilesAreFetchedFromZohosFileHostsAlone(t *testing.T) {
	t.Parallel()
	client, err := NewClient(StaticToken("token"))
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"https://files.zohopublic.com/f?sig=1":       true,
		"https://ca1-files.zohopublic.ca/f":          true,
		"https://files-accl.zohopublic.com.au/f":     true,
		"https://download.zoho.eu/f":                 true,
		"https://FILES.ZohoCDN.com:443/f":            true,
		"https://x.zohocloud.ca/f":                   true,
		"https://salesiq.zoho.com/f":                 true,
		"http://files.zohopublic.com/f":              false,
		"https://files.zohopublic.com:8443/f":        false,
		"https://zohopublic.com/f":                   false,
		"https://accounts.zoho.com/signin":           false,
		"https://files.zohopublic.com.evil.example/": false,
		"https://files.evilzohopublic.com/":          false,
		"https://files.zohopublic.xyz/":              false,
		"https://zoho.evil.com/":                     false,
		"https://127.0.0.1/":                         false,
		"https://169.254.169.254/latest/meta-data":   false,
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		assert.Equal(t, want, client.mayFetch(u), address)
	}
}

func TestFilesOfARegionThatIsNotListedAreFetchedFromItsOwnHosts(t *testing.T) {
	t.Parallel()
	client, err := NewClient(StaticToken("token"), WithBaseURL("https://salesiq.zoho.xy"))
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"https://files.zohopublic.xy/f": true, "https://download.zoho.xy/f": true, "https://files.zohopublic.com/f": true,
		"https://files.zohopublic.qq/f": false, "https://accounts.zoho.xy/f": false, "http://files.zohopublic.xy/f": false, "https://files.zohopublic.xy.evil.example/f": false,
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		assert.Equal(t, want, client.mayFetch(u), address)
	}
}
