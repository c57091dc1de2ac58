package simulate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

// fileOf is where a generation of a program keeps its events, or the crm its journal.
func (w *world) fileOf(program string, generation int64) string {
	return filepath.Join(w.folder, fmt.Sprintf("%s-%d.db", program, generation))
}

// rememberedFor is for how long handled events are known again. None is delivered later.
const rememberedFor = 12 * time.Hour

// open opens the files.
func (p *process) open() (err error) {
	if p.name != desk && p.name != inbox {
		return nil
	}
	p.file, err = salesiqbolt.Open(p.world.fileOf(p.name, p.generation), salesiqbolt.WithSync(salesiqbolt.SyncNever),
		salesiqbolt.WithMaxAge(rememberedFor), salesiqbolt.WithMaxEvents(20_000))
	return err
}

// inherit gives the file of a program to the next generation of it: as it is, or as it
// was when the process was killed. A process that is killed may have written a part of
// what comes next.
func (p *process) inherit(move func(from, to string) error) {
	if p.name != desk && p.name != inbox && p.name != crm {
		return
	}
	err := move(p.world.fileOf(p.name, p.generation), p.world.fileOf(p.name, p.generation+1))
	if !errors.Is(err, fs.ErrNotExist) { // As it is before the first run of the crm.
		p.world.must(err)
	}
}

// copyFile copies a file at once. Half of the journals end in a part of a line.
func (p *process) copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if roll := p.world.dice.roll("torn", p.generation); p.name == crm && roll.IntN(2) == 0 {
		const line = `{"key":"somebody@mail.example","value":{"state":"creating"`
		content = append(content, line[:roll.IntN(len(line))]...)
	}
	return os.WriteFile(to, content, 0o600)
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

func (u *unreliable) Begin(ctx context.Context, id string, claim int64) (state webhook.DedupState, err error) {
	err = u.use(id, func() (err error) { state, err = u.DedupStore.Begin(ctx, id, claim); return err })
	if err != nil && state == webhook.DedupFree {
		u.DedupStore.Abort(ctx, id, claim) // Who is told of a failure does not know of the claim.
	}
	return state, err
}

func (u *unreliable) Done(ctx context.Context, id string, claim int64) error {
	err := u.use(id, func() error { return u.DedupStore.Done(ctx, id, claim) })
	if u.process.alive() {
		u.process.world.marks(u.process, id, err)
	}
	return err
}

func (u *unreliable) Abort(ctx context.Context, id string, claim int64) error {
	return u.use(id, func() error { return u.DedupStore.Abort(ctx, id, claim) })
}
