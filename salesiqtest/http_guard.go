package salesiqtest

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

// What pages of any website may do to a server on the machine of whoever looks at them
// is bounded here. A browser lets a page send requests to loopback; and if the page's
// own host is made to mean loopback (DNS rebinding), read the answers as well.

// WithHosts takes requests whose Host header names one of hosts, without a port. By
// default, a server takes requests for loopback hosts and for the address that it
// listens on, and refuses all others, since a page in a browser could have sent them.
// A server that is [InMemory] takes requests for any host.
func WithHosts(hosts ...string) Option {
	return func(c *config) error {
		for _, host := range hosts {
			if input.IsBlank(host) || strings.ContainsAny(host, "/ ") || host != hostOnly(host) {
				return argument("host", "must be the name of a host in lower case, without a port: "+host)
			}
		}
		c.hosts = append(c.hosts, hosts...)
		return nil
	}
}

// WithRedirectURIs registers where the consent page may redirect to, beside loopback
// hosts. A consent for another address is refused, so that its code does not get there.
func WithRedirectURIs(uris ...string) Option {
	return func(c *config) error {
		for _, uri := range uris {
			if u, err := url.Parse(uri); err != nil || !u.IsAbs() || u.Host == "" {
				return argument("redirect URI", "must be an absolute URL: "+uri)
			}
		}
		c.redirectURIs = append(c.redirectURIs, uris...)
		return nil
	}
}

// hostOnly is a Host header without its port, as hosts are compared.
func hostOnly(header string) string {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(header, "["); ok && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isFor tells whether the Host header of a request names this server.
func (s *Server) isFor(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || s.config.inMemory {
		return true // It has come from this process.
	}
	host := hostOnly(r.Host)
	own, err := url.Parse(s.URL)
	return input.IsLoopback(host) || slices.Contains(s.config.hosts, host) ||
		isAddress(host, hostOnly(local.String())) || err == nil && isAddress(host, own.Hostname())
}

// isAddress tells whether two hosts are the same IP address.
func isAddress(a, b string) bool {
	first, err := netip.ParseAddr(a)
	if err != nil {
		return false
	}
	second, err := netip.ParseAddr(b)
	return err == nil && first.Unmap() == second.Unmap()
}

// refuseHost answers a request for another host, in words that no dialect turns into a
// success.
func refuseHost(w http.ResponseWriter) {
	status, body := specified{}.refuses(refuse(salesiq.ErrPermissionDenied,
		"the Host header names neither loopback nor this server (see WithHosts, or -host of salesiq-emulator)", details{"field": "Host"}))
	writeJSON(w, status, body)
}

// mayRedirect tells whether the consent page may send a code to an address.
func (s *Server) mayRedirect(text string, parsed *url.URL) bool {
	return slices.Contains(s.config.redirectURIs, text) ||
		(parsed.Scheme == "http" || parsed.Scheme == "https") && input.IsLoopback(parsed.Hostname())
}

// newLoopbackTransport connects to this machine and nowhere else, whatever a name
// means to the resolver. A nil resolver is the system's.
func newLoopbackTransport(resolver *net.Resolver) *http.Transport {
	dialer := &net.Dialer{Timeout: deliveryTimeout, Control: onlyLoopback, Resolver: resolver}
	return &http.Transport{DialContext: dialer.DialContext, IdleConnTimeout: time.Minute}
}

// onlyLoopback refuses to connect to an address of another machine.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().Unmap().IsLoopback() {
		return errNotLoopback
	}
	return nil
}

// What pages may send, in one request and in all of them until a Reset. Each request
// counts for its body and for what is kept of it besides.
const (
	maxPageBody  = 256 << 10
	maxPageBytes = 32 << 20
	pageOverhead = 256
)

// countPage adds the length of a body to what pages have sent, since much of it is
// kept. The lock is held.
func (s *Server) countPage(length int) error {
	switch {
	case length > maxPageBody:
		return invalid("body", "must be at most 256 KiB")
	case s.state.widget.received+length+pageOverhead > maxPageBytes:
		return invalid("body", "is more than pages may send in all, which is 32 MiB until a reset")
	}
	s.state.widget.received += length + pageOverhead
	return nil
}

// countSignIn counts what a page sends to the OAuth server, which keeps scopes, as well.
func (s *Server) countSignIn(r *http.Request, length int) error {
	if !strings.HasPrefix(r.URL.Path, "/oauth/") || !isFromPage(r) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.countPage(length + len(r.URL.RawQuery))
}

// isFromPage tells whether a browser says that a request comes from a page.
func isFromPage(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}
