package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// leadBook is the CRM: another host, which is as unwell as the service. A search finds
// a lead some time after it was created. It never forgets one.
type leadBook struct {
	service // For its host, and how it is unwell.

	created map[string]time.Time // By the address. The record's mutex guards this, and what follows.
	revoked int
}

// The CRM has created a lead, and finds it, before settled is over.
const (
	slowest  = 20 * time.Second // A request, before it is carried out.
	unfound  = 55 * time.Second
	settled  = slowest + unfound + 5*time.Second
	crmToken = "1000.of.the.crm"
)

func newLeadBook(w *world) *leadBook {
	b := &leadBook{service: service{world: w, host: crmHost}, created: map[string]time.Time{}}
	b.serve(crmHost, b.answerCRM)
	return b
}

// close ends its servers. It has no emulator.
func (b *leadBook) close() {
	for _, server := range b.servers {
		server.Close()
	}
}

func (b *leadBook) revokeToken() {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	b.revoked++
}

// tokens is a source whose token is that of the time at which it is needed first.
type tokens struct {
	book  *leadBook
	token *oauth2.Token
}

// Token implements [oauth2.TokenSource].
func (t *tokens) Token() (*oauth2.Token, error) {
	if t.token == nil {
		t.book.world.mu.Lock()
		defer t.book.world.mu.Unlock()
		t.token = &oauth2.Token{AccessToken: t.book.token()}
	}
	return t.token, nil
}

func (b *leadBook) token() string { return fmt.Sprintf("%s.%d", crmToken, b.revoked) }

func (b *leadBook) answerCRM(rw http.ResponseWriter, r *http.Request) {
	w, from := b.world, lineOf(r).from
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	email := emailOf(r, body)
	roll := w.dice.roll("leads "+r.Method+email, time.Now().UnixNano())
	hit := func(kind string) bool { return w.hits(kind, from.name, roll) }
	w.notes("request", fmt.Sprintf("%s %s lead of %s", from.name, r.Method, email))
	before, after := latency(roll.Int64()), latency(roll.Int64())
	if w.hits("slow", "all", roll) {
		before += time.Duration(roll.Int64N(int64(slowest)))
	}
	time.Sleep(before)
	w.awaits(from)
	a := b.unwell(r, hit, roll)
	if a == nil {
		a = b.spoil(b.carryOut(r, email), hit)
	}
	w.awaits(from)
	time.Sleep(after)
	a.send(rw)
}

// emailOf is the address that a request is about.
func emailOf(r *http.Request, body []byte) string {
	criteria := strings.TrimPrefix(r.URL.Query().Get("criteria"), "(Email:equals:")
	if r.Method == http.MethodGet {
		return strings.TrimSuffix(criteria, ")")
	}
	var records struct{ Data [1]struct{ Email string } }
	json.Unmarshal(body, &records)
	return records.Data[0].Email
}

func (b *leadBook) carryOut(r *http.Request, email string) *answer {
	w := b.world
	w.mu.Lock()
	defer w.mu.Unlock()
	say := func(status int, body string) *answer {
		return &answer{status, http.Header{"Content-Type": {"application/json"}}, []byte(body)}
	}
	at := b.created[email]
	switch {
	case r.Header.Get("Authorization") != "Zoho-oauthtoken "+b.token():
		return say(http.StatusUnauthorized, `{"code":"INVALID_TOKEN","message":"it was revoked","status":"error"}`)
	case r.Method == http.MethodPost:
		w.tell("lead", email)
		w.holds("an address has one lead", at.IsZero(), "%s has one since %v", email, at.Sub(w.began))
		b.created[email] = time.Now()
		return say(http.StatusCreated, `{"data":[{"code":"SUCCESS","status":"success"}]}`)
	case at.IsZero(), time.Since(at) < time.Duration(w.dice.roll("found "+email).Int64N(int64(unfound))):
		return say(http.StatusNoContent, "")
	}
	return say(http.StatusOK, `{"data":[{"id":"1"}]}`)
}
