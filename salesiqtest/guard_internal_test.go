package salesiqtest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatPagesSendIsBoundedInSum(t *testing.T) {
	t.Parallel()
	s := Start(t)
	call := func(size int) (status int, answer string) {
		body := `{"visitor":"v1","code":"c","function":"visitor.hobby","args":["` + strings.Repeat("x", size) + `"]}`
		return sendAsPage(t, s, http.MethodPost, "/widget/calls", body)
	}
	status, _ := call(256 << 10)
	assert.Equal(t, http.StatusBadRequest, status, "one is too large")
	taken := 0
	for size := 60 << 10; ; size, taken = 60<<10, taken+1 {
		if status, answer := call(size); status != http.StatusOK {
			assert.Contains(t, answer, "in all")
			break
		}
		if taken == 5 { // As if there had been many more.
			require.NoError(t, s.act(func(d *state) error { d.widget.received = maxPageBytes - 200<<10; return nil }))
		}
		require.Less(t, taken, 20)
	}
	assert.Equal(t, 6+3, taken)
	require.NoError(t, s.act(func(d *state) error { d.widget.received = maxPageBytes; return nil }))
	status, _ = sendAsPage(t, s, http.MethodGet, "/widget/chat?visitor=v1", "")
	assert.Equal(t, http.StatusOK, status, "nothing is kept of that")
	status, _ = call(1)
	assert.Equal(t, http.StatusBadRequest, status, "small ones are kept as well")
	s.Reset()
	status, _ = call(60 << 10)
	assert.Equal(t, http.StatusOK, status)
}

// The OAuth server keeps the scopes that a page asks for.
func TestWhatPagesSendToSignInIsBoundedInSum(t *testing.T) {
	t.Parallel()
	s := Start(t)
	consent := func(site string, size int) (status int) {
		query := url.Values{
			"client_id": {clientID}, "response_type": {"code"}, "redirect_uri": {"http://127.0.0.1:7/"}, "scope": {strings.Repeat("x", size)},
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/oauth/v2/auth?"+query.Encode(), http.NoBody)
		require.NoError(t, err)
		if site != "" {
			request.Header.Set("Sec-Fetch-Site", site)
		}
		response, err := s.HTTPClient().Transport.RoundTrip(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	assert.Equal(t, http.StatusFound, consent("cross-site", 1000))
	assert.Equal(t, http.StatusBadRequest, consent("cross-site", 300<<10), "one is too large")
	require.NoError(t, s.act(func(d *state) error { d.widget.received = maxPageBytes - 10_000; return nil }))
	taken := 0
	for consent("cross-site", 2000) == http.StatusFound {
		taken++
		require.Less(t, taken, 10)
	}
	assert.Equal(t, 4, taken)
	assert.Equal(t, http.StatusFound, consent("", 2000), "a program is none")
	assert.Equal(t, http.StatusForbidden, controlAs(t, s, "Origin"), "and control calls are for no page at all")
}

// controlAs makes a control call as a page does.
func controlAs(t *testing.T, s *Server, header string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/_emulator/reset", http.NoBody)
	require.NoError(t, err)
	request.Header.Set(header, "http://localhost")
	response, err := s.HTTPClient().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// sendAsPage sends a body without telling its length, as a page may do.
func sendAsPage(t *testing.T, s *Server, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, io.MultiReader(strings.NewReader(body)))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.HTTPClient().Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, errors.Join(err, response.Body.Close()))
	return response.StatusCode, string(text)
}

// A name that looks like this machine may mean any other: the address counts.
func TestTheAddressThatIsDialedCountsAndNotTheName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		means string
		local bool
	}{{"192.0.2.7", false}, {"169.254.169.254", false}, {"127.0.0.2", true}} {
		transport := newLoopbackTransport(&net.Resolver{PreferGo: true, Dial: answerWith(t, row.means)})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://hooks.localhost:9/", http.NoBody)
		require.NoError(t, err)
		response, err := transport.RoundTrip(request)
		if err == nil {
			require.NoError(t, response.Body.Close())
		}
		require.Error(t, err, "nobody listens there")
		if row.local {
			assert.NotErrorIs(t, err, errNotLoopback, row.means)
		} else {
			assert.ErrorIs(t, err, errNotLoopback, row.means)
		}
	}
	for address, local := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"[::ffff:192.0.2.1]:80": false, "0.0.0.0:80": false, "[::]:80": false, "10.0.0.1:80": false, "/run/docker.sock": false, "": false,
	} {
		assert.Equal(t, local, onlyLoopback("tcp", address, nil) == nil, address)
	}
}

// answerWith is a name server that knows one address for all names.
func answerWith(t *testing.T, address string) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			var length [2]byte
			for {
				if _, err := far.Read(length[:]); err != nil { // A pipe is a stream: as over TCP.
					return
				}
				query := make([]byte, int(length[0])<<8|int(length[1]))
				if _, err := far.Read(query); err != nil {
					return
				}
				reply := dnsReply(query, netip.MustParseAddr(address))
				if _, err := far.Write(append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...)); err != nil {
					return
				}
			}
		}()
		return near, nil
	}
}

// dnsReply answers a query for an A record, and has no other.
func dnsReply(query []byte, address netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[12 : end+5]
	isA := query[end+2] == 1
	reply := append([]byte{query[0], query[1], 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if isA {
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		reply = append(reply, address.AsSlice()...)
	}
	return reply
}

func TestAHistoryForgetsItsOldestEntries(t *testing.T) {
	t.Parallel()
	var h history[int]
	for i := range 10_000 {
		h.add(i)
	}
	assert.Len(t, h.all(), 10_000)
	h.add(10_000)
	left := h.all()
	assert.Len(t, left, 9_001)
	assert.Equal(t, []int{1_000, 10_000}, []int{left[0], left[9_000]})
}
