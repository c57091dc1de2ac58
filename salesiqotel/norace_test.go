//go:build !race

package salesiqotel_test

const raceEnabled = false
