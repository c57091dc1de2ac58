package salesiq

import (
	"math"
	"time"
)

// Seconds is a length of time as the service counts it. It is a type of its own,
// since it is the number on the wire under every JSON encoder: a [time.Duration]
// would be read and written as nanoseconds by encoding/json, and refused by
// encoding/json/v2.
type Seconds float64

// Duration converts s for use with package time.
func (s Seconds) Duration() time.Duration {
	return time.Duration(math.Round(float64(s) * float64(time.Second)))
}
