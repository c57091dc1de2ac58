package salesiq

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// DataCenter is the name of a region in which Zoho keeps an organization's data.
// An account lives in exactly one, and its tokens are good for that one only.
// [OAuth.Find] tells which. [Hosts.DataCenter] makes a DataCenter of other hosts: a
// proxy, a test server. [LookupDataCenter] makes one of a region's ending that this
// package does not list.
type DataCenter string

// The data centers of the specification, "Data Centers". Their accounts and
// widget hosts are the vendor's published ones.
//
// For Canada the sources disagree: the specification says salesiq.zoho.ca, which is
// CA, while live integrations use salesiq.zohocloud.ca, which is [CACloud]. Nobody
// was seen to use salesiq.zoho.ca, so prefer CACloud. What the vendor says of an
// account in Canada, in a callback or with a token, leads to CACloud.
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
// specification's seven. There are two more, "UK" and "AE": their OAuth servers are
// known from public lists, and their other hosts are inferred from those of the other
// regions.
const (
	CACloud DataCenter = "CA-cloud"
	SA      DataCenter = "SA"

	unitedKingdom DataCenter = "UK"
	emirates      DataCenter = "AE"
)

// Hosts are the base URLs of a data center.
type Hosts struct {
	API      string // Of the service, such as https://salesiq.zoho.eu.
	Accounts string // Of the OAuth server, such as https://accounts.zoho.eu.
	Widget   string // Of the website widget; empty means API.
}

var dataCenters = map[DataCenter]Hosts{
	US:            {"https://salesiq.zoho.com", "https://accounts.zoho.com", "https://salesiq.zohopublic.com"},
	EU:            {"https://salesiq.zoho.eu", "https://accounts.zoho.eu", "https://salesiq.zohopublic.eu"},
	IN:            {"https://salesiq.zoho.in", "https://accounts.zoho.in", "https://salesiq.zohopublic.in"},
	AU:            {"https://salesiq.zoho.com.au", "https://accounts.zoho.com.au", "https://salesiq.zohopublic.com.au"},
	JP:            {"https://salesiq.zoho.jp", "https://accounts.zoho.jp", "https://salesiq.zohopublic.jp"},
	CA:            {"https://salesiq.zoho.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"},
	CN:            {"https://salesiq.zoho.com.cn", "https://accounts.zoho.com.cn", "https://salesiq.zohopublic.com.cn"},
	CACloud:       {"https://salesiq.zohocloud.ca", "https://accounts.zohocloud.ca", "https://salesiq.zohopublic.ca"},
	SA:            {"https://salesiq.zoho.sa", "https://accounts.zoho.sa", "https://salesiq.zohopublic.sa"},
	unitedKingdom: hostsBelow("zoho.uk"),
	emirates:      hostsBelow("zoho.ae"),
}

// hostsBelow returns the hosts of a region by the one rule that those of the other
// regions follow: salesiq.zoho.X, accounts.zoho.X and salesiq.zohopublic.X.
func hostsBelow(domain string) Hosts {
	_, ending, _ := strings.Cut(domain, ".")
	return Hosts{"https://salesiq." + domain, "https://accounts." + domain, "https://salesiq.zohopublic." + ending}
}

// ending returns what the domains of a data center end in, such as "com.au".
func (dc DataCenter) ending() string {
	_, ending, _ := strings.Cut(dc.Hosts().Accounts, ".zoho.")
	return ending
}

// DataCenters returns the data centers that this package knows.
func DataCenters() []DataCenter {
	return []DataCenter{US, EU, IN, AU, JP, CA, CN, CACloud, SA, unitedKingdom, emirates}
}

