package salesiqtest

import "math"

// average is a mean in the making.
type average struct {
	sum   float64
	count int
}

func (a *average) add(value float64) {
	a.sum += value
	a.count++
}

// value returns the mean in steps of step, or 0 for the mean of nothing.
func (a *average) value(step float64) float64 {
	if a.count == 0 {
		return 0
	}
	return math.Round(a.sum/float64(a.count)/step) / math.Round(1/step)
}
