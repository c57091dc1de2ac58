package paging_test

import (
	"math"
	"math/rand/v2"
	"slices"
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
		assert.False(t, w.Take(p, 0, 0, 0), "%v is new", p)
	}
	for _, p := range [][]item{page(1, 3), page(8, 8), nil} {
		assert.True(t, w.Take(p, 0, 0, 0), "%v came before", p)
	}
}

func TestPageThatNewItemsMovedOnIsNoEnd(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	w.Take(page(1, 3), 0, 3, 3)
	assert.False(t, w.Take(page(1, 3), 3, 6, 6), "the total has grown")
	assert.True(t, w.Take(page(1, 3), 6, 9, 6))
	assert.True(t, w.Take(page(1, 3), 6, 9, 5))
}

func TestPagesWithoutIDsAreToldApartByTheirItems(t *testing.T) {
	t.Parallel()
	named := paging.NewWalk[item](0)
	assert.False(t, named.Take([]item{{Name: "a"}}, 0, 0, 0))
	assert.False(t, named.Take([]item{{Name: "b"}}, 0, 0, 0))
	assert.True(t, named.Take([]item{{Name: "a"}}, 0, 0, 0))
	type unwritable struct{ Done chan int }
	chans := paging.NewWalk[unwritable](0)
	a, b := unwritable{make(chan int)}, unwritable{make(chan int)}
	assert.False(t, chans.Take([]unwritable{a}, 0, 0, 0))
	assert.False(t, chans.Take([]unwritable{b}, 0, 0, 0), "they need not be JSON")
	assert.True(t, chans.Take([]unwritable{a}, 0, 0, 0))
}

// reading is a page that was read, of ten items: its number, and the total that came with it.
type reading struct{ page, total int }

func TestPagesThatMayHaveItemsOfAGapAreReadAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		reads []reading // Of pages, the first time.
		again []reading // In between, in this order.
	}{
		{"nothing left", []reading{{1, 40}, {2, 40}, {3, 40}}, nil},
		{"no total was told", []reading{{1, 0}, {2, 0}, {3, 0}}, nil},
		{"a total that no list has", []reading{{1, 40}, {2, math.MaxInt32}, {3, 40}}, nil},
		{"new items came", []reading{{1, 40}, {2, 42}, {3, 50}}, nil},
		{"a page holds what left", []reading{{1, 40}, {2, 40}, {3, 30}}, []reading{{2, 30}}},
		{"one more than a page left", []reading{{1, 40}, {2, 40}, {3, 29}}, []reading{{1, 29}, {2, 29}}},
		{"the first page has none before", []reading{{1, 40}, {2, 15}}, []reading{{1, 15}}},
		{"more left meanwhile, than a page holds", []reading{{1, 40}, {2, 40}, {3, 35}}, []reading{{2, 29}, {1, 29}, {2, 29}}},
		{"more left meanwhile, than a page holds, and so did the items before", []reading{{1, 40}, {2, 40}, {3, 35}}, []reading{{2, 29}, {1, 10}}},
		{"more left meanwhile, but a page holds them", []reading{{1, 40}, {2, 39}}, []reading{{1, 30}}},
		{"each page of a list from which one leaves before each request", []reading{{1, 40}, {2, 39}, {3, 37}, {4, 35}}, []reading{{1, 38}, {2, 36}, {3, 34}}},
		{"a page that is read again tells of new items", []reading{{1, 40}, {2, 30}, {3, 30}}, []reading{{1, 60}}},
		{"nothing is behind what was seen", []reading{{1, 20}, {2, 20}, {3, 10}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := paging.NewWalk[item](0)
			var again []reading
			for _, r := range tt.reads {
				w.Take(page(10*r.page-9, 10*r.page), 10*r.page-10, 10*r.page, r.total)
				for back := w.Back(10); back > 0; back = w.Back(10) {
					total := 1
					if len(again) < len(tt.again) {
						total = tt.again[len(again)].total
					}
					again = append(again, reading{r.page - back, total})
					w.Again(back, total, 10)
				}
			}
			assert.Equal(t, tt.again, again)
		})
	}
}

