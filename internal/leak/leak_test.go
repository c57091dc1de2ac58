package leak_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/leak"
)

func TestGoroutineThatIsLeftBehindIsFound(t *testing.T) { // Not parallel: it counts all goroutines.
	require.Empty(t, leak.Goroutines(time.Second))
	end := make(chan struct{})
	go func() { <-end }()
	left := leak.Goroutines(0)
	require.Len(t, left, 1)
	assert.Contains(t, left[0], "TestGoroutineThatIsLeftBehindIsFound")
	close(end)
	assert.Empty(t, leak.Goroutines(time.Second), "it was given the time to end")
}
