package simulate

import (
	"context"
	"errors"
	"os"
	"testing/synctest"
	"time"
)

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
	p.hurry() // It is killed at work.
	p.doom.Store(int64(awaits))
	select {
	case <-p.doomed:
	case <-time.After(patience):
	}
	p.doom.Store(0)
	synctest.Wait()
	w.notes("kill", name)
	p.inherit(p.copyFile)
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
	p.inherit(os.Rename)
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
		}
		if errors.Is(cause, errKilled) {
			os.Remove(w.fileOf(p.name, p.generation))
		}
		os.Remove(w.fileOf(p.name, p.generation) + ".lock") // Of the journal.
	})
}
