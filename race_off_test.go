//go:build !race

package salesiq_test

const raceDetector = false
