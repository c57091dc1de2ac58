package simulate

import "time"

// gate enforces the rate limit, which may change and be counted in three ways.
type gate struct {
	limit, perDay int

	start time.Time // Of the window.
	used  int
	day   time.Time
	today int
	times []time.Time // Calls of the last minute, by a clock that nobody sets.
}

// roll begins a new day and a new window where they are due.
func (g *gate) roll(now time.Time, opened bool) {
	if day := now.Truncate(24 * time.Hour); !day.Equal(g.day) {
		g.day, g.today = day, 0
	}
	if now.Before(g.start) || now.Sub(g.start) >= time.Minute {
		g.start, g.used = now, 0
		if !opened {
			g.start = now.Truncate(time.Minute)
		}
	}
	for len(g.times) > 0 && time.Since(g.times[0]) >= time.Minute {
		g.times = g.times[1:]
	}
}

func (g *gate) count() {
	g.used++
	g.today++
	g.times = append(g.times, time.Now())
}

// state tells what is left of a window, and when it ends.
func (g *gate) state(now time.Time, limit int, sliding bool) (left int, reset time.Time) {
	left, reset = limit-g.used, g.start.Add(time.Minute)
	if sliding {
		left, reset = limit-len(g.times), now.Add(time.Minute)
		if len(g.times) > 0 {
			reset = now.Add(time.Minute - time.Since(g.times[0]))
		}
	}
	return max(0, left), reset.Add(time.Second - 1).Truncate(time.Second)
}

// now is the time by the service's clock.
func (s *service) now() time.Time {
	return time.Now().Add(time.Duration(s.world.active("clock", "all") * float64(time.Minute))).UTC()
}
