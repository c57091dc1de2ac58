package paging_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/paging"
)

func TestLastPageNeedNotBeFull(t *testing.T) {
	t.Parallel()
	for total, pages := range map[int]int{0: 0, 1: 1, 9: 1, 10: 1, 11: 2, 19: 2, 20: 2, 21: 3} {
		assert.Equal(t, pages, paging.Count(total, 10), "%d items, ten a page", total)
	}
	assert.Equal(t, 3, paging.Count(3, 1))
}

// list yields pages of a list, counts them, and may end with an error.
func list(asked *int, end error, pages ...[]int) iter.Seq2[[]int, error] {
	return func(yield func([]int, error) bool) {
		for _, page := range pages {
			*asked++
			if !yield(page, nil) {
				return
			}
		}
		if end != nil && yield(nil, end) {
			yield([]int{99}, nil) // Nobody should see it.
		}
	}
}

func TestItemsOfAllPagesComeInTheirOrderAndAnErrorLast(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, end := range []error{nil, broken} {
		var asked int
		var items []int
		var errs []error
		for item, err := range paging.Flatten(list(&asked, end, []int{1, 2}, nil, []int{3}), func(page []int) []int { return page }) {
			if err != nil {
				assert.Nil(t, item)
				errs = append(errs, err)
				continue
			}
			items = append(items, *item)
		}
		assert.Equal(t, []int{1, 2, 3}, items)
		if end == nil {
			assert.Empty(t, errs)
		} else {
			assert.Equal(t, []error{broken}, errs)
		}
	}
}

func TestWhoHasSeenEnoughAsksForNoOtherPage(t *testing.T) {
	t.Parallel()
	var asked, seen int
	for range paging.Flatten(list(&asked, nil, []int{1, 2}, []int{3}), func(page []int) []int { return page }) {
		if seen++; seen == 2 {
			break
		}
	}
	assert.Equal(t, 1, asked)
}