// LookupDataCenter finds a data center as people write it, in any case: by name
// ("EU", "USDataCenter"), country ("India"), ending ("com.au"), domain ("zoho.eu"), or
// the address of any host of Zoho's in it.
//
// An address of Zoho's with an ending that is not listed, such as
// https://salesiq.zoho.xy, stands for the data center with the hosts salesiq.zoho.xy
// and accounts.zoho.xy, since all listed ones but Canada's are named so.
func LookupDataCenter(name string) (DataCenter, error) {
	var known []string
	word := strings.ToLower(strings.TrimSpace(name))
	for _, dc := range DataCenters() {
		if strings.EqualFold(string(dc), word) || apiBase(word) == dc.Hosts().API {
			return dc, nil
		}
		known = append(known, string(dc))
	}
	if dc, ok := regionAt(word); ok {
		return dc, nil
	}
	if dc, ok := regionNames[bareName(word)]; ok {
		return dc, nil
	}
	return "", inputError("data center", fmt.Sprintf("%q is unknown; known are %s (OAuth.Find tells where an account lives)",
		name, strings.Join(known, ", ")))
}

// regionNames are what else people call data centers: by ending, country, and the
// names of the vendor's own libraries. They are as bareName returns them.
var regionNames = map[string]DataCenter{
	"us": US, "com": US, "usa": US, "unitedstates": US,
	"eu": EU, "europe": EU,
	"in": IN, "india": IN,
	"au": AU, "comau": AU, "australia": AU,
	"jp": JP, "japan": JP,
	"ca": CACloud, "cacloud": CACloud, "canada": CACloud,
	"cn": CN, "comcn": CN, "china": CN,
	"sa": SA, "saudiarabia": SA,
	"uk": unitedKingdom, "gb": unitedKingdom, "unitedkingdom": unitedKingdom,
	"ae": emirates, "uae": emirates, "unitedarabemirates": emirates,
}

// bareName returns the letters of a name, in lower case and without the words that
// say what it is the name of: "EU Data Center" is "eu".
func bareName(name string) string {
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ._-", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
	letters = strings.TrimPrefix(strings.TrimPrefix(letters, "salesiq"), "zoho")
	for _, word := range []string{"production", "datacenter", "datacentre", "region", "dc"} {
		letters = strings.TrimSuffix(letters, word)
	}
	return letters
}

// regionOfLocation returns the data center that the service calls so, in a callback or
// in the answer to a device. Canada's is [CACloud].
func regionOfLocation(location string) (DataCenter, bool) {
	dc, ok := regionNames[strings.ToLower(strings.TrimSpace(location))]
	return dc, ok
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
	hosts := dc.Hosts()
	hosts.API, hosts.Accounts = apiBase(hosts.API), plainURL(hosts.Accounts)
	if _, known := dataCenters[dc]; known {
		return site{hosts, dc}
	}
	return site{hosts, hosts.region()}
}

// region returns the data center to which the API host belongs, or else the OAuth
// server: "" if neither is Zoho's.
func (h Hosts) region() DataCenter {
	if region, ok := regionOfHost(h.API); ok {
		return region
	}
	region, _ := regionOfHost(h.Accounts)
	return region
}

// siteAt returns the site that is served at a base URL, or US for "". An emulator is
// its own OAuth server, and has no region. A host of Zoho's has the sister hosts of its
// region, listed or not. Anywhere else, such as behind a gateway, credentials still go
// to US alone.
func siteAt(base string) site {
	for _, dc := range DataCenters() {
		if base == "" || dc.Hosts().API == base {
			return siteOf(dc)
		}
	}
	if u, err := url.Parse(base); err == nil && isForTests(u.Hostname()) {
		return site{Hosts: Hosts{API: base, Accounts: base}}
	}
	found := siteOf(US)
	if region, ok := regionOfHost(base); ok {
		found = siteOf(region)
	}
	found.API = base
	return found
}

// zohoEnding is the ending of a domain of Zoho's, such as "com.au".
var zohoEnding = regexp.MustCompile(`^([a-z]{2}|com\.[a-z]{2})$`)

