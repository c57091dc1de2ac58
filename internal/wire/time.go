package wire

import (
	"net/http"
	"strings"
	"time"
)

// Times as others write them. In all of them, seconds may have a fraction.
var (
	clocks = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
	zones  = []string{"Z07:00", "Z0700", "Z07", ""}
)

// writtenTime reads a time that is not quite as RFC 3339 has it, or the date of an
// HTTP header. Without a zone it counts as UTC. What means nothing is zero.
func writtenTime(text string) time.Time {
	if at, err := http.ParseTime(text); err == nil && isUTC(at) {
		return at.UTC()
	}
	if at, err := time.Parse(time.RFC1123Z, text); err == nil {
		return at
	}
	text, leap := likeRFC3339(text)
	for _, clock := range clocks {
		for _, zone := range zones {
			if at, err := time.Parse(clock+zone, text); err == nil {
				return at.Add(leap)
			}
		}
	}
	at, _ := time.Parse(time.DateOnly, text) //nolint:errcheck // It is zero, then.
	return at
}

// isUTC is false for a zone that has but a name: package time does not know its
// offset.
func isUTC(at time.Time) bool {
	name, _ := at.Zone()
	return name == "UTC" || name == "GMT"
}

// likeRFC3339 returns a text with the letters of RFC 3339, in upper case, without
// spaces, and without a leap second, which it returns.
func likeRFC3339(text string) (likely string, leap time.Duration) {
	const date, second = len(time.DateOnly), len("2006-01-02T15:04")
	text = strings.ToUpper(text)
	if len(text) > date && text[date] == ' ' {
		text = text[:date] + "T" + text[date+1:]
	}
	text = strings.ReplaceAll(text, " ", "")
	for _, name := range []string{"UTC", "GMT"} {
		if clock, ok := strings.CutSuffix(text, name); ok {
			text = clock + "Z"
		}
	}
	if len(text) > second && strings.HasPrefix(text[second:], ":60") {
		text, leap = text[:second]+":59"+text[second+3:], time.Second
	}
	return text, leap
}
