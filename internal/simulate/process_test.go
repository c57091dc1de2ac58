package simulate

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// process is a run of a program, from its start until it is killed. Its files outlive
// it. All programs share the token file.
type process struct {
	world      *world
	name       string
	generation int64
	context    context.Context
	cancel     context.CancelCauseFunc
	dead       atomic.Bool
	doom       atomic.Int64  // Awaits that are left until it is killed; 0 or less if it is not to be.
	doomed     chan struct{} // Closed when there are none.
	died       time.Time
	secure     bool // It calls the API over TLS, as all do the OAuth server.
	running    sync.WaitGroup

	client   *salesiq.Client
	guest    *salesiq.Client // Of the desk: that of another account at the same host.
	limiter  *salesiq.SharedLimiter
	file     *salesiqbolt.File // Nil for one that keeps no events.
	receiver *webhook.Receiver
	server   *http.Server
	queue    chan webhook.Event // Of the desk.
	wire     *http.Transport    // Of the crm, to the CRM.
	soon     chan struct{}      // The crm does not wait any longer for its next run.
	stopped  atomic.Bool        // Somebody has stopped the run of the crm.
}

const (
	callsPerMinute = 20 // The plan Basic.
	callsPerDay    = 5000
)

// share is what a program may use of the organization's limits. Programs that do not
// share a limiter divide the limits among themselves.
type share struct{ perMinute, perDay, atOnce int }

var shares = map[string]share{
	desk: {6, 1900, 3}, inbox: {2, 400, 1}, batch: {7, 900, 3}, crm: {1, 200, 1}, dispatcher: {4, 1600, 2},
	clerk: {8, 1000, 2}, // Its service has limits of its own.
}

var errKilled = errors.New("the process was killed")

func (p *process) alive() bool { return !p.dead.Load() }

func host(program string) string { return program + ".localhost" }

// start starts a program.
func (w *world) start(name string) {
	w.generations[name]++
	p := &process{world: w, name: name, generation: w.generations[name], queue: make(chan webhook.Event, 200), soon: make(chan struct{}, 1)}
	p.secure = w.dice.roll("secure "+name, p.generation).Float64() < secured
	p.context, p.cancel = context.WithCancelCause(context.Background())
	w.processes[name] = p
	w.must(p.open())
	w.must(p.connect())
	switch name {
	case desk:
		p.startDesk()
	case inbox:
		p.startInbox()
	case batch:
		p.startBatch()
	case clerk:
		p.startClerk()
	case crm:
		p.startCRM()
	case dispatcher:
		p.startDispatcher()
	}
	w.notes("start", name)
}

// secured is the part of processes that use TLS. Each connection takes the time of a call.
const secured = .1

// service is the one that a program works with.
func (p *process) service() *service {
	if p.name == clerk {
		return p.world.live
	}
	return p.world.service
}

// connect makes the client.
func (p *process) connect() (err error) {
	w, mine := p.world, shares[p.name]
	p.limiter, err = salesiq.NewLimiter(salesiq.Plan{CallsPerMinute: mine.perMinute, CallsPerDay: mine.perDay}, salesiq.WithMaxInFlight(mine.atOnce))
	if err != nil {
		return err
	}
	if err := p.limiter.ResumeDay(w.dayOf(p.name)); err != nil {
		return err
	}
	limiter := p.limiter
	if p.name == batch {
		limiter = limiter.Batch()
	}
	transport := &http.Transport{DialContext: w.network.dialer(p), TLSClientConfig: w.network.tls.client.Clone(), Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(p.name != batch)
	transport.Protocols.SetHTTP2(p.name == batch)
	transport.Protocols.SetUnencryptedHTTP2(p.name == batch)
	before := http.DefaultTransport
	http.DefaultTransport = transport                 //nolint:reassign // The client copies it, and makes it count what it writes.
	defer func() { http.DefaultTransport = before }() //nolint:reassign // See above.
	service, scheme := p.service(), "http://"
	if p.secure {
		scheme = "https://"
	}
	options := []salesiq.Option{
		salesiq.WithBaseURL(scheme + service.host), salesiq.WithAccountsURL("https://" + service.accounts), salesiq.WithPlaintext(),
		salesiq.WithLimiter(limiter), salesiq.WithLogger(silent),
	}
	switch p.name {
	case crm, dispatcher: // Their examples have no cache, and make calls that nobody sees otherwise.
		options = append(options, salesiq.WithTracer(p.tracer()))
	default:
		options = append(options, salesiq.WithCache(salesiq.Cache{}))
	}
	if p.name == clerk {
		options = append(options, salesiq.WithPortal(salesiqtest.Portal))
	}
	key := make([]byte, 32)
	store := salesiq.FileTokenStore(filepath.Join(w.folder, "tokens", service.host), key)
	p.client, err = salesiq.NewClient(salesiq.RefreshToken(service.emulator.Credentials(), store), options...)
	if p.name == desk && err == nil {
		p.guest, err = salesiq.NewClient(salesiq.StaticToken(guestToken), salesiq.WithBaseURL(scheme+service.host), salesiq.WithPlaintext(),
			salesiq.WithCache(salesiq.Cache{}), salesiq.WithLogger(silent))
	}
	return err
}

// listen receives events.
func (p *process) listen(opts ...webhook.Option) {
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(webhookSecret)), opts...)
	p.world.must(err)
	p.receiver = receiver
}

func (p *process) serve() { p.server = serveOn(p.world.network.listen(host(p.name)), p.receiver) }

// run runs a part of the program.
func (p *process) run(part func()) { p.running.Go(part) }

// sleep waits, and reports whether the process is still there.
func (p *process) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return p.alive()
	case <-p.context.Done():
		return false
	}
}

// call makes a call, with a deadline and perhaps a caller who gives up, and has what
// came of it checked.
func (p *process) call(operation string, timeout time.Duration, do func(ctx context.Context) error) error {
	w := p.world
	roll := w.dice.roll("caller "+p.name+operation, time.Now().UnixNano())
	ctx, cancel := context.WithTimeout(p.context, timeout)
	defer cancel()
	c := &call{process: p, operation: operation, began: time.Now(), latest: time.Now().Add(timeout)}
	if w.hits("cancel", p.name, roll) {
		after := time.Duration(roll.Int64N(int64(timeout / 4)))
		c.latest = c.began.Add(after)
		c.canceled = true
		timer := time.AfterFunc(after, cancel)
		defer timer.Stop()
	}
	w.begins(c)
	err := do(ctx)
	w.returns(c, err)
	return err
}

// longest is how long a call may take that has no deadline but the limits of the client.
const longest = 15 * time.Minute

// tracer has the calls checked that a program makes by itself.
func (p *process) tracer() *salesiq.Tracer {
	return &salesiq.Tracer{Call: func(_ context.Context, t salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
		c := &call{process: p, operation: t.Operation, began: time.Now(), latest: time.Now().Add(longest)}
		p.world.begins(c)
		return nil, func(t salesiq.CallTrace) {
			c.canceled = p.stopped.Load()
			p.world.returns(c, t.Err)
		}
	}}
}
