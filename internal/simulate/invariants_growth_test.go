package simulate

import (
	"runtime"
	"strings"
)

// checkGrowth checks that nothing is left of programs that have ended.
func (w *world) checkGrowth() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("nothing grows", w.network.open.Load() == 0, "%d connections are open", w.network.open.Load())
	w.holds("nothing grows", len(w.underWay) == 0, "%d calls have not returned", len(w.underWay))
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var left []string
	for stack := range strings.SplitSeq(string(buffer), "\n\n") {
		if strings.Contains(stack, "salesiq.(*") || strings.Contains(stack, "internal/transport.(*") || strings.Contains(stack, "webhook.(*") || strings.Contains(stack, "salesiqbolt.(*") {
			left = append(left, stack)
		}
	}
	w.holds("nothing grows", len(left) == 0, "%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if w.heap == 0 {
		w.heap = m.HeapAlloc
	}
	w.holds("nothing grows", m.HeapAlloc < 2*w.heap+32<<20, "%d MiB in use, after %d at first", m.HeapAlloc>>20, w.heap>>20)
}

// forget drops what the service has forgotten as well.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.messages)
	clear(w.handled)
	clear(w.arrivals)
	clear(w.comes)
	clear(w.goes)
	clear(w.tokenTimes)
	clear(w.recent)
	clear(w.denied)
	clear(w.botRequests)
	clear(w.mailboxes)
	clear(w.waiting)
	clear(w.assigned)
	w.temporary, w.names, w.conversations = nil, nil, nil
}
