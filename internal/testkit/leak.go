package testkit

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines may take to end.
const patience = 5 * time.Second

// Main runs the tests of a package and fails if one leaves a goroutine behind.
// It is to be called by TestMain.
func Main(m *testing.M) {
	// Where FIPS 140-3 is in force, the first random number takes its entropy from
	// the clock, which stands still in virtual time.
	rand.Text()
	code := m.Run()
	if left := Goroutines(patience); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines were left behind:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code) //nolint:revive // TestMain does nothing else.
}

// Goroutines returns the stacks of all goroutines but the caller's and those of
// the test framework. It waits a while for them to end.
func Goroutines(wait time.Duration) []string {
	const interval = 10 * time.Millisecond
	for ; ; wait -= interval {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // The standard library's own.
		left := others()
		if len(left) == 0 || wait <= 0 {
			return left
		}
		<-time.After(interval)
	}
}

func others() (left []string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	all := strings.Split(strings.TrimSpace(string(stacks)), "\n\n")
	for _, stack := range all[1:] { // The first is the caller's.
		if !framework(stack) {
			left = append(left, stack)
		}
	}
	return left
}

// framework tells the goroutines of the test framework, and those that package
// os/signal never ends.
func framework(stack string) bool {
	for _, name := range []string{"\ntesting.(*", "\ntesting.tRunner", "os/signal.loop", "os/signal.signal_recv", "runtime.ensureSigM", "internal/fuzz."} {
		if strings.Contains(stack, name) {
			return true
		}
	}
	return false
}
