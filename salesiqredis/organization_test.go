package salesiqredis

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All keys must lie in one slot of a cluster.
func TestKeysShareAHashTag(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	acquire(t, o.Limiter())
	store := o.TokenStore()
	lock(t, store)
	require.NoError(t, store.Save(t.Context(), []byte("sealed")))
	begin(t, o.DedupStore(), "a}b{c", 1)
	sink := sinkOf(t, o, WithHandlerTimeout(time.Millisecond), WithMaxTries(1))
	enqueue(t, sink, 1)
	require.Eventually(t, func() bool {
		_, _, err := sink.take(t.Context(), 1, "0-0")
		return assert.NoError(t, err) && server.Exists(sink.DeadLetters())
	}, patience, 5*time.Millisecond)
	require.Len(t, server.Keys(), 11)
	for _, key := range append(server.Keys(), o.links.limiter.probes.key, o.links.read.probes.key) {
		assert.True(t, strings.HasPrefix(key, "salesiq:{acme}:"), key)
	}
}

func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithMaxInFlight(1))
	other, err := NewWith(o.evaler, "other", WithMaxInFlight(1), WithTimeout(2*time.Second))
	require.NoError(t, err)
	acquire(t, o.Limiter())
	acquire(t, other.Limiter())
	assert.True(t, blocked(t, o.Limiter()))
}
