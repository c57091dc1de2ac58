package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

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
	if hit("region") { // The host is that of another region, which does not know the token.
		elsewhere := r.Clone(r.Context())
		elsewhere.Header.Set("Authorization", "Zoho-oauthtoken 1000.of.another.region")
		return s.carryOut(elsewhere, body)
	}
	if a := s.unwell(r, hit, roll); a != nil {
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
	return s.spoil(a, hit)
}

// unwell is what a host that is unwell does instead of what it is asked to, or nil.
func (s *service) unwell(r *http.Request, hit func(kind string) bool, roll interface{ Float64() float64 }) *answer {
	switch {
	case hit("elsewhere"):
		return &answer{http.StatusTemporaryRedirect, http.Header{"Location": {"http://" + trapHost + r.URL.Path}}, nil}
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
	return nil
}

// spoil has the answer to a success get lost in the host itself.
func (s *service) spoil(a *answer, hit func(kind string) bool) *answer {
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
