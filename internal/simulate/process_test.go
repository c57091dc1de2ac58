package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
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
	running    sync.WaitGroup

	client   *salesiq.Client
	limiter  *salesiq.SharedLimiter
	file     *salesiqbolt.File // Nil for one that receives no events.
	receiver *webhook.Receiver
	server   *http.Server
	queue    chan webhook.Event // Of the desk.
}

// share is what a program may use of the organization's limits. Programs that do not
// share a limiter divide the limits among themselves.
type share struct{ perMinute, perDay, atOnce int }

const (
	callsPerMinute = 20 // The plan Basic.
	callsPerDay    = 5000
)

var shares = map[string]share{desk: {10, 3000, 3}, inbox: {3, 500, 2}, batch: {7, 1500, 3}}

var errKilled = errors.New("the process was killed")

func (p *process) alive() bool { return !p.dead.Load() }

func host(program string) string { return program + ".localhost" }

// eventsFile is where a generation of a program keeps events.
func (w *world) eventsFile(program string, generation int64) string {
	return filepath.Join(w.folder, fmt.Sprintf("%s-%d.db", program, generation))
}

// start starts a program.
func (w *world) start(name string) {
	w.generations[name]++
	p := &process{world: w, name: name, generation: w.generations[name], queue: make(chan webhook.Event, 200)}
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
	}
	w.notes("start", name)
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
	transport := &http.Transport{DialContext: w.network.dialer(p)}
	if p.name == batch {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	before := http.DefaultTransport
	http.DefaultTransport = transport                 //nolint:reassign // The client copies it, and makes it count what it writes.
	defer func() { http.DefaultTransport = before }() //nolint:reassign // See above.
	key := make([]byte, 32)
	p.client, err = salesiq.NewClient(
		salesiq.RefreshToken(w.service.emulator.Credentials(), salesiq.FileTokenStore(filepath.Join(w.folder, "tokens", "token"), key)),
		salesiq.WithBaseURL("http://"+apiHost), salesiq.WithAccountsURL("http://"+accountsHost), salesiq.WithPlaintext(),
		salesiq.WithLimiter(limiter), salesiq.WithCache(salesiq.Cache{}), salesiq.WithLogger(silent))
	return err
}

// open opens the files.
func (p *process) open() (err error) {
	if p.name == batch {
		return nil
	}
	p.file, err = salesiqbolt.Open(p.world.eventsFile(p.name, p.generation), salesiqbolt.WithSync(salesiqbolt.SyncNever),
		salesiqbolt.WithMaxAge(rememberedFor), salesiqbolt.WithMaxEvents(20_000))
	return err
}

// rememberedFor is for how long handled events are known again. None is delivered later.
const rememberedFor = 12 * time.Hour

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

// awaits is where a process waits for something, and may be killed.
func (w *world) awaits(p *process) {
	if p != nil && p.doom.Load() > 0 && p.doom.Add(-1) == 0 {
		close(p.doomed)
		time.Sleep(time.Millisecond) // That is when.
	}
}

// kill ends a process at one of its next awaits: its connections break, its memory is
// gone, and of its files there is what it has written so far.
func (w *world) kill(name string, awaits int) {
	const patience = 2 * time.Minute
	p := w.processes[name]
	if !p.alive() {
		return
	}
	p.doomed = make(chan struct{})
	p.doom.Store(int64(awaits))
	select {
	case <-p.doomed:
	case <-time.After(patience):
	}
	p.doom.Store(0)
	synctest.Wait()
	w.notes("kill", name)
	if p.file != nil {
		content, err := os.ReadFile(w.eventsFile(name, p.generation))
		w.must(err)
		w.must(os.WriteFile(w.eventsFile(name, p.generation+1), content, 0o600))
	}
	p.died = time.Now()
	p.dead.Store(true)
	w.end(p, errKilled)
}

// stop ends a process as a good program ends.
func (w *world) stop(name string) {
	p := w.processes[name]
	if !p.alive() {
		return
	}
	synctest.Wait()
	w.end(p, context.Canceled)
	p.running.Wait()
	p.died = time.Now()
	p.dead.Store(true)
	w.ghosts.Wait()
	if p.file != nil {
		w.must(os.Rename(w.eventsFile(name, p.generation), w.eventsFile(name, p.generation+1)))
	}
}

// end ends what goes on in a process. Its goroutines take a moment.
func (w *world) end(p *process, cause error) {
	p.cancel(cause)
	if p.server != nil {
		p.server.Close()
	}
	w.network.breakLines(func(c *line) bool { return c.from == p || c.to == host(p.name) })
	w.ghosts.Go(func() {
		p.running.Wait()
		w.network.breakLines(func(c *line) bool { return c.from == p })
		if p.file != nil {
			p.file.Close()
			if errors.Is(cause, errKilled) {
				os.Remove(w.eventsFile(p.name, p.generation))
			}
		}
	})
}

// call makes a call, with a deadline and perhaps a caller who gives up, and has what
// came of it checked.
func (p *process) call(operation string, timeout time.Duration, do func(ctx context.Context) error) error {
	w := p.world
	roll := w.dice.roll("caller "+p.name+operation, time.Now().UnixNano())
	ctx, cancel := context.WithTimeout(p.context, timeout)
	defer cancel()
	c := &call{process: p, operation: operation, began: time.Now(), calm: w.calm(), latest: time.Now().Add(timeout)}
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

// unreliable is a store of a program on a disk that fails at times, before or after
// what was to be done.
type unreliable struct {
	webhook.DedupStore

	process *process
}

var errDisk = errors.New("input/output error")

func (u *unreliable) use(id string, do func() error) error {
	p := u.process
	roll := p.world.dice.roll("store "+p.name+id, time.Now().UnixNano())
	time.Sleep(time.Duration(roll.Int64N(int64(3 * time.Millisecond))))
	p.world.awaits(p)
	hit, before := p.world.hits("store", p.name, roll), roll.IntN(2) == 0
	switch {
	case !p.alive():
		return errKilled
	case hit && before:
		return errDisk
	}
	if err := do(); err != nil {
		return err
	}
	p.world.awaits(p)
	if hit {
		return errDisk
	}
	return nil
}

func (u *unreliable) Begin(ctx context.Context, id string) (state webhook.DedupState, err error) {
	err = u.use(id, func() (err error) { state, err = u.DedupStore.Begin(ctx, id); return err })
	if err != nil && state == webhook.DedupFree {
		u.DedupStore.Abort(ctx, id) // Who is told of a failure does not know of the claim.
	}
	return state, err
}

func (u *unreliable) Done(ctx context.Context, id string) error {
	err := u.use(id, func() error { return u.DedupStore.Done(ctx, id) })
	if u.process.alive() {
		u.process.world.marks(u.process, id, err)
	}
	return err
}

func (u *unreliable) Abort(ctx context.Context, id string) error {
	return u.use(id, func() error { return u.DedupStore.Abort(ctx, id) })
}
