package salesiqtest

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// The page size without per_page, and its limit.
const (
	defaultPerPage = 50
	maxPerPage     = 100
)

// endlessly is the number of the last page there can be. A number of an item on it
// fits into 32 bits.
const endlessly = 10_000_000

// parseQuery reads a query. It refuses wrong escapes, and lists in both ways in
// which other languages write them, since their values would be lost.
func parseQuery(text string) (url.Values, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, aboutQuery(true, invalid("query", "cannot be read: "+err.Error()))
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		single, isList := strings.CutSuffix(name, "[]")
		if isList || len(query[name]) > 1 {
			return nil, aboutQuery(true, invalid(single, "must be one value, not a list"))
		}
	}
	return query, nil
}

// params reads a query. It keeps the error of the first value that is wrong.
type params struct {
	values url.Values
	err    error
}

func (p *params) text(name string) string { return p.values.Get(name) }

func (p *params) fail(name, reason string) {
	if p.err == nil {
		refused := invalid(name, reason)
		refused.inQuery = true
		p.err = refused
	}
}

func (p *params) paging() wire.Paging {
	return wire.Paging{
		Page:    p.number("page", 1, 1, endlessly),
		PerPage: p.number("per_page", defaultPerPage, 1, maxPerPage),
	}
}

func (p *params) number(name string, absent, low, high int) int {
	text := p.text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.fail(name, "must be a number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
		return absent
	}
	return n
}

// oneOf reads a filter that takes only some values.
func oneOf[T ~string](p *params, name string, allowed []T) T {
	value := T(p.text(name))
	if value != "" && !slices.Contains(allowed, value) {
		p.fail(name, "must be one of "+join(allowed))
	}
	return value
}

func join[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return strings.Join(texts, ", ")
}

// span is a range of time. A zero end is open; both ends belong to it.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool {
	return (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || !t.After(s.to))
}

func (p *params) dates() (s span) {
	s.from, _ = p.date("from_date")
	to, wholeDay := p.date("to_date")
	if wholeDay {
		to = to.Add(24*time.Hour - 1)
	}
	s.to = to
	if !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from) {
		p.fail("to_date", "is before from_date")
	}
	return s
}

// dateLayouts are the notations of ISO 8601 that clients send: RFC 3339, and
// Python's isoformat without a zone, which counts as UTC. A fraction of the
// second is understood by all of them.
var dateLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"}

func (p *params) date(name string) (at time.Time, wholeDay bool) {
	text := p.text(name)
	if text == "" {
		return time.Time{}, false
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, true
	}
	// A plus sign that nobody escaped arrives as a space.
	if zone := len(text) - len(" 00:00"); zone > len(time.DateOnly) && text[zone] == ' ' {
		text = text[:zone] + "+" + text[zone+1:]
	}
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, false
		}
	}
	p.fail(name, "must be a date in ISO 8601, such as 2026-01-31 or 2026-01-31T08:30:00Z")
	return time.Time{}, false
}
