package simulate

import (
	"context"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/transport"
)

var (
	discard = log.New(io.Discard, "", 0) //nolint:forbidigo // What an http.Server takes.
	silent  = slog.New(slog.DiscardHandler)
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
	live    *service // In the live service's dialect.
	leads   *leadBook
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
	folder := scratch(t)
	synctest.Test(t, func(*testing.T) {
		w := &world{dice: dice(seed), plan: p, folder: folder}
		defer func(f func(*transport.Request, int64) int64) { transport.Random = f }(transport.Random)
		transport.Random = func(r *transport.Request, n int64) int64 { return w.dice.pause(r.Method+r.URL+string(r.Body), n) }
		w.setUp(log)
		w.conduct(time.Duration(days*float64(24*time.Hour)), t.Logf)
		r = w.report()
	})
	return r
}

// scratch returns a folder for the files of programs, in memory if the system has such.
func scratch(t *testing.T) string {
	folder, err := os.MkdirTemp("/dev/shm", "simulate") //nolint:usetesting // That of the test is on a disk.
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

func (w *world) setUp(log io.Writer) {
	time.Sleep(8 * time.Hour) // So that a day does not begin with the run.
	w.began = time.Now()
	w.context, w.stopAll = context.WithCancel(context.Background())
	w.network = &network{world: w, hosts: map[string]*listener{}, lines: map[*line]bool{}, dialed: map[string]int64{}}
	w.processes, w.generations, w.days = map[string]*process{}, map[string]int64{}, map[string]salesiq.DailyQuota{}
	w.record, w.hit = newRecord(log), map[string]int{}
	tls, err := newIdentity(apiHost, accountsHost, liveHost, liveAccountsHost, crmHost)
	w.must(err)
	w.network.tls = tls
	w.service, w.live, w.leads = newService(w, false), newService(w, true), newLeadBook(w)
	w.must(os.Mkdir(filepath.Join(w.folder, "tokens"), 0o700))
	w.renames("operator3 v0")
	w.subscribe()
}

// epoch is how long the service keeps chats. Then all programs end, and start again
// with a service that has none.
const epoch = 3 * 24 * time.Hour

// conduct carries the plan out, and ends the world.
func (w *world) conduct(length time.Duration, logf func(format string, arguments ...any)) {
	left := slices.Clone(w.plan)
	slices.SortStableFunc(left, func(a, b step) int { return int(a.At - b.At) })
	for at := time.Duration(0); at < length && !w.failed(); at += epoch {
		left = w.conductEpoch(left, min(at+epoch, length))
		if at+epoch < length { // It takes a while.
			logf("day %.0f: %d calls, %d events, %d steps", (at+epoch).Hours()/24, w.calls, w.events, w.counted)
		}
	}
	w.stopAll()
	w.service.close()
	w.live.close()
	w.leads.close()
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
	w.works.Go(w.converse)
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
	w.live.emulator.Reset()
	w.forget()
	w.renames("operator3 v0")
	w.subscribe()
	if rest := time.Until(w.began.Add(to)); rest > 0 {
		time.Sleep(rest)
	}
	return left
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

// settle waits until nothing is on its way any more.
func (w *world) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	w.must(w.service.emulator.Settle(ctx))
	w.must(w.live.emulator.Settle(ctx))
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	w.checkEvents(0)
	w.checkWaiting()
	w.checkAnswers()
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
