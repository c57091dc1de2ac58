package simulate

import (
	"slices"
	"testing"
)

// shrink returns a shorter plan that breaks the same invariant: it leaves out half of
// the steps, then quarters and so on, as long as the failure stays.
func shrink(t *testing.T, seed uint64, days float64, p plan, f *failure) plan {
	for size := (len(p) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(p); {
			fewer := slices.Delete(slices.Clone(p), from, min(from+size, len(p)))
			r := run(t, seed, days, fewer, nil)
			if r.failure != nil && r.failure.Invariant == f.Invariant {
				t.Logf("shrink: %d steps fail, too: %v", len(fewer), r.failure)
				p = fewer
			} else {
				from += size
			}
		}
	}
	return p
}
