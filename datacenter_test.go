package salesiq

import (
	"net/http"
	"net/url"
	"strings"
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
		want   string // What to write for the data center to use instead; empty if all is well.
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
		{US, "https://www.zohocloud.ca", "CACloud", "another: the host that live integrations use, not salesiq.zoho.ca"},
		{US, "https://www.zohoapis.ca", "CACloud", "the same"},
		{US, "https://www.zohoapis.ae", `"AE"`, "one of which only the OAuth server is known, and which has no constant"},
		{Hosts{API: "https://salesiq.zoho.eu", Accounts: "https://sso.example"}.DataCenter(), "https://www.zohoapis.com", "US", "hosts of one's own, but the API is Zoho's"},
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
		want := "salesiq." + test.want
		if strings.HasPrefix(test.want, `"`) {
			want = test.want
		}
		require.ErrorContains(t, err, "WithDataCenter("+want+")", test.why)
	}
}

// I9: hosts as people write them.
func TestHostIsRecognizedHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://salesiq.zoho.eu", "https://salesiq.zoho.eu/", "https://salesiq.zoho.eu:443", "https://SalesIQ.Zoho.EU",
		"HTTPS://salesiq.zoho.eu", "https://salesiq.zoho.eu.", "https://salesiq.zoho.eu./", "https://salesiq.zoho.eu/api/v2",
		"https://salesiq.zoho.eu:0443", "https://salesiq.zoho.eu:", "https://salesiq.zoho.eu/api/v2/", "https://SALESIQ.zoho.eu.:443/api/v2//",
	} {
		client, err := NewClient(StaticToken("token"), WithBaseURL(address))
		require.NoError(t, err, address)
		require.Equal(t, EU, client.DataCenter(), address)
		client, err = NewClient(StaticToken("token"), WithBaseURL(address), WithAccountsURL("https://ACCOUNTS.zoho.eu.:443/"))
		require.NoError(t, err, address)
		require.Equal(t, EU, client.DataCenter(), address)
		client, err = NewClient(StaticToken("token"), WithDataCenter(Hosts{API: address, Accounts: "https://accounts.zoho.eu:443"}.DataCenter()))
		require.NoError(t, err, address)
		require.Equal(t, EU.Hosts().API, client.DataCenter().Hosts().API, address)
		require.Equal(t, EU.Hosts().Accounts, client.DataCenter().Hosts().Accounts, address)
	}
	oauth := &OAuth{}
	for _, server := range []string{"https://accounts.zoho.eu", "https://ACCOUNTS.zoho.eu", "https://accounts.zoho.eu:443/", "https://accounts.zoho.eu."} {
		code, err := oauth.ParseCallback(url.Values{"state": {"s"}, "code": {"c"}, "accounts-server": {server}}, "s")
		require.NoError(t, err, server)
		require.Equal(t, EU, code.DataCenter, server)
	}
	for address, want := range map[string]string{
		"http://127.1:8080":           "http://127.0.0.1:8080",
		"http://127.0.1:8080":         "http://127.0.0.1:8080",
		"http://2130706433:8080":      "http://127.0.0.1:8080",
		"http://0x7f.1:8080":          "http://127.0.0.1:8080",
		"http://LOCALHOST:8080":       "http://localhost:8080",
		"http://localhost.:80/prefix": "http://localhost/prefix",
		"http://app.localhost":        "http://app.localhost",
		"http://[::1]:8080/api/v2":    "http://[::1]:8080",
		"http://[::ffff:127.0.0.1]":   "http://[::ffff:127.0.0.1]",
		"https://x.test/a%2Fb/":       "https://x.test/a%2Fb",
	} {
		client, err := NewClient(StaticToken("token"), WithBaseURL(address))
		require.NoError(t, err, "%s is this machine, or reserved", address)
		require.Equal(t, want, client.DataCenter().Hosts().API, address)
	}
	for _, address := range []string{"http://127.0.0.256", "http://127..1", "http://1.2.3.4.5", "http://128.1", "http://0x80000001", "http://127.1.evil.com", "http://notlocalhost", "http://localhost.evil.com"} {
		_, err := NewClient(StaticToken("token"), WithBaseURL(address))
		require.ErrorContains(t, err, "https", "%s is not this machine", address)
	}
}

func TestHostThatCannotBeOneIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://.", "https://..", "https://:443", "https://salesiq.zoho.eu:0", "https://salesiq.zoho.eu:99999", "https://127.0.0.1:65536",
		"https://user:password@salesiq.zoho.eu", "https://@salesiq.zoho.eu", "https://salesiq.zoho.eu?", "https://salesiq.zoho.eu/?a", "https://salesiq.zoho.eu#a",
		"https://münchen.example", "https://salesiq。zoho。eu", "https://\u017falesiq.zoho.eu", "https://s\u0430lesiq.zoho.eu", "https://sales\u200biq.zoho.eu", "http://[fe80::1%25ö]",
	} {
		for field, option := range map[string]Option{"base URL": WithBaseURL(address), "accounts URL": WithAccountsURL(address)} {
			_, err := NewClient(StaticToken("token"), option, WithDataCenter(EU))
			var input *InputError
			require.ErrorAs(t, err, &input, "%q", address)
			require.Equal(t, field, input.Field, "%q", address)
			require.NotContains(t, err.Error(), "password")
		}
	}
	_, err := NewClient(StaticToken("token"), WithBaseURL("https://xn--mnchen-3ya.example"))
	require.NoError(t, err)
}

// A18: a gateway in front of the service must not get what signs in.
func TestBaseURLTakesTheSecretsNowhereElse(t *testing.T) {
	t.Parallel()
	for address, accounts := range map[string]string{
		"https://gateway.corp.com":         US.Hosts().Accounts,
		"https://salesiq.example.com":      US.Hosts().Accounts,
		"https://10.0.0.1":                 US.Hosts().Accounts,
		"https://mytest":                   US.Hosts().Accounts,
		"https://salesiq.zoho.in:443":      IN.Hosts().Accounts,
		"http://127.0.0.1:8080":            "http://127.0.0.1:8080",
		"http://127.1:8080":                "http://127.0.0.1:8080",
		"http://[::1]:8080":                "http://[::1]:8080",
		"http://localhost:8080/api/v2":     "http://localhost:8080",
		"http://emulator.localhost":        "http://emulator.localhost",
		"https://emulator.test":            "https://emulator.test",
		"https://emulator.example":         "https://emulator.example",
		"https://EMULATOR.EXAMPLE.":        "https://emulator.example",
		"https://emulator.test.attack.com": US.Hosts().Accounts,
	} {
		client, err := NewClient(StaticToken("token"), WithBaseURL(address))
		require.NoError(t, err, address)
		require.Equal(t, accounts, client.DataCenter().Hosts().Accounts, address)

		if strings.Contains(address, "salesiq.zoho.in") {
			_, err = NewClient(StaticToken("token"), WithBaseURL(address), WithDataCenter(EU))
			require.ErrorIs(t, err, ErrInvalidInput, "two regions, one of which would get the other's token")
			continue
		}
		client, err = NewClient(StaticToken("token"), WithBaseURL(address), WithDataCenter(EU))
		require.NoError(t, err, address)
		require.Equal(t, EU.Hosts().Accounts, client.DataCenter().Hosts().Accounts, address)

		client, err = NewClient(StaticToken("token"), WithBaseURL(address), WithAccountsURL("https://sso.corp.com"))
		require.NoError(t, err, address)
		require.Equal(t, "https://sso.corp.com", client.DataCenter().Hosts().Accounts, address)
	}
	z := &fakeZoho{}
	require.NoError(t, get(t.Context(), clientOf(t, z, nil, WithBaseURL("https://gateway.corp.com"))))
	require.Equal(t, accountsHost, z.tokens[0].URL.Host)
}

func TestRegionIsFoundHoweverPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for want, names := range map[DataCenter][]string{
		IN:      {"IN", ".in", "zoho.in", "India", "salesiq.zoho.in.", "salesiq.zoho.in:443", "//salesiq.zoho.in/acme"},
		JP:      {"https://salesiq.zoho.jp./", "JPDataCenter.PRODUCTION", "zoho jp", "salesiq.JP", "https://salesiq.zohopublic.jp/widget?wc=1"},
		US:      {"us", "com", ".com", "zoho.com", "USDataCenter", "US_DC", "https://accounts.zoho.com", "https://salesiq.zoho.com/acme/index", "www.zohoapis.com"},
		EU:      {"EU", "eu", "Zoho.EU", "EUDataCenter", "https://salesiq.zoho.eu/", "https://www.zohoapis.eu", "salesiq.zoho.eu/acme", "Europe", "EU Data Center", "eu data cent" + "re", "EU region", "zoho.eu?x"},
		AU:      {"au", "com.au", "zoho.com.au", "https://accounts.zoho.com.au"},
		CN:      {"com.cn", "cndatacenter"},
		CA:      {"CA", "https://salesiq.zoho.ca"},
		CACloud: {"ca-cloud", "zohocloud.ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca", "Canada", "CADataCenter", "CA cloud", "CACloud", "salesiq.zohopublic.ca"},
		"UK":    {"uk", "GB", "zoho.uk"},
		"AE":    {"ae", "UAE", "https://accounts.zoho.ae"},
		Hosts{"https://salesiq.zoho.xy", "https://accounts.zoho.xy", "https://salesiq.zohopublic.xy"}.DataCenter(): {"zoho.xy", "https://accounts.zoho.xy", "https://SalesIQ.zoho.xy/", "www.zohoapis.xy"},
	} {
		for _, name := range names {
			dc, err := LookupDataCenter(name)
			require.NoError(t, err, name)
			require.Equal(t, want, dc, name)
		}
	}
	for _, name := range []string{
		"", "Mars", "dc", "zoho", "zoho.", "zoho.com.evil.example", "http://accounts.zoho.eu", "https://accounts.zoho.eu:8443",
		"https://accounts.zoho.eu@evil.example", "https://evilzoho.eu", "evilzoho.eu", "zoho.toolong", "https://zohocloud.xy",
	} {
		_, err := LookupDataCenter(name)
		require.ErrorIs(t, err, ErrInvalidInput, name)
	}
}

func TestHostsOfTwoRegionsAreRefusedWithBothAndTheOptionToChange(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		opts  []Option
		field string
		says  []string
	}{
		"the OAuth server alone": {
			[]Option{WithAccountsURL("https://accounts.zoho.eu")}, "accounts URL",
			[]string{"https://salesiq.zoho.com", "https://accounts.zoho.eu", "WithDataCenter(salesiq.EU)", "SALESIQ_DATA_CENTER=EU"},
		},
		"both set apart": {
			[]Option{WithBaseURL("https://salesiq.zoho.in"), WithAccountsURL("https://accounts.zoho.jp")}, "accounts URL",
			[]string{"https://salesiq.zoho.in", "https://accounts.zoho.jp", "salesiq.JP", "IN"},
		},
		"hosts of one's own": {
			[]Option{WithDataCenter(Hosts{API: "https://salesiq.zoho.com", Accounts: "https://accounts.zoho.eu"}.DataCenter())}, "data center",
			[]string{"https://salesiq.zoho.com", "https://accounts.zoho.eu", "salesiq.EU"},
		},
		"Canada's": {
			[]Option{WithAccountsURL("https://accounts.zohocloud.ca")}, "accounts URL",
			[]string{"WithDataCenter(salesiq.CACloud)", "SALESIQ_DATA_CENTER=CA-cloud"},
		},
		"one that is not listed": {
			[]Option{WithAccountsURL("https://accounts.zoho.xy")}, "accounts URL",
			[]string{`salesiq.LookupDataCenter("https://salesiq.zoho.xy")`},
		},
		"the region of one, the API of another": {
			[]Option{WithDataCenter(EU), WithBaseURL("https://salesiq.zoho.com")}, "base URL",
			[]string{"https://salesiq.zoho.com", "https://accounts.zoho.eu"},
		},
		"a free OAuth server, of which nobody said that it is meant for US": {
			[]Option{WithAccountsURL("https://sso.example")}, "accounts URL",
			[]string{"https://sso.example", "https://salesiq.zoho.com", "WithBaseURL", "SALESIQ_BASE_URL"},
		},
	} {
		z := &fakeZoho{}
		_, err := NewClient(RefreshToken(testCredentials, nil), append(test.opts, WithHTTPClient(&http.Client{Transport: z}))...)
		var e *InputError
		require.ErrorAs(t, err, &e, why)
		require.Equal(t, test.field, e.Field, why)
		for _, words := range test.says {
			require.ErrorContains(t, err, words, why)
		}
		require.Empty(t, z.tokens, "no token was asked for")
	}
}