// Where nobody knows how many items are on a page, each page of those before is read that may be needed.
func TestPagesOfNobodyKnowsWhatSizeAreReadOneByOne(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	for i := range 9 {
		w.Take(page(i, i), i, i+1, 30)
		assert.Zero(t, w.Back(0))
	}
	w.Take(page(10, 10), 9, 10, 27)
	for _, back := range []int{3, 2, 1, 0} {
		assert.Equal(t, back, w.Back(0))
		w.Again(back, 27, 0)
	}
}

// However often items leave, and however many come instead, no page is paid for more than twice.
func TestListCostsAtMostTwiceItsPages(t *testing.T) {
	t.Parallel()
	w := paging.NewWalk[item](0)
	again := 0
	for i := range 50 {
		w.New(page(10*i, 10*i+9))
		w.Take(page(10*i, 10*i+9), 10*i, 10*i+10, 500)
		if i < 20 {
			continue
		}
		for back := w.Back(10); back > 0; back = w.Back(10) {
			w.Again(back, 499-again, 10) // The first page is never reached.
			again++
		}
	}
	assert.Equal(t, 50, again, "as many as the list has")
	assert.Equal(t, "items left it faster than pages could be read again", w.Missing())
}

// A list whose items leave and come at random, but never both between two pages, is seen as a whole, or known not to be.
func TestWhatStaysInAListIsSeenOrTheListIsKnownToBeIncomplete(t *testing.T) {
	t.Parallel()
	const lists = 1000
	incomplete := 0
	for seed := range uint64(lists) {
		random := rand.New(rand.NewPCG(seed, 0))
		size, rate := 1+random.IntN(10), random.Float64()
		list := page(1, random.IntN(120))
		stayed, made := map[string]bool{}, 1000
		for _, i := range list {
			stayed[i.ID] = true
		}
		adds := false
		change := func() {
			n := random.IntN(1 + int(rate*float64(size)))
			if adds {
				list = slices.Concat(list, page(made, made+n-1))
				made += n
				return
			}
			for range min(n, len(list)) {
				i := random.IntN(len(list))
				delete(stayed, list[i].ID)
				list = slices.Delete(slices.Clone(list), i, i+1)
			}
		}
		w := paging.NewWalk[item](0)
		seen, requests, pages := map[string]bool{}, 0, 0
		read := func(number int) []item {
			requests++
			from, to := min(len(list), number*size), min(len(list), number*size+size)
			return slices.Clone(list[from:to])
		}
		see := func(items []item) {
			for _, i := range w.New(items) {
				assert.False(t, seen[i.ID], "twice")
				seen[i.ID] = true
			}
		}
		most := paging.Count(len(list), size)
		for number := 0; ; number++ {
			items, total := read(number), len(list)
			pages++
			most = max(most, paging.Count(total, size))
			w.Take(items, number*size, number*size+size, total)
			adds = random.IntN(3) == 0
			change()
			for back := w.Back(size); back > 0; back = w.Back(size) {
				items := read(number - back)
				w.Again(back, len(list), size)
				see(items)
				change()
			}
			see(items)
			if number+1 >= paging.Count(total, size) {
				break
			}
		}
		assert.LessOrEqual(t, requests, pages+max(pages, most), "seed %d", seed)
		if w.Missing() != "" {
			incomplete++
			continue
		}
		for id := range stayed {
			if !seen[id] {
				t.Fatalf("seed %d: %s was skipped, %d items a page", seed, id, size)
			}
		}
	}
	assert.Less(t, incomplete, lists/8, "most lists are seen as a whole")
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
				w.Take(items, from, from+len(items), r.total)
				from += len(items)
				w.New(items)
			}
			assert.Equal(t, tt.want, w.Missing())
		})
	}
}
