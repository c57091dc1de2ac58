package salesiqredis

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain fails if a test has left a goroutine behind. Some take a while to end.
func TestMain(m *testing.M) {
	code := m.Run()
	for latest := time.Now().Add(5 * time.Second); code == 0; {
		left := goleak.Find()
		if left == nil {
			break
		}
		if time.Now().After(latest) {
			fmt.Fprintln(os.Stderr, left)
			code = 1
		}
	}
	os.Exit(code)
}
