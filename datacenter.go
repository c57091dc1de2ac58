package salesiq

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// DataCenter is the name of a region in which Zoho keeps an organization's data.
// An account lives in exactly one, and its tokens are good for that one only.
// [Hosts.DataCenter] makes a DataCenter of other hosts: a proxy, a test server, a
// region that this package does not list.
type DataCenter string

// The data centers of the specification, "Data Centers". Their accounts and
// widget hosts are the vendor's published ones.
//
// For Canada the sources disagree: the specification says salesiq.zoho.ca, while
// live integrations use salesiq.zohocloud.ca, which is [CACloud].
const (
	US DataCenter = "US"
	EU DataCenter = "EU"
	IN DataCenter = "IN"
	AU DataCenter = "AU"
	JP DataCenter = "JP"
	CA DataCenter = "CA"
	CN DataCenter = "CN"
)

// Data centers that the vendor or live integrations name beyond the
// specification's seven.
const (
	CACloud DataCenter = "CA-cloud"
	SA      DataCenter = "SA"
)

// uk is the United Kingdom. No page names the host of the service there.
const uk DataCenter = "UK"

// Hosts are the base URLs of a data center.
type Hosts struct {
	API      string // Of the service, such as https://salesiq.zoho.eu.
	Accounts string // Of the OAuth server, such as https://accounts.zoho.eu.
	Widget   string // Of the website widget; empty means API.
}

var dataCenters = map[DataCenter]Hosts{
	US:      {"https://salesiq.zoho.com", "https://accounts.zoho.com", "https://salesiq.zohopublic.com"},
	EU:      {"https://salesiq.zoho.eu", "https://accounts.zoho.eu", "https://salesiq.zohopublic.eu"},
	IN:      {"https://salesiq.zoho.in", "https://accounts.zoho.in", "https://salesiq.zohopublic.in"},
	AU:      {"https://salesiq.zoho.com.au", "https://accounts.zoho.com.au", "https://salesiq.zohopublic.com.au"},
	JP:      {"https://salesiq.zoho.jp", "https://accounts.zoho.jp", "https://salesiq.zohopublic.jp"},
	CA:      {"https://salesiq.zoho.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"},
	CN:      {"https://salesiq.zoho.com.cn", "https://accounts.zoho.com.cn", "https://salesiq.zohopublic.com.cn"},
	CACloud: {"https://salesiq.zohocloud.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"},
	SA:      {"https://salesiq.zoho.sa", "https://accounts.zoho.sa", "https://salesiq.zohopublic.sa"},
	uk:      {Accounts: "https://accounts.zoho.uk"},
}

// DataCenters returns the data centers that this package knows.
func DataCenters() []DataCenter {
	return []DataCenter{US, EU, IN, AU, JP, CA, CN, CACloud, SA}
}

// LookupDataCenter finds a data center by its name, in any case.
func LookupDataCenter(name string) (DataCenter, error) {
	var known []string
	for _, dc := range DataCenters() {
		if strings.EqualFold(string(dc), strings.TrimSpace(name)) {
			return dc, nil
		}
		known = append(known, string(dc))
	}
	return "", inputError("data center", fmt.Sprintf("%q is unknown; known are %s", name, strings.Join(known, ", ")))
}

// Hosts returns the hosts of a data center. They are empty for a name that is
// not known, and for "".
func (dc DataCenter) Hosts() Hosts {
	if known, ok := dataCenters[dc]; ok {
		return known
	}
	var h Hosts
	for word := range strings.FieldsSeq(string(dc)) {
		name, address, _ := strings.Cut(word, "=")
		if field, ok := h.byName()[name]; ok {
			*field = address
		}
	}
	return h
}

// DataCenter returns the data center that has these hosts: a known one, or else
// one of your own.
func (h Hosts) DataCenter() DataCenter {
	for dc, hosts := range dataCenters {
		if h == hosts {
			return dc
		}
	}
	var words []string
	fields := h.byName()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if address := *fields[name]; address != "" {
			words = append(words, name+"="+strings.ReplaceAll(address, " ", "%20"))
		}
	}
	return DataCenter(strings.Join(words, " "))
}

