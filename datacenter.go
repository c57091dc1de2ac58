package salesiq

import (
	"fmt"
	"net/url"
	"strings"
)

// DataCenter is one of the regions in which Zoho keeps an organization's data.
// An account lives in exactly one, and its tokens are good for that one only.
//
// A DataCenter of one's own reaches any other host: a proxy, a test server, a
// region that this package does not list.
type DataCenter struct {
	Name     string // Such as "EU"; empty for a free-form one.
	API      string // Base URL of the service, such as https://salesiq.zoho.eu.
	Accounts string // Base URL of the OAuth server, such as https://accounts.zoho.eu.
	Widget   string // Base URL of the website widget; empty means API.
}

// The data centers of the specification, "Data Centers". Their accounts and
// widget hosts are the vendor's published ones.
//
// For Canada the sources disagree: the specification says salesiq.zoho.ca, while
// live integrations use salesiq.zohocloud.ca, which is [CACloud].
var (
	US = DataCenter{"US", "https://salesiq.zoho.com", "https://accounts.zoho.com", "https://salesiq.zohopublic.com"}
	EU = DataCenter{"EU", "https://salesiq.zoho.eu", "https://accounts.zoho.eu", "https://salesiq.zohopublic.eu"}
	IN = DataCenter{"IN", "https://salesiq.zoho.in", "https://accounts.zoho.in", "https://salesiq.zohopublic.in"}
	AU = DataCenter{"AU", "https://salesiq.zoho.com.au", "https://accounts.zoho.com.au", "https://salesiq.zohopublic.com.au"}
	JP = DataCenter{"JP", "https://salesiq.zoho.jp", "https://accounts.zoho.jp", "https://salesiq.zohopublic.jp"}
	CA = DataCenter{"CA", "https://salesiq.zoho.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"}
	CN = DataCenter{"CN", "https://salesiq.zoho.com.cn", "https://accounts.zoho.com.cn", "https://salesiq.zohopublic.com.cn"}
)

// Data centers that the vendor or live integrations name beyond the
// specification's seven.
var (
	CACloud = DataCenter{"CA-cloud", "https://salesiq.zohocloud.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"}
	SA      = DataCenter{"SA", "https://salesiq.zoho.sa", "https://accounts.zoho.sa", "https://salesiq.zohopublic.sa"}
)

// ukAccounts is the OAuth server of the United Kingdom. No page names the host of
// the service there.
var ukAccounts = DataCenter{Name: "UK", Accounts: "https://accounts.zoho.uk"}

// DataCenters returns the data centers that this package knows.
func DataCenters() []DataCenter {
	return []DataCenter{US, EU, IN, AU, JP, CA, CN, CACloud, SA}
}

// LookupDataCenter finds a data center by its name, in any case.
func LookupDataCenter(name string) (DataCenter, error) {
	var known []string
	for _, dc := range DataCenters() {
		if strings.EqualFold(dc.Name, strings.TrimSpace(name)) {
			return dc, nil
		}
		known = append(known, dc.Name)
	}
	return DataCenter{}, inputError("data center", fmt.Sprintf("%q is unknown; known are %s", name, strings.Join(known, ", ")))
}

// dataCenterAt returns the data center that is served at a base URL: US for
// none, and a free-form one, with its OAuth server at the same place, for one
// that is not known.
func dataCenterAt(base string) DataCenter {
	if base == "" {
		return US
	}
	for _, dc := range DataCenters() {
		if strings.EqualFold(dc.API, base) {
			return dc
		}
	}
	return DataCenter{API: base, Accounts: base}
}

// apiDomains tells which data center a token's api_domain names, by the end of
// its host. SalesIQ itself is never served at api_domain.
var apiDomains = map[string]DataCenter{
	"zohoapis.com":    US,
	"zohoapis.eu":     EU,
	"zohoapis.in":     IN,
	"zohoapis.com.au": AU,
	"zohoapis.jp":     JP,
	"zohoapis.ca":     CA,
	"zohocloud.ca":    CA,
	"zohoapis.com.cn": CN,
	"zohoapis.sa":     SA,
	"zoho.com":        US,
	"zoho.eu":         EU,
	"zoho.in":         IN,
	"zoho.com.au":     AU,
	"zoho.jp":         JP,
	"zoho.ca":         CA,
	"zoho.com.cn":     CN,
	"zoho.sa":         SA,
}

// checkAPIDomain refuses a token that belongs to another data center. An
// api_domain, or a data center, that is not known says nothing either way.
func (dc DataCenter) checkAPIDomain(apiDomain string) error {
	u, err := url.Parse(apiDomain)
	if err != nil || dc.Name == "" {
		return nil //nolint:nilerr // An unreadable api_domain names no data center.
	}
	_, domain, _ := strings.Cut(strings.ToLower(u.Hostname()), ".")
	theirs, known := apiDomains[domain]
	if !known || theirs.Accounts == dc.Accounts || strings.EqualFold(theirs.Name, dc.Name) {
		return nil
	}
	return fmt.Errorf("%w: the token belongs to data center %s (api_domain %s), the client uses %s: use WithDataCenter(salesiq.%s)",
		ErrWrongDataCenter, theirs.Name, u.Hostname(), dc.Name, theirs.Name)
}
