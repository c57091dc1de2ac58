package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/atomicfile"
)

// FileDedupStore is a [DedupStore] in a file, for one process at a time. After a
// restart, it knows what was handled before. It remembers as many events as the
// default store, and as long.
//
// The last process to open the file has it. In another process that still runs,
// Begin fails from then on, so that its events are delivered again, to the new one.
//
// A mark reaches the operating system before [FileDedupStore.Done] returns, so that
// it survives a sudden end of the process. It is on disk once the system writes it
// there: most often within half a minute, at the latest after Close. If the machine
// loses power before that, and the event is delivered again, it is handled again.
type FileDedupStore struct {
	path   string
	memory *memoryDedup

	mu    sync.Mutex // Guards what follows.
	file  *os.File
	info  os.FileInfo // Of the file, to tell it from another with its name.
	lines int
	torn  bool // Whether the last line may be cut.

	closed bool
}

var (
	errAnotherProcess = errors.New("dedup file: another process has opened it")
	errDedupClosed    = errors.New("dedup file: it is not open")
	errForeignFile    = errors.New("holds something else than events")
)

// OpenFileDedupStore opens the store in a file, and makes the file if there is none.
// A line that cannot be read, such as a last one that was cut, is dropped. A file
// that holds something else altogether is refused. The caller should call Close.
//
// Errors: an [salesiq.InputError] for an empty path; what the file system says.
func OpenFileDedupStore(path string) (*FileDedupStore, error) {
	if strings.TrimSpace(path) == "" {
		return nil, inputError("dedup file", "is required")
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("dedup file: %s %w", path, atomicfile.ErrNotRegular)
	}
	f := &FileDedupStore{path: path, memory: newMemoryDedup(defaultDedupEvents, defaultDedupAge)}
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("dedup file: %w", err)
	}
	if len(content) > 0 && !marksBegin.Match(content) {
		return nil, fmt.Errorf("dedup file: %s %w", path, errForeignFile)
	}
	now := time.Now()
	for line := range bytes.Lines(content) {
		mark, ok := parseMark(line)
		if mark.at.After(now) {
			mark.at = now // The clock was wrong then. The other marks are no older for that.
		}
		if ok {
			f.memory.mark(mark.eventID, mark.at)
		}
	}
	if err := f.compact(); err != nil {
		f.file.Close() //nolint:errcheck // It is of no use.
		return nil, err
	}
	return f, nil
}

// marksBegin matches a file of marks: one with a line that begins with a time and a
// space, or one that holds nothing but a time that was cut.
var marksBegin = regexp.MustCompile(`(?m)^\d+ |\A\d+\z`)

// appendTo appends the mark as a line: the time in seconds since 1970, a space, and
// the id.
func (m dedupMark) appendTo(line []byte) []byte {
	line = strconv.AppendInt(line, m.at.Unix(), 10)
	line = append(append(line, ' '), m.eventID...)
	return append(line, '\n')
}

func parseMark(line []byte) (dedupMark, bool) {
	text, whole := strings.CutSuffix(string(line), "\n")
	at, eventID, ok := strings.Cut(text, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	return dedupMark{eventID, time.Unix(seconds, 0)}, whole && ok && err == nil
}

// compact writes the file anew, without what is forgotten, and leaves it open. If
// the new file cannot be written, the old one stays in use, and goes on growing.
func (f *FileDedupStore) compact() error {
	var content bytes.Buffer
	marks := f.memory.remembered()
	for _, mark := range marks {
		content.Write(mark.appendTo(content.AvailableBuffer()))
	}
	var closed error
	if f.file != nil {
		closed = f.file.Close() // Some systems do not replace an open file.
	}
	written := atomicfile.Write(f.path, content.Bytes())
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		f.file, f.lines = file, len(marks)
		f.info, err = file.Stat()
	}
	if err := cmp.Or(written, err, closed); err != nil {
		return fmt.Errorf("dedup file: %w", err)
	}
	return nil
}

// usable returns an error if a mark would not be found after a restart, since the
// store is closed or another process has replaced the file.
func (f *FileDedupStore) usable() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.file == nil {
		return errDedupClosed
	}
	if info, err := os.Stat(f.path); err == nil && !os.SameFile(info, f.info) {
		return errAnotherProcess
	}
	return nil
}

// Begin implements [DedupStore].
func (f *FileDedupStore) Begin(ctx context.Context, eventID string) (DedupState, error) {
	if err := f.usable(); err != nil {
		return DedupFree, err
	}
	return f.memory.Begin(ctx, eventID)
}

// Done implements [DedupStore].
func (f *FileDedupStore) Done(_ context.Context, eventID string) error {
	if f.memory == nil {
		return errDedupClosed
	}
	mark := dedupMark{eventID, time.Now()}
	f.memory.mark(mark.eventID, mark.at)
	f.mu.Lock()
	defer f.mu.Unlock()
	var line []byte
	if f.torn {
		line = append(line, '\n') // Ends the piece, which would spoil this line, too.
	}
	_, err := f.file.Write(mark.appendTo(line))
	if f.torn = err != nil; f.torn {
		return fmt.Errorf("dedup file: %w", err)
	}
	if f.lines++; f.lines > 2*f.memory.maxEvents {
		return f.compact()
	}
	return nil
}

// Abort implements [DedupStore].
func (f *FileDedupStore) Abort(ctx context.Context, eventID string) error {
	if f.memory == nil {
		return errDedupClosed
	}
	return f.memory.Abort(ctx, eventID)
}

// Close writes everything to disk. Afterwards Begin fails, so that no event is
// handled that would be handled again after a restart.
func (f *FileDedupStore) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return errors.Join(f.file.Sync(), f.file.Close())
}
