package webhook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// W27: a period that comes again has other numbers.
func TestAClockThatIsSetBackLeadsToOtherNumbers(t *testing.T) {
	t.Parallel()
	store := newMemoryDedup(10, time.Hour)
	before := store.numbers()
	assert.Equal(t, before, store.numbers())
	store.issued.period += 2 // As if it had been ten minutes later.
	after := store.numbers()
	assert.Equal(t, before.period, after.period)
	assert.NotEqual(t, before.era, after.era)
}
