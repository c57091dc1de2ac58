//go:build !race

// Package race tells tests that count allocations, which the race detector adds
// to, whether it is on.
package race

// Enabled is whether the race detector is on.
const Enabled = false
