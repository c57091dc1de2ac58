package simulate

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The hosts of the service.
const (
	apiHost      = "api.localhost"
	accountsHost = "accounts.localhost"
	trapHost     = "trap.localhost" // Redirects lead there. Nobody may follow them.

	liveHost         = "live.localhost"
	liveAccountsHost = "live-accounts.localhost"

	crmHost = "leads.localhost"
)

func isService(addr string) bool {
	host, _, _ := strings.Cut(addr, ":")
	return slices.Contains([]string{apiHost, accountsHost, liveHost, liveAccountsHost, crmHost}, host)
}

const (
	clientSecret  = "emulator-client-secret"
	refreshToken  = "1000.emulator.refresh-token"
	webhookSecret = "a-secret-of-the-webhooks"
)

// service is the emulator, and in front of it what limits and breaks a service.
type service struct {
	world    *world
	host     string // Of the API.
	accounts string
	live     bool // It speaks the live service's dialect, and does not tell its limits.
	emulator *salesiqtest.Server
	servers  []*http.Server
	mu       sync.Mutex // Guards the gate.
	gate     gate
	token    string // Of the console.
}

// operators and visitors are those that are always there.
const (
	operators = 12
	visitors  = 40
)

// An operator has one of these skills, and can help a visitor who has the tags beside it.
var (
	skills = []string{"Technical Support", "Sales", "General Support"}
	needs  = [][]string{{"technical"}, {"enterprise"}, {"regular"}}
)

func newService(w *world, live bool) *service {
	s := &service{world: w, host: apiHost, accounts: accountsHost}
	options := []salesiqtest.Option{salesiqtest.InMemory(), salesiqtest.WithoutDefaultData(), salesiqtest.WithMaxInFlight(0)}
	if live {
		s.host, s.accounts, s.live = liveHost, liveAccountsHost, true
		options = append(options, salesiqtest.Live(), salesiqtest.WithBot(theBot), salesiqtest.WithWebhookTransport(newBotWire(w)))
	} else {
		options = append(options, salesiqtest.WithWebhookTransport(newCourier(w)))
	}
	data := salesiqtest.Data{}
	for i := 1; i <= operators; i++ {
		data.Operators = append(data.Operators, salesiq.Operator{
			ID: fmt.Sprintf("operator%d", i), Name: fmt.Sprintf("operator%d v0", i), Email: fmt.Sprintf("o%d@shop.example", i),
			Status: salesiq.OperatorOnline, Availability: salesiq.OperatorAvailable, Role: salesiq.RoleAdmin, MaxChats: 100,
			Languages: []string{"en"}, Skills: []string{skills[i%len(skills)]},
		})
	}
	for i := range visitors {
		data.Visitors = append(data.Visitors, salesiq.Visitor{
			ID: fmt.Sprintf("visitor%d", i), Name: "A visitor", Tags: needs[i%len(needs)],
		})
	}
	emulator, err := salesiqtest.NewServer(append(options, salesiqtest.WithData(data))...)
	if err != nil {
		panic(err)
	}
	s.emulator, s.token = emulator, emulator.AccessToken()
	s.gate = gate{limit: callsPerMinute, perDay: callsPerDay}
	s.serve(s.host, s.answerAPI)
	s.serve(s.accounts, s.answerAccounts)
	if live {
		return s
	}
	s.serve(trapHost, func(_ http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.violate("nothing goes elsewhere", "a request to %s %s", r.Host, r.URL.Path)
	})
	return s
}

type lineKey struct{}

// serve serves a host over both versions of HTTP, with TLS and without.
func (s *service) serve(host string, handle http.HandlerFunc) {
	n := s.world.network
	server := newServer(handle)
	server.TLSConfig = n.tls.server.Clone()
	go server.Serve(n.listen(host))
	go server.ServeTLS(n.listenAt(host, 443), "", "")
	s.servers = append(s.servers, server)
}

func serveOn(l *listener, handle http.Handler) *http.Server {
	server := newServer(handle)
	go server.Serve(l)
	return server
}

func newServer(handle http.Handler) *http.Server {
	server := &http.Server{
		Handler:     handle,
		Protocols:   new(http.Protocols),
		ErrorLog:    discard,
		IdleTimeout: 5 * time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if secure, ok := c.(*tls.Conn); ok {
				c = secure.NetConn()
			}
			return context.WithValue(ctx, lineKey{}, c.(farEnd).line)
		},
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}

func lineOf(r *http.Request) *line { return r.Context().Value(lineKey{}).(*line) }

func (s *service) close() {
	for _, server := range s.servers {
		server.Close()
	}
	s.emulator.Close()
}

// console makes a call as somebody does who works on the service's website: it is
// not limited, and nothing befalls it.
func (s *service) console(method, path, body string) (status int, answer []byte) {
	r := httptest.NewRequestWithContext(s.world.context, method, "http://"+apiHost+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Zoho-oauthtoken "+s.token)
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	s.emulator.ServeHTTP(rec, r)
	if rec.Code == http.StatusUnauthorized {
		s.token = s.emulator.AccessToken()
		return s.console(method, path, body)
	}
	return rec.Code, rec.Body.Bytes()
}
