package salesiqbolt

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// badOption is an option with an argument that is no good.
type badOption struct {
	option any
	field  string // That the error names.
}

// nothingBad says of an option that every argument is good.
var nothingBad = []badOption{}

// badOptions has a row for every func that returns an option.
var badOptions = map[string][]badOption{
	"WithLogger":         nothingBad,
	"WithSync":           {{WithSync(2), "sync"}, {WithSync(-1), "sync"}},
	"WithOpenWait":       {{WithOpenWait(-1), "open wait"}},
	"WithMaxSize":        {{WithMaxSize(0), "max size"}, {WithMaxSize(1<<20 - 1), "max size"}},
	"WithMaxEvents":      {{WithMaxEvents(0), "max events"}},
	"WithMaxAge":         {{WithMaxAge(0), "max age"}, {WithMaxAge(-time.Hour), "max age"}},
	"WithWorkers":        {{WithWorkers(0), "workers"}},
	"WithHandlerTimeout": {{WithHandlerTimeout(0), "handler timeout"}, {WithHandlerTimeout(-time.Hour), "handler timeout"}},
	"WithRetryFor":       {{WithRetryFor(0), "retry for"}, {WithRetryFor(-time.Hour), "retry for"}},
	"WithMaxTries":       {{WithMaxTries(0), "max tries"}},
	"WithPauses":         {{WithPauses(0, time.Second), "pauses"}, {WithPauses(time.Second, time.Millisecond), "pauses"}, {WithPauses(-2, -1), "pauses"}},
}

func TestBadOptionIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	rows := map[string][]badOption{"nil": {{Option(nil), "option"}, {InboxOption(nil), "option"}}}
	for _, name := range optionFuncs(t) {
		row, ok := badOptions[name]
		assert.True(t, ok, "%s has no row in badOptions", name)
		rows[name] = row
	}
	assert.Len(t, rows, 1+len(badOptions), "rows of options that are gone")
	for name, row := range rows {
		for _, bad := range row {
			var err error
			switch option := bad.option.(type) {
			case Option:
				path := newPath(t)
				var made *File
				made, err = Open(path, option)
				assert.Nil(t, made, name)
				assert.NoFileExists(t, path, name)
			case InboxOption:
				var made *Inbox
				made, err = f.Inbox(option)
				assert.Nil(t, made, name)
			}
			assertRefuses(t, bad.field, err)
		}
	}
}

func assertRefuses(t *testing.T, field string, err error) {
	t.Helper()
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input, field)
	assert.Equal(t, field, input.Field)
	assert.NotEmpty(t, input.Reason)
}

func TestBadArgumentIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", " "} {
		f, err := Open(path)
		assertRefuses(t, "path", err)
		assert.Nil(t, f)
	}
	inbox := inboxOf(t, openNew(t))
	assertRefuses(t, "handler", inbox.Run(t.Context(), nil))
	for _, event := range []webhook.Event{nil, (*webhook.ChatEnded)(nil)} {
		assertRefuses(t, "event", inbox.Enqueue(t.Context(), event))
	}
}

func TestWhatNobodyMadeIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	for _, inbox := range []*Inbox{nil, {}} {
		assertRefuses(t, "inbox", inbox.Enqueue(t.Context(), newEvent(t, 1)))
		assertRefuses(t, "inbox", inbox.Run(t.Context(), new(tape).handle))
		_, err := inbox.Stats()
		assertRefuses(t, "inbox", err)
		_, err = inbox.ReplayAll(t.Context())
		assertRefuses(t, "inbox", err)
		n, err := inbox.Purge(t.Context(), "a")
		assertRefuses(t, "inbox", err)
		assert.Zero(t, n)
	}
	f := new(File)
	_, err := f.Inbox()
	assertRefuses(t, "file", err)
	_, err = f.DedupStore().Begin(t.Context(), "a", 1)
	assertRefuses(t, "file", err)
	assertRefuses(t, "file", f.DedupStore().Done(t.Context(), "a", 1))
	assertRefuses(t, "file", f.DedupStore().Abort(t.Context(), "a", 1))
	_, err = f.TokenStore().Load(t.Context())
	assertRefuses(t, "file", err)
	assertRefuses(t, "file", f.TokenStore().Save(t.Context(), []byte("a")))
	_, _, err = f.TokenStore().Lock(t.Context())
	assertRefuses(t, "file", err)
	assertRefuses(t, "file", f.Close())
}

func TestNilLoggerLogsNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	f := openNew(t, WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithLogger(nil))
	inbox := inboxOf(t, f, WithMaxTries(1))
	enqueue(t, inbox, 0, 1)
	stop := run(t, inbox, func(context.Context, webhook.Event) error { return os.ErrInvalid })
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == 1 }, "which is logged otherwise")
	stop()
	assert.Empty(t, log.String())
}

// optionFuncs returns the names of the exported funcs that return an option, as
// the sources have them.
func optionFuncs(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() && returnsOption(f) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

func returnsOption(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	result, ok := f.Type.Results.List[0].Type.(*ast.Ident)
	return ok && strings.HasSuffix(result.Name, "Option")
}
