package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
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
//   - end with the service's total; where it gives none, with a page that is not
//     full; and always with a page that is empty, repeats an earlier one, or is not
//     found. A first page that is not full is the end only if the next one is empty,
//     since the service may put fewer items on a page than it was asked for;
//   - yield an item once, although it moves on to a later page while the list
//     grows. They know it by its id, which they remember for 10,000 items at
//     least, and need about a megabyte for that;
//   - read a page again where the total says that items have left the list, since
//     those after them have moved up to it. They do so for at most as many pages as
//     the list has;
//   - yield at most one error, as the last thing. A list that ends with fewer items
//     than the service's total, or of which more pages would have to be read again,
//     is an error, too: [ErrIncomplete];
//   - fetch ahead, in order, once a second page is asked for and the total is
//     known. Ten pages may be under way and ten more here already; fewer where
//     fewer calls may be under way, and no more than a tenth of what the service
//     grants in a minute.
//
// Where the service gives no total, or others come in the place of items that leave,
// nothing tells that items have moved up, and some may be skipped. If your loop changes
// what the params select by, such as the status, collect all items first.
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
		if c.status == http.StatusNoContent {
			page.Items = []T{}
			return nil
		}
		items, told, err := wire.DecodeList[T](body)
		page.Items = items
		page.Number = cmp.Or(told.Page, page.Number)
		page.PerPage = cmp.Or(told.PerPage, page.PerPage, len(items))
		page.Total = told.Total
		c.total = told.Total
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

// fetched is a page, by the number that was asked for, or the reason why there is
// none.
type fetched[T any] struct {
	number int
	page   *Page[T]
	err    error
}

// pager goes through the pages of a list.
type pager[T any] struct {
	call  *call
	get   func(ctx context.Context, number int, opts []CallOption) fetched[T]
	opts  []CallOption
	yield func(*Page[T], error) bool

	first  int             // The number of the first page.
	size   int             // Of a full page.
	capped bool            // The first page was not full, and not the last.
	walk   *paging.Walk[T] // Nil before the first page.
}

// pages yields page after page until the list ends. The first page is fetched
// alone. It tells how many there are, and a consumer that stops after it has paid
// for one.
func pages[T any](ctx context.Context, client *Client, c *call, opts []CallOption) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		perPage := cmp.Or(queryInt(c.query, "per_page"), maxPerPage)
		get := func(ctx context.Context, number int, opts []CallOption) fetched[T] {
			page, err := fetchPage[T](ctx, client, c.page(number, perPage), opts)
			return fetched[T]{number, page, err}
		}
		p := &pager[T]{call: c, get: get, opts: opts, yield: yield, first: max(1, queryInt(c.query, "page"))}
		from, to := p.first, p.first
		for {
			total := 0
			for result := range callsInOrder(ctx, client, opts, span(from, to), get) {
				if !p.take(ctx, result) {
					return
				}
				total = result.page.Total
			}
			from, to = to+1, max(to+1, paging.Count(total, p.size))
		}
	}
}

// take yields a page, and reports whether the list goes on after it.
func (p *pager[T]) take(ctx context.Context, f fetched[T]) bool {
	if f.err != nil {
		p.fail(f)
		return false
	}
	page := f.page
	if p.walk == nil {
		p.size = page.fullSize()
		p.walk = paging.NewWalk[T]((p.first - 1) * p.size)
	}
	last := p.ends(page, f.number)
	repeats := p.walk.Take(page.Items, (f.number-1)*p.size, f.number*p.size, page.Total)
	for back := p.walk.Back(p.size); back > 0; back = p.walk.Back(p.size) {
		again := p.get(ctx, f.number-back, p.opts)
		if again.err != nil {
			p.fail(again)
			return false
		}
		p.walk.Again(back, again.page.Total, p.size)
		if !p.yieldNew(again.page) {
			return false
		}
	}
	if !repeats && !p.yieldNew(page) {
		return false
	}
	if last || repeats {
		p.end(nil)
		return false
	}
	return true
}

// yieldNew yields what is new on a page.
func (p *pager[T]) yieldNew(page *Page[T]) bool {
	page.Items = p.walk.New(page.Items)
	return p.yield(page, nil)
}

// fail ends the list for want of a page. Behind the first one, a page that is not
// found is the end.
func (p *pager[T]) fail(f fetched[T]) {
	if e, ok := errors.AsType[*Error](f.err); ok && f.number > p.first && e.isNotThere() {
		p.end(e)
		return
	}
	p.yield(nil, f.err)
}

// isNotThere reports whether the service itself said that there is nothing.
func (e *Error) isNotThere() bool {
	return errors.Is(e, ErrResourceNotFound) || e.StatusCode == http.StatusNotFound && !errors.Is(e, ErrDecode)
}

// end ends the list, with an error if items are missing. The cause is nil unless a
// page was not there.
func (p *pager[T]) end(cause *Error) {
	missing := p.walk.Missing()
	if missing == "" {
		return
	}
	e := &Error{Operation: p.call.request.Operation, Method: p.call.request.Method}
	if cause != nil {
		*e = *cause
	}
	e.Err = fmt.Errorf("%w: %s", ErrIncomplete, missing)
	p.yield(nil, e)
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

// ends reports whether nothing comes after a page: it is empty, or the last by
// the total. A total that is unknown, or less than what was seen, does not count;
// then the page is the last if it is not full. But if the first page is not full,
// the size of a full one is unknown, and only an empty page is the last.
func (p *pager[T]) ends(page *Page[T], number int) bool {
	n := len(page.Items)
	if n > 0 && page.Total >= (page.Number-1)*p.size+n {
		return page.Number >= paging.Count(page.Total, p.size)
	}
	if number == p.first && page.Total == 0 {
		p.capped = n < p.size
	}
	return n == 0 || n < p.size && !p.capped
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
