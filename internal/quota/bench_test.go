package quota_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// BenchmarkCall is what the accounting adds to a call.
func BenchmarkCall(b *testing.B) {
	for name, slides := range map[string]bool{"window that ends": false, "window that slides": true} {
		b.Run(name, func(b *testing.B) {
			a := newAccount(quota.Limits{PerDay: math.MaxInt32, InFlight: 10})
			now := start
			call := func() {
				now = now.Add(20 * time.Millisecond)
				if !a.Ready(now, quota.Interactive) {
					b.Fatal("not ready")
				}
				c := a.Start(now)
				r := quota.Report{
					Sent: true, Answered: true, Known: true, Limit: 10_000, Remaining: 9_000,
					Reset: now.Truncate(time.Minute).Add(time.Minute), Date: now.Truncate(time.Second),
				}
				if slides {
					r.Reset, r.Remaining = r.Date.Add(time.Minute), 5_000
				}
				a.End(c, r, now.Add(time.Millisecond))
			}
			require.Zero(b, testing.AllocsPerRun(10_000, call))
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
