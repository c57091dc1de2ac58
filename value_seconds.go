package salesiq

import "time"

// Seconds is a length of time as the service counts it.
type Seconds float64

// Duration converts s for use with package time.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