func TestFreeHostsArePossibleBySayingSo(t *testing.T) {
	t.Parallel()
	for why, opts := range map[string][]Option{
		"an emulator":                {WithBaseURL("http://127.0.0.1:8080")},
		"a proxy of the API":         {WithBaseURL("https://proxy.corp.example.com")},
		"and of a region":            {WithBaseURL("https://proxy.corp.example.com"), WithDataCenter(EU)},
		"a proxy of the accounts":    {WithAccountsURL("https://sso.corp.example.com"), WithDataCenter(EU)},
		"both, one of them Zoho's":   {WithBaseURL("https://salesiq.zoho.eu"), WithAccountsURL("https://sso.corp.example.com")},
		"both, the other one Zoho's": {WithBaseURL("https://vanity.corp.example.com"), WithAccountsURL("https://accounts.zoho.eu")},
		"hosts of one's own":         {WithDataCenter(Hosts{API: "https://salesiq.zoho.eu", Accounts: "https://sso.corp.example.com"}.DataCenter())},
		"two names of one region":    {WithDataCenter(CA), WithAccountsURL("https://accounts.zohocloud.ca")},
	} {
		_, err := NewClient(RefreshToken(testCredentials, nil), opts...)
		require.NoError(t, err, why)
	}
}

func TestHostOfZohosImpliesItsSisters(t *testing.T) {
	t.Parallel()
	for base, accounts := range map[string]string{
		"https://salesiq.zoho.uk":       "https://accounts.zoho.uk",
		"https://salesiq.zoho.ae":       "https://accounts.zoho.ae",
		"https://salesiq.zoho.xy":       "https://accounts.zoho.xy",
		"https://salesiq.zohocloud.ca":  "https://accounts.zohocloud.ca",
		"https://salesiq.zoho.xy.evil":  US.Hosts().Accounts,
		"https://salesiq.zoho.evil.com": US.Hosts().Accounts,
	} {
		client, err := NewClient(StaticToken("token"), WithBaseURL(base))
		require.NoError(t, err, base)
		require.Equal(t, accounts, client.DataCenter().Hosts().Accounts, base)
		require.Equal(t, base, client.DataCenter().Hosts().API)
	}
}

func TestHostOfZohosIsKnownUnderAnyPortSchemeAndPath(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		opts  []Option
		field string
		says  []string
	}{
		"another port of the API": {
			[]Option{WithBaseURL("https://salesiq.zoho.eu:8443"), WithAccountsURL("https://accounts.zoho.com.au")}, "accounts URL", []string{"AU", "EU"},
		},
		"another port of the OAuth server": {
			[]Option{WithBaseURL("https://salesiq.zoho.com"), WithAccountsURL("https://accounts.zoho.jp:8443")}, "accounts URL", []string{"JP", "US"},
		},
		"without TLS": {
			[]Option{WithBaseURL("https://salesiq.zoho.com.cn"), WithAccountsURL("http://accounts.zoho.in"), WithPlaintext()}, "accounts URL", []string{"CN", "IN"},
		},
		"the public host": {
			[]Option{WithBaseURL("https://salesiq.zohopublic.eu"), WithDataCenter(SA)}, "base URL", []string{"EU", "SA"},
		},
		"hosts of one's own, with a port": {
			[]Option{WithDataCenter(Hosts{API: "https://salesiq.zoho.com:8443", Accounts: "https://accounts.zoho.in"}.DataCenter())}, "data center", []string{"US", "IN"},
		},
		"the portal's address": {
			[]Option{WithBaseURL("https://salesiq.zoho.eu/acme/index")}, "base URL", []string{"WithPortal", "salesiq.EU"},
		},
		"the OAuth server in the place of the API": {
			[]Option{WithBaseURL("https://accounts.zoho.in"), WithDataCenter(IN)}, "base URL", []string{"WithDataCenter(salesiq.IN)"},
		},
		"the API in the place of the OAuth server": {
			[]Option{WithAccountsURL("https://salesiq.zoho.in"), WithDataCenter(IN)}, "accounts URL", []string{"https://accounts.zoho.in", "SALESIQ_DATA_CENTER=IN"},
		},
		"a region without a constant": {
			[]Option{WithAccountsURL("https://accounts.zoho.uk")}, "accounts URL", []string{`WithDataCenter("UK")`},
		},
	} {
		z := &fakeZoho{}
		_, err := NewClient(RefreshToken(testCredentials, nil), append(test.opts, WithHTTPClient(&http.Client{Transport: z}))...)
		var e *InputError
		require.ErrorAs(t, err, &e, why)
		require.Equal(t, test.field, e.Field, why)
		for _, words := range test.says {
			require.ErrorContains(t, err, words, why)
		}
	}
	for base, accounts := range map[string]string{
		"https://salesiq.zoho.eu:8443":  EU.Hosts().Accounts,
		"https://salesiq.zohopublic.jp": JP.Hosts().Accounts,
		"https://www.zohoapis.uk":       "https://accounts.zoho.uk",
	} {
		client, err := NewClient(StaticToken("token"), WithBaseURL(base))
		require.NoError(t, err, base)
		require.Equal(t, accounts, client.DataCenter().Hosts().Accounts, "secrets of %s go to its sister", base)
	}
	o := testOAuth(nil)
	o.DataCenter = Hosts{API: "https://salesiq.zoho.com", Accounts: "https://accounts.zoho.eu"}.DataCenter()
	_, err := o.AuthURL("state")
	require.ErrorContains(t, err, "do not belong together", "before anybody consents")
}

