package usage

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq"
)

// durations are of all sizes, from microseconds to half an hour.
func durations(n int) []time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(math.Exp(random.NormFloat64()*3+5)) * time.Microsecond
	}
	return all
}

func TestPercentilesAreTrueWithinFourPercent(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 100, 5000} {
		var counted operationCount
		all := durations(n)
		for _, d := range all {
			counted.call(&salesiq.CallTrace{Attempts: 1, Duration: d})
		}
		got := counted.usage()
		slices.Sort(all)
		for percent, estimate := range map[int]time.Duration{50: got.P50.Duration(), 95: got.P95.Duration(), 99: got.P99.Duration()} {
			exact := all[(n*percent+99)/100-1]
			assert.InDelta(t, exact, estimate, 0.04*float64(exact)+float64(time.Microsecond), "p%d of %d", percent, n)
		}
		assert.Equal(t, all[n-1], got.Max.Duration())
	}
}

// Negative and endless durations have one, too.
func TestEveryDurationHasABucket(t *testing.T) {
	t.Parallel()
	last := 0
	for shift := range 63 {
		for _, d := range []time.Duration{1 << shift, 1<<shift + 1<<shift/2} {
			bucket := bucketOf(d)
			assert.GreaterOrEqual(t, bucket, last, "%s", d)
			assert.Less(t, bucket, len(histogram{}), "%s", d)
			last = bucket
		}
	}
	assert.Zero(t, bucketOf(-time.Second), "the clock of a virtual machine may jump")
	assert.Equal(t, len(histogram{})-1, bucketOf(math.MaxInt64))
}
