package salesiqbolt

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain fails if a test has left a goroutine behind. Some take a while to end.
// A test may also start this program again, as another one.
func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv(childVariable)]; ok {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
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