func TestFreeHostsHaveNoRegionButThatOfTheirOAuthServer(t *testing.T) {
	t.Parallel()
	european := func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": "https://www.zohoapis.eu", "location": "eu"})), nil
	}
	const gateway = "https://gateway.corp.com"
	for why, opts := range map[string][]Option{
		"both are free":             {WithBaseURL(gateway), WithAccountsURL("https://sso.corp.com")},
		"the OAuth server is EU's":  {WithBaseURL(gateway), WithAccountsURL("https://accounts.zoho.eu")},
		"hosts of one's own for EU": {WithDataCenter(Hosts{API: gateway, Accounts: "https://accounts.zoho.eu"}.DataCenter())},
	} {
		z := &fakeZoho{answer: european}
		require.NoError(t, get(t.Context(), clientOf(t, z, nil, opts...)), why)
		z.call = func(*http.Request) *http.Response {
			return answerWith(http.StatusUnauthorized, `{"status":"error","code":"INVALID_TOKEN"}`)
		}
		err := get(t.Context(), clientOf(t, z, nil, opts...))
		require.ErrorIs(t, err, ErrInvalidToken, why)
		require.NotContains(t, err.Error(), "than US", why)
	}
	z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": "https://www.zohoapis.com"})), nil
	}}
	err := get(t.Context(), clientOf(t, z, nil, WithBaseURL(gateway), WithAccountsURL("https://accounts.zoho.eu")))
	require.ErrorIs(t, err, ErrWrongDataCenter)
	require.Empty(t, z.seen(), "the token went nowhere")
}

func TestTokenOfAnotherRegionIsKnownHoweverTheAnswerNamesIt(t *testing.T) {
	t.Parallel()
	for _, answer := range []map[string]any{
		{"api_domain": "https://zohoapis.eu"}, {"api_domain": "www.zohoapis.eu"}, {"api_domain": "https://eu1.api.zoho.eu"},
		{"api_domain": "https://www.zohoapis.eu./"}, {"api_domain": "https://salesiq.zohopublic.eu"}, {"api_domain": "https://www.zohoapis.xy"},
		{"api_domain": "https://www.zohoapis.com", "location": "in"}, {"api_domain": nil, "location": "CA"}, {"api_domain": nil, "user_location": "eu"},
	} {
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(1, answer)), nil
		}}
		err := get(t.Context(), clientOf(t, z, nil))
		require.ErrorIs(t, err, ErrWrongDataCenter, "%v", answer)
		require.ErrorContains(t, err, "WithDataCenter(", "%v", answer)
		require.Empty(t, z.seen(), "%v: the token went nowhere", answer)
	}
	for _, answer := range []map[string]any{{"location": "us"}, {"api_domain": "https://www.zohoapis.com:443/"}, {"location": "mars"}} {
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(1, answer)), nil
		}}
		require.NoError(t, get(t.Context(), clientOf(t, z, nil)), "%v", answer)
	}
}
