package testkit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
)

func TestGoroutineThatIsLeftBehindIsFound(t *testing.T) { // It counts all goroutines.
	require.Empty(t, testkit.Goroutines(time.Second))
	end := make(chan struct{})
	go func() { <-end }()
	left := testkit.Goroutines(0)
	require.Len(t, left, 1)
	assert.Contains(t, left[0], "TestGoroutineThatIsLeftBehindIsFound")
	close(end)
	assert.Empty(t, testkit.Goroutines(time.Second), "it was given the time to end")
}
