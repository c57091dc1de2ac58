package simulate

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/transport"
)

var (
	sortedKinds = slices.Sorted(maps.Keys(kinds))
	discard     = log.New(io.Discard, "", 0) //nolint:forbidigo // What an http.Server takes.
	silent      = slog.New(slog.DiscardHandler)
)

// world is all that there is in a run.
type world struct {
	dice    dice
	plan    plan
	folder  string
	began   time.Time
	context context.Context // Ends with the run, or with the first violation.
	stopAll context.CancelFunc
	network *network
	service *service
	works   sync.WaitGroup
	ghosts  sync.WaitGroup // What is left of processes.

	processes   map[string]*process
	generations map[string]int64
	days        map[string]salesiq.DailyQuota // What each program has kept of its day.

	guard    sync.Mutex // For what follows.
	steps    []step     // That go on.
	lastEnds time.Time  // When the consequences of those before are over.
	hit      map[string]int

	changes   int
	temporary []string // Operators that come and go.

	*record
}

// run runs a plan, and returns what came of it.
func run(t *testing.T, seed uint64, days float64, p plan, log io.Writer) (r *report) {
	before := runtime.GOMAXPROCS(1) // What runs when is then decided by waits alone.
	defer runtime.GOMAXPROCS(before)
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	folder := t.TempDir()
	synctest.Test(t, func(*testing.T) {
		w := &world{dice: dice(seed), plan: p, folder: folder}
		defer func(f func(int64) int64) { transport.Random = f }(transport.Random)
		transport.Random = func(n int64) int64 { return w.dice.roll("pause", time.Now().UnixNano()).Int64N(n) }
		w.setUp(log)
		w.conduct(time.Duration(days * float64(24*time.Hour)))
		r = w.report()
	})
	return r
}

func (w *world) setUp(log io.Writer) {
	time.Sleep(8 * time.Hour) // So that a day does not begin with the run.
	w.began = time.Now()
	w.context, w.stopAll = context.WithCancel(context.Background())
	w.network = &network{world: w, hosts: map[string]*listener{}, lines: map[*line]bool{}, dialed: map[string]int64{}}
	w.processes, w.generations, w.days = map[string]*process{}, map[string]int64{}, map[string]salesiq.DailyQuota{}
	w.record, w.hit = newRecord(log), map[string]int{}
	w.must(os.Mkdir(filepath.Join(w.folder, "tokens"), 0o700))
	w.service = newService(w)
	w.renames("operator3 v0")
	w.subscribe()
}

// subscribe makes the webhooks: the desk's for all that happens in chats, the inbox's
// for what it has work with.
func (w *world) subscribe() {
	for _, hook := range [][2]string{{desk, `"chat.started","chat.ended","message.received"`}, {inbox, `"chat.started","chat.ended"`}} {
		status, body := w.service.console("POST", "/api/v2/webhooks", fmt.Sprintf(`{"name":%q,"url":"http://%s/","secret":%q,"enabled":true,"events":[%s]}`,
			hook[0], host(hook[0]), webhookSecret, hook[1]))
		if status >= 300 {
			panic(string(body))
		}
	}
}

// epoch is how long the service keeps chats. Then all programs end, and start again
// with a service that has none.
const epoch = 7 * 24 * time.Hour

// conduct carries the plan out, and ends the world.
func (w *world) conduct(length time.Duration) {
	left := slices.Clone(w.plan)
	slices.SortStableFunc(left, func(a, b step) int { return int(a.At - b.At) })
	for at := time.Duration(0); at < length && !w.failed(); at += epoch {
		left = w.conductEpoch(left, min(at+epoch, length))
	}
	w.stopAll()
	w.service.close()
	w.network.breakLines(func(*line) bool { return true })
	synctest.Wait()
}

// conductEpoch runs all programs until a time, and returns what is left of the plan.
func (w *world) conductEpoch(left plan, to time.Duration) plan {
	for _, program := range programs {
		w.start(program)
	}
	ctx, cancel := context.WithCancel(w.context)
	defer func(before context.Context) { w.context = before }(w.context)
	w.context = ctx
	w.works.Go(w.comeAndGo)
	w.works.Go(w.changeOperators)
	for !w.failed() {
		next, change := w.next(left, to)
		if change == nil {
			break
		}
		if !w.sleep(time.Until(w.began.Add(next))) {
			break
		}
		left = change()
	}
	for !w.failed() && len(w.steps) > 0 { // Those that reach beyond.
		w.endStep(w.steps[0])
	}
	w.sleep(time.Until(w.began.Add(to - 40*time.Minute)))
	cancel() // Nobody begins anything now.
	w.works.Wait()
	if !w.failed() {
		w.settle()
	}
	for _, program := range programs {
		w.stop(program)
	}
	w.ghosts.Wait()
	w.network.breakLines(func(*line) bool { return true })
	synctest.Wait()
	w.checkGrowth()
	w.service.emulator.Reset()
	w.forget()
	w.renames("operator3 v0")
	w.subscribe()
	if rest := time.Until(w.began.Add(to)); rest > 0 {
		time.Sleep(rest)
	}
	return left
}

