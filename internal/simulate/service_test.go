package simulate

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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
)

func isService(addr string) bool {
	host, _, _ := strings.Cut(addr, ":")
	return slices.Contains([]string{apiHost, accountsHost, liveHost, liveAccountsHost}, host)
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
			Languages: []string{"en"},
		})
	}
	for i := range visitors {
		data.Visitors = append(data.Visitors, salesiq.Visitor{ID: fmt.Sprintf("visitor%d", i), Name: "A visitor"})
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
	server := serveOn(n.listen(host), handle)
	server.TLSConfig = n.tls.server.Clone()
	go server.ServeTLS(n.listenAt(host, 443), "", "")
	s.servers = append(s.servers, server)
}

func serveOn(l *listener, handle http.Handler) *http.Server {
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
	go server.Serve(l)
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

// now is the time by the service's clock.
func (s *service) now() time.Time {
	return time.Now().Add(time.Duration(s.world.active("clock", "all") * float64(time.Minute))).UTC()
}

// answerAPI answers a call of a client. It takes time before and after the call is
// carried out, so that connections may break on either side of that.
func (s *service) answerAPI(rw http.ResponseWriter, r *http.Request) {
	w, from := s.world, lineOf(r).from
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if strings.HasSuffix(r.Header.Get("Authorization"), guestToken) {
		answerGuest(rw)
		return
	}
	roll := w.dice.roll("call "+from.name+r.Method+r.URL.String()+textOf(r, body), time.Now().UnixNano())
	w.arrives(from, r, body)
	leave := sync.OnceFunc(func() { w.leaves(from) })
	defer leave()
	stay := context.AfterFunc(r.Context(), leave) // Who has gone does not count.
	defer stay()
	before, after := latency(roll.Int64()), latency(roll.Int64())
	if w.hits("slow", "all", roll) {
		before += time.Duration(roll.Int64N(int64(20 * time.Second)))
	}
	time.Sleep(before)
	w.together(from)
	w.awaits(from)
	a := s.decide(from, r, body, roll)
	w.awaits(from)
	time.Sleep(after)
	leave() // Before the client can see the answer, and call again.
	if a.header.Get("Retry-After") != "" {
		w.toldToWait(r, body, a.header.Get("Retry-After"))
	}
	a.send(rw)
}

// The other account that the desk works for has one operator.
const (
	guestToken = "1000.of.another.account"
	guestName  = "Somebody else"
)

func answerGuest(w http.ResponseWriter) {
	body := fmt.Appendf(nil, `{"status":"success","data":{"id":"operator3","name":%q}}`, guestName)
	(&answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body}).send(w)
}

// decide carries a call out, or does what a service that is unwell would do.
func (s *service) decide(from *process, r *http.Request, body []byte, roll interface{ Float64() float64 }) *answer {
	w := s.world
	hit := func(kind string) bool { return w.hits(kind, from.name, roll) }
	switch {
	case hit("elsewhere"):
		return &answer{http.StatusTemporaryRedirect, http.Header{"Location": {"http://" + trapHost + r.URL.Path}}, nil}
	case hit("region"): // The host is that of another region, which does not know the token.
		elsewhere := r.Clone(r.Context())
		elsewhere.Header.Set("Authorization", "Zoho-oauthtoken 1000.of.another.region")
		return s.carryOut(elsewhere, body)
	case hit("outage"):
		a := s.refusal(http.StatusServiceUnavailable, "INTERNAL_ERROR")
		if roll.Float64() < .5 {
			a.header.Set("Retry-After", "7")
		}
		return a
	case hit("storm"):
		a := s.refusal(http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED")
		if roll.Float64() < .5 {
			a.header.Set("Retry-After", strconv.Itoa(2+int(roll.Float64()*20)))
		}
		return a
	case hit("echo"): // A gateway that shows what it was sent.
		a := page(http.StatusBadGateway)
		a.body = fmt.Appendf(nil, "Bad request: %s %s Authorization: %s", r.Method, r.URL, r.Header.Get("Authorization"))
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	limit := s.gate.limit
	if factor := w.active("limit", "all"); factor > 0 {
		limit = max(1, int(float64(limit)*factor))
	}
	s.gate.roll(now, w.active("opened-window", "all") > 0)
	sliding := w.active("sliding-window", "all") > 0
	left, _ := s.gate.state(now, limit, sliding)
	var a *answer
	if left == 0 || s.gate.today >= s.gate.perDay {
		a = s.refusal(http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED")
		w.refuses(from, left == 0)
	} else {
		a = s.carryOut(r, body)
		if a.status != http.StatusUnauthorized {
			s.gate.count()
		}
		w.processed(from, r, body, a)
	}
	if !s.live && w.active("no-headers", "all") == 0 {
		left, reset := s.gate.state(now, limit, sliding)
		a.header.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
		a.header.Set("X-Ratelimit-Remaining", strconv.Itoa(left))
		a.header.Set("X-Ratelimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	}
	a.header.Set("Date", now.Format(http.TimeFormat))
	switch {
	case a.status >= 300:
	case hit("breakdown"):
		return s.refusal(http.StatusInternalServerError, "INTERNAL_ERROR")
	case hit("foreign-page"):
		return page(http.StatusOK)
	case hit("empty-answer"):
		a.body = nil
	}
	return a
}

// carryOut has the emulator carry a call out.
func (s *service) carryOut(r *http.Request, body []byte) *answer {
	again := r.Clone(context.Background())
	again.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	s.emulator.ServeHTTP(rec, again)
	for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
		rec.Header().Del(name) // The gate tells.
	}
	return &answer{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// answerAccounts is the OAuth server.
func (s *service) answerAccounts(rw http.ResponseWriter, r *http.Request) {
	w, from := s.world, lineOf(r).from
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	roll := w.dice.roll("oauth "+from.name, time.Now().UnixNano())
	w.requestsToken(from, r)
	time.Sleep(latency(roll.Int64()))
	var a *answer
	switch {
	case w.hits("oauth-silence", "all", roll):
		time.Sleep(time.Minute)
		return
	case w.hits("oauth-outage", "all", roll):
		a = page(http.StatusBadGateway)
	case w.active("oauth-denied", "all") > 0:
		a = &answer{200, http.Header{"Content-Type": {"application/json"}}, []byte(`{"error":"Access Denied","error_description":"too many","status":"failure"}`)}
	default:
		a = s.carryOut(r, body)
	}
	var told struct{ Error string }
	json.Unmarshal(a.body, &told)
	w.givesToken(from, told.Error)
	time.Sleep(latency(roll.Int64()))
	a.send(rw)
}
