package salesiq

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/url"
	"strconv"

	"github.com/salesiq-go/salesiq/internal/paging"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// maxPerPage is the specification's limit on a page. Iterators ask for as many.
const maxPerPage = 100

// Page is one page of a list, as returned by the List methods.
//
// The All methods iterate over all pages. Their iterators
//   - may be ranged over several times, each time from the start;
//   - begin at the params' Page and keep its PerPage, 100 by default;
//   - end with the service's total, or with a short page where it gives none, and
//     always with a page that is empty or repeats an earlier one;
//   - yield at most one error, as the last thing;
//   - fetch ahead, in order, once a second page is asked for and the total is
//     known. Ten pages may be under way and ten more here already; fewer where
//     fewer calls may be under way, and no more than a tenth of what the service
//     grants in a minute.
//
// If an item leaves the list during an iteration, the items after it move up, and
// one may be skipped. If your loop changes what the params select by, such as the
// status, collect all items first.
//
// The items of a page lie in one piece of memory: whoever keeps a pointer to one of them,
// such as an iterator yields, keeps them all. Keep a copy of the item instead.
type Page[T any] struct {
	Items   []T
	Number  int // Of this page, from 1.
	PerPage int // As the service applied it.
	Total   int // Items on all pages; 0 where the service does not tell.
}

// ListParams selects a page of a list without filters.
type ListParams struct {
	Page    int `json:"page,omitzero"`     // First page; 1 by default.
	PerPage int `json:"per_page,omitzero"` // 1 to 100.
}

func (p *ListParams) validate() error { return checkPaging(p.Page, p.PerPage) }

// fetchPage makes a call that answers with a list.
func fetchPage[T any](ctx context.Context, client *Client, c *call, opts []CallOption) (*Page[T], error) {
	page := &Page[T]{Number: max(1, queryInt(c.query, "page")), PerPage: queryInt(c.query, "per_page")}
	err := client.do(ctx, c, opts, func(body []byte) error {
		items, told, err := wire.DecodeList[T](body)
		page.Items = items
		page.Number = cmp.Or(told.Page, page.Number)
		page.PerPage = cmp.Or(told.PerPage, page.PerPage, len(items))
		page.Total = told.Total
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// iterate turns a list call into an iterator over its items.
func iterate[T any](ctx context.Context, client *Client, c *call, opts []CallOption) iter.Seq2[*T, error] {
	return paging.Flatten(pages[T](ctx, client, c, opts), func(page *Page[T]) []T { return page.Items })
}

// fetched is a page or the reason why there is none.
type fetched[T any] struct {
	page *Page[T]
	err  error
}

// pages yields page after page until the list ends. The first page is fetched
// alone. It tells how many there are, and a consumer that stops after it has paid
// for one.
func pages[T any](ctx context.Context, client *Client, c *call, opts []CallOption) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		perPage := cmp.Or(queryInt(c.query, "per_page"), maxPerPage)
		get := func(ctx context.Context, number int, opts []CallOption) fetched[T] {
			page, err := fetchPage[T](ctx, client, c.page(number, perPage), opts)
			return fetched[T]{page, err}
		}
		seen := map[string]bool{}
		from := max(1, queryInt(c.query, "page"))
		to := from
		size := 0 // Of a full page.
		for {
			var last *Page[T]
			for result := range callsInOrder(ctx, client, opts, span(from, to), get) {
				if result.err != nil {
					yield(nil, result.err)
					return
				}
				last = result.page
				size = cmp.Or(size, last.fullSize())
				key := paging.Fingerprint(last.Items)
				if seen[key] || !yield(last, nil) || last.ends(size) {
					return
				}
				seen[key] = true
			}
			from, to = to+1, max(to+1, paging.Count(last.Total, size))
		}
	}
}

// fullSize returns how many items the service puts on a full page. A service may
// put fewer than it was asked for without saying so. The total then tells that a
// short page is not the last.
func (p *Page[T]) fullSize() int {
	n := len(p.Items)
	if n > 0 && n < p.PerPage && (p.Number-1)*p.PerPage+n < p.Total {
		return n
	}
	return max(1, p.PerPage)
}

// ends reports whether nothing comes after the page: it is empty, or the last by
// the total. A total that is unknown, or less than what was seen, does not count;
// then the page is the last if it is not full.
func (p *Page[T]) ends(size int) bool {
	if len(p.Items) == 0 || p.Total < (p.Number-1)*size+len(p.Items) {
		return len(p.Items) < size
	}
	return p.Number >= paging.Count(p.Total, size)
}

// span yields the numbers from first to last.
func span(first, last int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := first; n <= last; n++ {
			if !yield(n) {
				return
			}
		}
	}
}

// page returns a copy of the call for another page.
func (c *call) page(number, perPage int) *call {
	next := *c
	next.query = maps.Clone(c.query)
	if next.query == nil {
		next.query = url.Values{}
	}
	next.query.Set("page", strconv.Itoa(number))
	next.query.Set("per_page", strconv.Itoa(perPage))
	return &next
}

func queryInt(query url.Values, name string) int {
	n, _ := strconv.Atoi(query.Get(name)) //nolint:errcheck // Absent is 0.
	return n
}