// regionAt returns the data center to which an address or host of Zoho's belongs. One
// that is not listed has the hosts of hostsBelow. An address must be one of https,
// without a port of its own.
func regionAt(address string) (DataCenter, bool) {
	u, err := url.Parse(plainURL(withScheme(address)))
	if err != nil || u.Scheme != "https" || u.Port() != "" || u.User != nil {
		return "", false
	}
	return regionOfName(u.Host)
}

// regionOfHost is regionAt for whatever port and scheme an address has: tokens of
// another region are as wrong there.
func regionOfHost(address string) (DataCenter, bool) {
	u, err := url.Parse(plainURL(withScheme(address)))
	if err != nil {
		return "", false
	}
	return regionOfName(u.Hostname())
}

// withScheme completes an address that people write without https.
func withScheme(address string) string {
	if strings.Contains(address, "://") {
		return address
	}
	return "https://" + strings.TrimPrefix(address, "//")
}

// regionOfName returns the data center to which a host in lower case belongs.
func regionOfName(host string) (DataCenter, bool) {
	at := strings.LastIndex("."+host, ".zoho")
	if at < 0 {
		return "", false
	}
	brand, ending, _ := strings.Cut(host[at:], ".")
	if !slices.Contains(zohoBrands, brand) {
		return "", false
	}
	if dc, ok := regionEndings[ending]; ok {
		return dc, true
	}
	if !zohoEnding.MatchString(ending) || brand == cloudBrand {
		return "", false
	}
	return hostsBelow("zoho." + ending).DataCenter(), true
}

// checkHosts refuses an API host and an OAuth server that do not belong together:
// two of Zoho's of different regions, one in the place of the other, or one of Zoho's
// beside a free one of which nobody said that it is meant.
func (c *config) checkHosts() error {
	api, ofZoho := regionOfHost(c.site.API)
	accounts, accountsOfZoho := regionOfHost(c.site.Accounts)
	free := c.accountsURL != "" && c.baseURL == "" && c.dataCenter == ""
	switch {
	case ofZoho && accountsOfZoho && api.Hosts().Accounts != accounts.Hosts().Accounts:
		return inputError(c.hostField(), fmt.Sprintf("%s and %s do not belong together: the OAuth server is that of data center %s, the API host that of %s, "+
			"which refuses its tokens; use WithDataCenter(%s) alone (SALESIQ_DATA_CENTER=%s), or the one of %s if the account lives there (OAuth.Find tells where it does)",
			c.site.API, c.site.Accounts, shortName(accounts), shortName(api), goName(accounts), shortName(accounts), shortName(api)))
	case ofZoho && isForSigningIn(c.site.API):
		return inputError(c.fieldOf("base URL", c.baseURL), fmt.Sprintf("%s is where people sign in, and not the API: use WithDataCenter(%s) alone (SALESIQ_DATA_CENTER=%s)",
			c.site.API, goName(api), shortName(api)))
	case accountsOfZoho && !isForSigningIn(c.site.Accounts):
		return inputError(c.fieldOf("accounts URL", c.accountsURL), fmt.Sprintf("%s is not an OAuth server: that of data center %s is %s, which WithDataCenter(%s) implies (SALESIQ_DATA_CENTER=%s)",
			c.site.Accounts, shortName(accounts), accounts.Hosts().Accounts, goName(accounts), shortName(accounts)))
	case ofZoho && !accountsOfZoho && free:
		return inputError(c.hostField(), fmt.Sprintf("%s would give the tokens for %s, which nothing but the default says: "+
			"name the API host as well, by WithBaseURL or WithDataCenter (SALESIQ_BASE_URL, SALESIQ_DATA_CENTER)", c.site.Accounts, c.site.API))
	case ofZoho:
		return c.checkAPIPath(api)
	}
	return nil
}

