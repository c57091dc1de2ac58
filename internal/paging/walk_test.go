package paging_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/paging"
)

type item struct{ ID, Name string }

func page(from, to int) (items []item) {
	for i := from; i <= to; i++ {
		items = append(items, item{ID: strconv.Itoa(i)})
	}
	return items
}

func TestItemsAreKnownAgainWithinABoundedMemory(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	const step = paging.Remembered / 4
	for from := 1; from < 5*paging.Remembered; from += step {
		assert.Len(t, w.New(page(from, from+step-1)), step)
		assert.Empty(t, w.New(page(max(1, from+step-paging.Remembered), from+step-1)), "the last ones are known")
	}
	assert.Len(t, w.New(page(1, 100)), 100, "the first ones are forgotten")
}

func TestItemsWithoutAnIDAreAllNew(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	assert.Len(t, w.New([]item{{Name: "a"}, {Name: "a"}}), 2)
	maps := paging.NewWalk[map[string]any](0)
	assert.Len(t, maps.New([]map[string]any{{"name": "a"}, {"name": "a"}, {"id": 1.0}, {"id": 1.0}, {"id": "b"}, {"id": "b"}}), 4)
}
