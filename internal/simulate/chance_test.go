package simulate

import (
	"math/rand/v2"
	"time"
)

// dice are random numbers that depend on a seed and on what they are for, and not on
// who asks first. So what is done in another order has the same fate.
type dice uint64

func (d dice) roll(what string, numbers ...int64) *rand.Rand {
	h := hash(uint64(d), what)
	for _, n := range numbers {
		h = mix(h + uint64(n))
	}
	return rand.New(rand.NewPCG(uint64(d), h))
}

// pause draws how long a request waits before it is repeated, up to n. Two that are
// repeated at one moment differ, be it by nanoseconds, so that their order is fixed.
func (d dice) pause(what string, n int64) int64 {
	return d.roll("pause "+what, time.Now().UnixNano()).Int64N(max(n, int64(time.Microsecond)))
}

// hash is that of FNV-1a, which is short and good enough here.
func hash(h uint64, text string) uint64 {
	h ^= 14695981039346656037
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// mix spreads each bit of a number over all of them, as SplitMix64 does.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

// latency is from ten to fifty milliseconds, and hardly ever the same twice.
func latency(n int64) time.Duration {
	return 10*time.Millisecond + time.Duration(uint64(n)%uint64(40*time.Millisecond))
}
