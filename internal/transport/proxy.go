package transport

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ProxyError is a proxy's refusal to connect to the service.
type ProxyError struct {
	Proxy  string // Host and port; empty if they are not known.
	Status int
}

func (e *ProxyError) Error() string {
	words := []string{"the proxy", e.Proxy, "refused to connect:", strconv.Itoa(e.Status), http.StatusText(e.Status)}
	if e.Proxy == "" {
		words = append(words[:1], words[2:]...)
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// permanent reports whether the proxy would refuse again: it does not say that
// something is wrong for the moment.
func (e *ProxyError) permanent() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return true
}

// NameProxies makes a transport say that it was a proxy which refused to connect.
func NameProxies(t *http.Transport) {
	before := t.OnProxyConnectResponse
	t.OnProxyConnectResponse = func(ctx context.Context, proxy *url.URL, request *http.Request, response *http.Response) error {
		if before != nil {
			if err := before(ctx, proxy, request, response); err != nil {
				return err
			}
		}
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return &ProxyError{Proxy: proxy.Host, Status: response.StatusCode}
	}
}

// nameProxy finds the refusal of a proxy in the error of a transport of net/http
// whose proxies are not named: it is nothing but the text of the status.
// TestNetHTTPSaysWithWhichStatusAProxyRefuses holds that.
func nameProxy(base http.RoundTripper, err error) error {
	if _, ok := base.(*http.Transport); !ok {
		return err
	}
	text := err.Error()
	for status := http.StatusBadRequest; status < 600; status++ {
		if text != "" && text == http.StatusText(status) {
			return &ProxyError{Status: status}
		}
	}
	return err
}