// byName returns the fields under the names that they have in a DataCenter.
func (h *Hosts) byName() map[string]*string {
	return map[string]*string{"accounts": &h.Accounts, "api": &h.API, "widget": &h.Widget}
}

// site is where a client works: the region that was chosen, if any, and hosts,
// which may be others than the region's.
type site struct {
	Hosts

	region DataCenter // Empty where only the hosts are known.
}

func (s site) dataCenter() DataCenter {
	if s.Hosts == s.region.Hosts() {
		return s.region
	}
	return s.DataCenter()
}

// siteOf returns the site of a data center, or US for "".
func siteOf(dc DataCenter) site {
	if dc == "" {
		dc = US
	}
	region := dc
	if _, known := dataCenters[dc]; !known {
		region = ""
	}
	hosts := dc.Hosts()
	hosts.API, hosts.Accounts = apiBase(hosts.API), plainURL(hosts.Accounts)
	return site{hosts, region}
}

// siteAt returns the site that is served at a base URL, or US for "". An emulator is
// its own OAuth server, and has no region. Anywhere else, such as behind a gateway,
// credentials still go to US alone.
func siteAt(base string) site {
	for _, dc := range DataCenters() {
		if base == "" || dc.Hosts().API == base {
			return siteOf(dc)
		}
	}
	if u, err := url.Parse(base); err == nil && isForTests(u.Hostname()) {
		return site{Hosts: Hosts{API: base, Accounts: base}}
	}
	us := siteOf(US)
	us.API = base
	return us
}

// isForTests reports whether a host can be nobody's but the caller's: one of this
// machine, or below a name that is reserved for tests (RFC 2606).
func isForTests(host string) bool {
	if isLoopback(host) {
		return true
	}
	return strings.HasSuffix(host, ".test") || strings.HasSuffix(host, ".example")
}

// isLoopback reports whether a host of a plain URL is this machine.
func isLoopback(host string) bool { return input.IsLoopback(host) }

// apiBase is the plain URL that wire.Root is appended to. The specification writes
// base URLs with it and without.
func apiBase(address string) string {
	return strings.TrimSuffix(plainURL(address), wire.Root)
}

// plainURL writes an address as this package compares addresses: scheme and host in
// lower case, no port that goes without saying, no dot after the host, no slash at
// the end, and an IPv4 address in four parts. It leaves alone what is not a URL.
func plainURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if ip, ok := parseIPv4(host); ok {
		host = ip
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != defaultPorts[u.Scheme] {
		host += ":" + port
	}
	u.Host = host
	return strings.TrimRight(u.String(), "/")
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// parseIPv4 reads an IPv4 address as inet_aton does, so that what a browser or curl
// takes for 127.0.0.1 is taken for it here: up to four numbers, of which the last
// fills the rest, in decimal, octal or hexadecimal.
func parseIPv4(host string) (string, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return "", false
	}
	var ip uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		last := i == len(parts)-1
		if err != nil || strings.Contains(part, "_") || !last && n > 255 || last && n >= 1<<(8*(5-len(parts))) {
			return "", false
		}
		if last {
			ip |= n
		} else {
			ip |= n << (8 * (3 - i))
		}
	}
	var octets [4]byte
	binary.BigEndian.PutUint32(octets[:], uint32(ip))
	return netip.AddrFrom4(octets).String(), true
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

// checkAPIDomain refuses a token that belongs to another data center. Where the
// api_domain or the region is unknown, it refuses nothing.
func (s site) checkAPIDomain(apiDomain string) error {
	u, err := url.Parse(apiDomain)
	if err != nil || s.region == "" {
		return nil //nolint:nilerr // An unreadable api_domain names no data center.
	}
	_, domain, _ := strings.Cut(strings.ToLower(u.Hostname()), ".")
	theirs, known := apiDomains[domain]
	if !known || theirs == s.region || theirs.Hosts().Accounts == s.Accounts {
		return nil
	}
	return fmt.Errorf("%w: the token belongs to data center %s (api_domain %s), the client uses %s: use WithDataCenter(salesiq.%s)",
		ErrWrongDataCenter, theirs, u.Hostname(), s.region, theirs)
}
