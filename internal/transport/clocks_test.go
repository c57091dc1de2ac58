package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The monotonic clock stands still while the machine sleeps, and answers do not.
func TestAnswersInTheCacheAgeWhileTheMachineSleeps(t *testing.T) {
	t.Parallel()
	c, err := NewCache(nil, CacheConfig{TTL: time.Minute, MaxEntries: 1, MaxBytes: 1 << 10})
	require.NoError(t, err)
	c.keep("key", &Answer{})
	e, ok := c.entries.Get("key")
	require.True(t, ok)
	assert.NotContains(t, e.expires.String(), "m=")
}
