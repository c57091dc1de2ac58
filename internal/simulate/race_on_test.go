//go:build race

package simulate

// slow says that the race detector is on, under which a run takes ten times as long.
const slow = true
