package paging_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/paging"
)

func TestPageThatComesAgainIsTheEnd(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	for _, p := range [][]item{
		page(1, 3), page(4, 6), page(7, 7), page(8, 8), nil,
		{{ID: "9"}, {ID: "2"}, {ID: "3"}}, // Each end counts, and the length.
		{{ID: "1"}, {ID: "2"}, {ID: "9"}},
		{{ID: "1"}, {ID: "3"}},
	} {
		assert.False(t, w.Take(p, 0, 0).Repeats, "%v is new", p)
	}
	for _, p := range [][]item{page(1, 3), page(8, 8), nil} {
		assert.True(t, w.Take(p, 0, 0).Repeats, "%v came before", p)
	}
}

func TestPageThatNewItemsMovedOnIsNoEnd(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	w.Take(page(1, 3), 0, 3)
	assert.False(t, w.Take(page(1, 3), 3, 6).Repeats, "the total has grown")
	assert.True(t, w.Take(page(1, 3), 6, 6).Repeats)
	assert.True(t, w.Take(page(1, 3), 6, 5).Repeats)
}

func TestPagesWithoutIDsAreToldApartByTheirItems(t *testing.T) {
	t.Parallel()
	named := paging.NewWalk[item](0)
	assert.False(t, named.Take([]item{{Name: "a"}}, 0, 0).Repeats)
	assert.False(t, named.Take([]item{{Name: "b"}}, 0, 0).Repeats)
	assert.True(t, named.Take([]item{{Name: "a"}}, 0, 0).Repeats)
	type unwritable struct{ Done chan int }
	chans := paging.NewWalk[unwritable](0)
	a, b := unwritable{make(chan int)}, unwritable{make(chan int)}
	assert.False(t, chans.Take([]unwritable{a}, 0, 0).Repeats)
	assert.False(t, chans.Take([]unwritable{b}, 0, 0).Repeats, "they need not be JSON")
	assert.True(t, chans.Take([]unwritable{a}, 0, 0).Repeats)
}

func TestItemsThatLeaveTheListAreCounted(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	for i, step := range []struct{ total, left int }{
		{40, 0}, {42, 0}, {30, 12}, {0, 0}, {math.MaxInt32, 0}, {29, 1}, {29, 0},
	} {
		assert.Equal(t, step.left, w.Take(page(i, i), i, step.total).Left, "total %d", step.total)
	}
}

func TestPagesAreReadAgainForWhatLeft(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		read, left, size int
		again            int
	}{
		{"nothing left", 9, 0, 10, 0},
		{"a page holds what left", 9, 10, 10, 1},
		{"one more than a page", 9, 11, 10, 2},
		{"pages of one item", 9, 3, 1, 3},
		{"pages of nobody knows what size", 9, 3, 0, 3},
		{"no more than all pages before", 3, 100, 10, 2},
		{"the first page has none before", 1, 100, 10, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := paging.NewWalk[item](0)
			for i := range tt.read {
				w.Take(page(i, i), 0, 0)
			}
			assert.Equal(t, tt.again, w.Back(paging.Step{Left: tt.left}, tt.size))
		})
	}
}

// However often items leave, no page is paid for more than twice.
func TestListCostsAtMostTwiceItsPages(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	read, again := 0, 0
	for i := range 50 {
		w.Take(page(i, i), 0, 0)
		read++
		again += w.Back(paging.Step{Left: 1000}, 10)
		assert.LessOrEqual(t, again, read)
	}
	assert.Equal(t, read, again, "and as many as that")
}

// The total tells how many pages a list has before they were read.
func TestPagesAreReadAgainAsLongAsTheListCostsTwiceItsPages(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	size, total, from := 2, 40, 0
	read := func(left int) int {
		total -= left
		items := page(from+1, from+size)
		back := w.Back(w.Take(items, from, total), size)
		from += size
		w.New(items)
		return back
	}
	for i, tt := range []struct{ left, again int }{{0, 0}, {2, 1}, {4, 2}, {6, 3}, {10, 4}, {0, 0}, {10, 5}} {
		assert.Equal(t, tt.again, read(tt.left), "page %d", i+1)
	}
	assert.Empty(t, w.Missing())
	step := w.Take(page(15, 16), 14, 6)
	assert.Equal(t, 1, w.Back(step, size))
	assert.Equal(t, 2, w.Again(&step, 1, 4, size))
	assert.Equal(t, 3, w.Again(&step, 2, 2, size), "as many as the list had")
	assert.Empty(t, w.Missing())
	assert.Equal(t, 2, w.Again(&step, 3, 1, size), "paid for before")
	assert.Equal(t, "items left it faster than pages could be read again", w.Missing())
}

func TestListKnowsWhatItDidNotSee(t *testing.T) {
	t.Parallel()
	type read struct{ from, to, total int } // Items, and the total that came with them.
	for _, tt := range []struct {
		name   string
		before int
		reads  []read
		want   string
	}{
		{"all of them", 0, []read{{1, 10, 12}, {11, 12, 12}}, ""},
		{"no total was told", 0, []read{{1, 10, 0}}, ""},
		{"a total that no list has", 0, []read{{1, 0, math.MaxInt32}}, ""},
		{"the largest total that one may have", 0, []read{{1, 10, math.MaxInt32 - 1}}, "10 of 2147483646"},
		{"it ends too soon", 0, []read{{1, 10, 12}}, "10 of 12"},
		{"an empty list of one item", 0, []read{{1, 0, 1}}, "0 of 1"},
		{"an item came twice", 0, []read{{1, 10, 12}, {10, 11, 12}}, "11 of 12"},
		{"items left", 0, []read{{1, 10, 12}, {11, 11, 11}}, ""},
		{"new items came, and moved others behind the end", 0, []read{{1, 10, 12}, {11, 12, 14}}, "12 of 14"},
		{"items left and came", 0, []read{{1, 10, 14}, {11, 11, 11}, {12, 12, 12}}, ""},
		{"it begins behind some", 5, []read{{6, 10, 10}}, ""},
		{"it begins behind some, and ends too soon", 5, []read{{6, 9, 10}}, "9 of 10"},
		{"it begins behind the last", 5, []read{{1, 0, 5}}, ""},
		{"it begins behind the end", 5, []read{{1, 0, 3}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := paging.NewWalk[item](tt.before)
			from := tt.before
			for _, r := range tt.reads {
				items := page(r.from, r.to)
				w.Take(items, from, r.total)
				from += len(items)
				w.New(items)
			}
			assert.Equal(t, tt.want, w.Missing())
		})
	}
}