// settle waits until nothing is on its way any more.
func (w *world) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	w.must(w.service.emulator.Settle(ctx))
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	w.checkEvents(0)
}

// next returns what comes next in a plan, and when. The steps of the last hour are left
// out, so that there is an end in peace.
func (w *world) next(left plan, to time.Duration) (at time.Duration, change func() plan) {
	if len(w.steps) > 0 {
		first := slices.MinFunc(w.steps, func(a, b step) int { return int(a.end() - b.end()) })
		if len(left) == 0 || first.end() <= left[0].At {
			return first.end(), func() plan { w.endStep(first); return left }
		}
	}
	if len(left) == 0 || left[0].At > to-time.Hour {
		return 0, nil
	}
	return left[0].At, func() plan { w.beginStep(left[0]); return left[1:] }
}

func (w *world) beginStep(s step) {
	w.notes("begins", s.String())
	going := w.going(s.Kind, s.Who)
	w.guard.Lock()
	w.faults[s.Kind]++
	w.steps = append(w.steps, s)
	w.guard.Unlock()
	w.disturbs(s)
	switch {
	case s.Kind == "kill":
		w.kill(s.Who, int(s.Amount))
	case s.Kind == "revoke", s.Kind == "oauth-denied":
		w.service.emulator.RevokeTokens()
		w.revokes()
	case s.Kind == "restart":
		w.network.breakLines(func(c *line) bool { return isService(c.to) })
	case s.Kind == "token-disk" && !going:
		w.must(os.Rename(filepath.Join(w.folder, "tokens"), filepath.Join(w.folder, "away")))
	}
}

func (w *world) endStep(s step) {
	w.notes("ends", s.String())
	w.guard.Lock()
	w.steps = slices.DeleteFunc(w.steps, func(other step) bool { return other == s })
	w.lastEnds = later(w.lastEnds, time.Now().Add(kinds[s.Kind].after))
	w.guard.Unlock()
	w.disturbs(s)
	switch {
	case s.Kind == "kill" && !w.processes[s.Who].alive() && !w.going("kill", s.Who):
		w.start(s.Who)
	case s.Kind == "token-disk" && !w.going("token-disk", "all"):
		w.must(os.Rename(filepath.Join(w.folder, "away"), filepath.Join(w.folder, "tokens")))
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// going reports whether a fault of a kind befalls a program at present.
func (w *world) going(kind, who string) bool {
	w.guard.Lock()
	defer w.guard.Unlock()
	return slices.ContainsFunc(w.steps, func(s step) bool { return s.Kind == kind && (s.Who == who || s.Who == "all") })
}

// active returns the amount of a fault that befalls a program at present, or zero.
func (w *world) active(kind, who string) (amount float64) {
	w.guard.Lock()
	defer w.guard.Unlock()
	for _, s := range w.steps {
		if s.Kind == kind && (s.Who == who || s.Who == "all") {
			amount = s.Amount
		}
	}
	return amount
}

// hits decides whether something is hit by a kind of fault.
func (w *world) hits(kind, who string, roll interface{ Float64() float64 }) bool {
	amount := w.active(kind, who)
	if amount == 0 || roll.Float64() >= amount {
		return false
	}
	w.guard.Lock()
	defer w.guard.Unlock()
	w.hit[kind]++
	return true
}

// calm reports whether nothing goes wrong at present, nor are there consequences.
func (w *world) calm() bool {
	w.guard.Lock()
	defer w.guard.Unlock()
	return len(w.steps) == 0 && time.Now().After(w.lastEnds)
}

// sleep waits, and reports whether the world goes on.
func (w *world) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return w.context.Err() == nil
	case <-w.context.Done():
		return false
	}
}

// must fails for what is no promise of anybody's, but needed by the world.
func (w *world) must(err error) {
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.violate("the world works", "%v", err)
	}
}

func sortLines(lines []*line) {
	slices.SortFunc(lines, func(a, b *line) int {
		if d := strings.Compare(a.who()+a.to, b.who()+b.to); d != 0 {
			return d
		}
		return int(a.number - b.number)
	})
}

// notes is tell for who is not at the record.
func (w *world) notes(what, detail string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(what, detail)
}

// tell counts a step of the run. The same seed takes the same steps, which the sum of
// all of them shows. It is the same for steps of one moment in any order, since nothing
// but the scheduler decides on that.
func (w *world) tell(what, detail string) {
	w.counted++
	at := time.Since(w.began)
	if at != w.moment {
		w.sum = mix(w.sum + w.sumOfMoment)
		w.moment, w.sumOfMoment = at, 0
	}
	w.sumOfMoment += mix(hash(uint64(at), what) + hash(0, detail))
	if w.log != nil {
		fmt.Fprintf(w.log, "%9d %12v %s %s\n", w.counted, at, what, detail)
	}
}