// checkAPIPath refuses a path after an API host of Zoho's: it has none, and what people
// copy there is the address of their portal.
func (c *config) checkAPIPath(api DataCenter) error {
	u, err := url.Parse(c.site.API)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return nil //nolint:nilerr // WithBaseURL has read it.
	}
	return inputError(c.fieldOf("base URL", c.baseURL), fmt.Sprintf("must be the host alone, %s://%s: a portal's name is for WithPortal (SALESIQ_PORTAL), and WithDataCenter(%s) needs no address",
		u.Scheme, u.Host, goName(api)))
}

// isForSigningIn reports whether a host of Zoho's is an OAuth server.
func isForSigningIn(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasPrefix(u.Hostname(), "accounts.")
}

// fieldOf is the option that an address comes from: its own, or the data center.
func (c *config) fieldOf(own, address string) string {
	if address != "" {
		return own
	}
	return "data center"
}

// hostField is the option that moved the OAuth server away from the API host.
func (c *config) hostField() string {
	switch {
	case c.accountsURL != "":
		return "accounts URL"
	case c.baseURL != "":
		return "base URL"
	}
	return "data center"
}

// shortName is the name of a data center, or its API host for one of one's own.
func shortName(dc DataCenter) string {
	if _, known := dataCenters[dc]; known {
		return string(dc)
	}
	return dc.Hosts().API
}

// goName is what to write for a data center in a program.
func goName(dc DataCenter) string {
	switch dc {
	case CACloud:
		return "salesiq.CACloud"
	case unitedKingdom, emirates:
		return strconv.Quote(string(dc))
	}
	if _, known := dataCenters[dc]; known {
		return "salesiq." + string(dc)
	}
	return "the result of salesiq.LookupDataCenter(" + strconv.Quote(dc.Hosts().API) + ")"
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
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), strings.TrimLeft(u.Port(), "0")
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

// zohoBrands are the domains of Zoho's that have a region as their ending. SalesIQ
// itself is never served below zohoapis, which is that of the api_domain of a token.
var zohoBrands = []string{"zoho", "zohoapis", "zohopublic", cloudBrand}

// cloudBrand is the domain of the data center in Canada alone.
const cloudBrand = "zohocloud"

// regionEndings tells which endings a domain of Zoho's has in the data centers that
// are listed.
var regionEndings = map[string]DataCenter{
	"com":    US,
	"eu":     EU,
	"in":     IN,
	"com.au": AU,
	"jp":     JP,
	"ca":     CACloud,
	"com.cn": CN,
	"sa":     SA,
	"uk":     unitedKingdom,
	"ae":     emirates,
}

// checkAPIDomain refuses a token that belongs to another data center. Where the
// api_domain or the region is unknown, it refuses nothing.
func (s site) checkAPIDomain(apiDomain string) error {
	theirs, known := regionOfHost(apiDomain)
	if !known || s.region == "" || theirs.Hosts().Accounts == s.region.Hosts().Accounts || theirs.Hosts().Accounts == s.Accounts {
		return nil
	}
	return s.otherRegion(theirs, fmt.Sprintf("the token belongs to data center %s (api_domain %s)", shortName(theirs), redact.OneLine(apiDomain)))
}

// checkLocation refuses a token whose answer says that the account lives in another
// data center.
func (s site) checkLocation(location string) error {
	theirs, known := regionOfLocation(location)
	if !known || s.region == "" || theirs.Hosts().Accounts == s.region.Hosts().Accounts || theirs.Hosts().Accounts == s.Accounts {
		return nil
	}
	return s.otherRegion(theirs, fmt.Sprintf("the token belongs to data center %s (location %s)", shortName(theirs), redact.OneLine(location)))
}

// otherRegion returns the error for an account that lives elsewhere.
func (s site) otherRegion(theirs DataCenter, why string) error {
	return fmt.Errorf("%w: %s, the client uses %s (%s): use WithDataCenter(%s)", ErrWrongDataCenter, why, shortName(s.region), s.API, goName(theirs))
}
