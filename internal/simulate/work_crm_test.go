package simulate

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
)

// startCRM starts what examples/crmsync does: it makes leads of visitors, now and then,
// as a job. While callers cancel, it is stopped at times, and run again at once.
func (p *process) startCRM() {
	p.wire = &http.Transport{DialContext: p.world.network.dialer(p), TLSClientConfig: p.world.network.tls.client.Clone()}
	p.run(func() {
		p.begins()
		for ok := true; ok; ok = p.waitsForRun() {
			p.makeLeads()
		}
	})
}

// waitsForRun waits until the job is run again, and reports whether the process is still
// there.
func (p *process) waitsForRun() bool {
	if p.stopped.Load() {
		return p.sleep(time.Second)
	}
	roll, pause := p.world.dice.roll("waits for run", time.Now().UnixNano()), 29*time.Minute
	if p.world.active("cancel", p.name) > 0 {
		pause = time.Minute
	}
	timer := time.NewTimer(pause + time.Duration(roll.Int64N(int64(pause/10))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return p.alive()
	case <-p.soon:
		return p.alive()
	case <-p.context.Done():
		return false
	}
}

// hurry has the job run at once, if it is one and does not run.
func (p *process) hurry() {
	select {
	case p.soon <- struct{}{}:
	default:
	}
}

// makeLeads is a run of the job.
func (p *process) makeLeads() {
	w := p.world
	scheme := "http://"
	if p.secure {
		scheme = "https://"
	}
	journal, err := leads.OpenJournal(w.fileOf(p.name, p.generation), time.Now())
	if err != nil {
		w.must(err)
		return
	}
	defer journal.Close()
	s := &leads.Syncer{
		Visitors: p.client.Visitors, Journal: journal, Since: 24 * time.Hour, Settle: settled,
		CRM: leads.NewCRM(scheme+crmHost, p.wire, &tokens{book: w.leads}, &tokens{book: w.leads}),
	}
	ctx, stop := context.WithCancel(p.context)
	defer stop()
	p.stopped.Store(false)
	if roll := w.dice.roll("stops", time.Now().UnixNano()); w.hits("cancel", p.name, roll) {
		timer := time.AfterFunc(time.Duration(roll.Int64N(int64(time.Second))), func() { p.stopped.Store(true); stop() })
		defer timer.Stop()
	}
	began := time.Now()
	visitors, err := s.Recent(ctx)
	if err == nil {
		_, err = s.Sync(ctx, visitors, func(r leads.Result) { w.says(p, r) })
	}
	w.endRun(p, began, err)
}

// mailHost is in each visitor's address, also where the @ of it is encoded.
const mailHost = "mail.example"

// tellsAddress lets a visitor who comes leave an e-mail address, which may be somebody
// else's, in capitals.
func (w *world) tellsAddress(visitor int, n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	roll, id := w.dice.roll("address", n, w.began.Unix()), fmt.Sprintf("visitor%d", visitor)
	box := w.mailboxes[id]
	if roll.Float64() < .7 {
		email := fmt.Sprintf("guest%d.%d@"+mailHost, int(time.Since(w.began)/epoch), n)
		if other := w.mailboxes[fmt.Sprintf("visitor%d", (visitor+1)%visitors)]; other.email != "" && roll.Float64() < .4 {
			email = strings.ToUpper(other.email)
		}
		status, body := w.service.console(http.MethodPatch, "/api/v2/visitors/"+id, fmt.Sprintf(`{"email":%q}`, email))
		if status >= 300 {
			panic(string(body))
		}
		box = mailbox{email: strings.ToLower(email)}
	}
	if box.email != "" {
		box.last = time.Now()
		w.mailboxes[id] = box
	}
}
