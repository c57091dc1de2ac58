//go:build race

package testkit

// RaceEnabled is whether the race detector is on. It adds allocations, so tests
// that count them ask first.
const RaceEnabled = true
