package salesiqbolt

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/webhook"
)

// Entry is an event in an [Inbox].
type Entry struct {
	EventID   string
	Body      []byte    // What was delivered.
	At        time.Time // When it was taken.
	Due       time.Time // When it is tried again; zero for one that was not tried.
	Tries     int
	LastError string // Why the last try failed.
	Trace     string // See [webhook.EventInfo].

	number uint64
	cuts   int // Tries that the end of the process cut short.
}

// Event returns the event, with the number of tries so far as its Try.
func (e Entry) Event() (webhook.Event, error) {
	event, err := webhook.Parse(e.Body)
	if err != nil {
		return nil, err
	}
	event.Info().Trace, event.Info().Try = e.Trace, e.Tries
	return event, nil
}

// nameOf returns the name of an event, if it has one, for the log.
func nameOf(event webhook.Event) string {
	if event == nil {
		return ""
	}
	return string(event.Info().EventName)
}

// maxError bounds what is kept of an error, in bytes.
const maxError = 1000

// maxTrace bounds the trace of an entry, in bytes. A longer one is dropped, since a
// part of it would say something else.
const maxTrace = 1000

func shortTrace(trace string) string {
	if len(trace) > maxTrace {
		return ""
	}
	return trace
}

// encode puts an entry into bytes: numbers first, and then texts after their
// lengths.
func (e Entry) encode() []byte {
	b := make([]byte, 0, len(e.Body)+overhead)
	b = binary.BigEndian.AppendUint64(b, writeTime(e.At))
	b = binary.BigEndian.AppendUint64(b, writeTime(e.Due))
	b = binary.BigEndian.AppendUint32(b, uint32(min(e.cuts, maxCuts))<<24|uint32(min(e.Tries, maxTries))) //nolint:gosec // Both are bounded.
	for _, text := range []string{e.EventID, e.LastError, e.Trace} {
		b = appendText(b, text)
	}
	return append(b, e.Body...)
}

// appendText appends a text after its length, which is bounded.
func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...) //nolint:gosec // It is bounded.
}

// cutText returns the text at the beginning of b, and what follows it.
func cutText(b []byte) (text string, rest []byte, err error) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return "", nil, errCut
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return string(b[2:n]), b[n:], nil
}

func writeTime(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func readTime(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))) //nolint:gosec // Back and forth, it stays the same.
}

func readNumber(k []byte) uint64 { return binary.BigEndian.Uint64(k) }

var errCut = fmt.Errorf("%w: what stands in a bucket is cut", ErrDamaged)

// decodeEntry reads an entry. Its body is valid as long as the transaction.
func decodeEntry(k, b []byte) (e Entry, err error) {
	if len(k) != 8 || len(b) < 20 || readNumber(k) == math.MaxUint64 { // No sequence comes that far.
		return Entry{}, errCut
	}
	e.number = binary.BigEndian.Uint64(k)
	e.At = readTime(b)
	if due := b[8:16]; binary.BigEndian.Uint64(due) != 0 {
		e.Due = readTime(due)
	}
	tries := binary.BigEndian.Uint32(b[16:])
	e.cuts, e.Tries = int(tries>>24), int(tries&maxTries)
	b = b[20:]
	for _, text := range []*string{&e.EventID, &e.LastError, &e.Trace} {
		if *text, b, err = cutText(b); err != nil {
			return Entry{}, err
		}
	}
	e.Body = b
	return e, nil
}

// dueKey sorts entries by the time at which they are due. Those that were not
// tried come first.
func (e Entry) dueKey() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, writeTime(e.Due)), e.number)
}

// shorten returns what is kept of an error.
func shorten(err error) string {
	text := err.Error()
	if len(text) > maxError {
		text = text[:maxError] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
