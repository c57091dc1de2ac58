package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// progress is a bar on a terminal, and lines elsewhere.
type progress struct {
	out io.Writer
	bar *progressbar.ProgressBar // Nil elsewhere.
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetDescription("visitors"),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// step tells of one visitor. On a terminal the bar moves, and only failures are
// worth a line.
func (p *progress) step(r leads.Result) {
	if p.bar != nil {
		p.bar.Add(1) //nolint:errcheck // A terminal that has gone needs no bar.
		if r.Err == nil {
			return
		}
		p.bar.Clear() //nolint:errcheck // As above.
	}
	fmt.Fprintln(p.out, line(r))
}

func (p *progress) finish() {
	if p.bar != nil {
		p.bar.Finish() //nolint:errcheck // As above.
	}
}

// line says what became of a visitor, without the e-mail address: output ends up
// in logs.
func line(r leads.Result) string {
	what := r.What
	if r.Err != nil {
		what = "failed: " + r.Err.Error()
	}
	head := account.Short(r.Visitor.ID, 18) + "  " + account.Short(cmp.Or(r.Visitor.Name, "(no name)"), 28) + "  "
	return account.Wrapped(head, what)
}
