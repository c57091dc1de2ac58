//go:build race

package salesiqotel_test

const raceEnabled = true
