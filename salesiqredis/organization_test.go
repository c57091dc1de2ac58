package salesiqredis

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// All keys must lie in one slot of a cluster.
func TestKeysShareAHashTag(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	acquire(t, o.Limiter())
	store := o.TokenStore()
	lock(t, store)
	require.NoError(t, store.Save(t.Context(), []byte("sealed")))
	begin(t, o.DedupStore(), "a}b{c")
	sink := o.Sink(WithHandlerTimeout(time.Millisecond), WithMaxTries(1))
	enqueue(t, sink, 1)
	require.Eventually(t, func() bool {
		_, _, err := sink.take(t.Context(), 1, "0-0")
		return assert.NoError(t, err) && server.Exists(sink.DeadLetters())
	}, patience, 5*time.Millisecond)
	require.Len(t, server.Keys(), 9)
	for _, key := range append(server.Keys(), o.newLink("any").probes.keys...) {
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

func TestOptionsRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	for name, option := range map[string]Option{
		"logger":           WithLogger(nil),
		"timeout":          WithTimeout(0),
		"calls per minute": WithPlan(salesiq.Plan{CallsPerMinute: -1}),
		"calls per day":    WithPlan(salesiq.Plan{CallsPerDay: -1}),
		"max in flight":    WithMaxInFlight(0),
		"too many at once": WithMaxInFlight(1001),
		"max wait":         WithMaxWait(-1),
		"lease":            WithLease(time.Microsecond),
		"processes":        WithProcesses(0),
		"jitter":           WithTokenJitter(-1),
		"lock":             WithTokenLock(0),
		"claim":            WithClaim(0),
		"memory":           WithEventMemory(0),
	} {
		_, err := NewWith(o.evaler, "acme", option)
		assert.Error(t, err, name)
	}
	for _, name := range []string{"", "a{b", "a}b"} {
		_, err := NewWith(o.evaler, name)
		assert.Error(t, err, name)
	}
	_, err := New(nil, "acme")
	require.Error(t, err)
	_, err = NewWith(nil, "acme")
	require.Error(t, err)
}
