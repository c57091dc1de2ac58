package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/paging"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// PageStyle tells how a list is asked for page by page, by the names of the
// parameters. Exactly one of Number, Index and Key is set.
type PageStyle struct {
	Number string // Takes the page's number, from 1.
	Index  string // Takes the number of the page's first item, from First.
	First  int
	Key    string // Takes a key that the answer before gave under the same name.

	Size    string // Takes the number of items per page; empty where it cannot be chosen.
	PerPage int    // That number. A page with fewer items is the last one; see [Pages].

	// Items is the member of the answer's data that holds the list. Empty means
	// that data is the list.
	Items string
}

// PageAndPerPage is how the specification pages: by page and per_page, 100 items
// at a time.
func PageAndPerPage() PageStyle { return PageStyle{Number: "page", Size: "per_page", PerPage: 100} }

// PageAndLimit pages by page and limit, 99 items at a time.
func PageAndLimit() PageStyle { return PageStyle{Number: "page", Size: "limit", PerPage: 99} }

// IndexAndLimit pages by index, from 1, and limit, 20 items at a time.
func IndexAndLimit() PageStyle {
	return PageStyle{Index: "index", First: 1, Size: "limit", PerPage: 20}
}

// KeyAndLimit pages by next_key and limit, 200 items at a time.
func KeyAndLimit() PageStyle { return PageStyle{Key: "next_key", Size: "limit", PerPage: 200} }

// Pages iterates over the pages of a list for which there is no method. The path
// and params are as for [Get]. The params may say where to begin, and how large the
// pages are. See [salesiq.Page] for what all iterators promise; this one does not
// fetch ahead. Where an answer has more_data_available, that tells whether the list
// goes on, and not the size of the page. Pages are yielded with the items that are
// new on them, and not at all if there are none. Params that hold a key begin
// nobody knows where, so that the total is then not held against the list.
func Pages[T any](ctx context.Context, client *salesiq.Client, path string, params any, style PageStyle, opts ...salesiq.CallOption) iter.Seq2[*salesiq.Page[T], error] {
	opts = append([]salesiq.CallOption{salesiq.WithOperation("Pages")}, opts...)
	return func(yield func(*salesiq.Page[T], error) bool) {
		if client == nil {
			yield(nil, inputError("Pages", "client", "must not be nil"))
			return
		}
		query, err := style.first(params)
		if err != nil {
			yield(nil, err)
			return
		}
		p := &pager[T]{style: style, query: query, yield: yield}
		p.get = func(query url.Values) (part[T], error) {
			part := part[T]{style: style}
			err := client.Do(ctx, http.MethodGet, path, nil, &part, append(opts, salesiq.WithQuery(query))...)
			return part, err
		}
		p.begin()
		for p.next() {
		}
	}
}

// pager goes through the pages of a list.
type pager[T any] struct {
	style PageStyle
	get   func(query url.Values) (part[T], error)
	yield func(*salesiq.Page[T], error) bool

	query  url.Values // Of the next page.
	number int        // Of the next page, from 1.
	size   int        // Of a full page.
	from   int        // How many items are before the next page.
	capped bool       // The first page was not full, and not the last.
	more   bool       // The page before said that there are others.
	read   int        // Pages.
	walk   *paging.Walk[T]
}

func (p *pager[T]) begin() {
	p.number = max(1, intOf(p.query, p.style.Number))
	size := cmp.Or(intOf(p.query, p.style.Size), p.style.PerPage)
	p.size = max(1, size)
	switch {
	case size == 0 && p.number > 1, p.style.Key != "" && p.query.Has(p.style.Key):
		p.from = math.MaxInt32 / 2 // Nobody knows.
	case p.style.Number != "":
		p.from = (p.number - 1) * p.size
	case p.style.Index != "":
		p.from = max(0, intOf(p.query, p.style.Index)-p.style.First)
	}
	p.walk = paging.NewWalk[T](p.from)
}

// next yields a page, and reports whether the list goes on after it.
func (p *pager[T]) next() bool {
	part, err := p.get(p.query)
	if err != nil {
		p.fail(err)
		return false
	}
	n, total := len(part.items), part.rest.Paging.Total
	if n == 0 && p.more && part.rest.More == nil {
		p.yield(nil, incomplete("the page that was promised is empty"))
		return false
	}
	last := n == 0 || p.isLast(&part)
	repeats := p.walk.Take(part.items, p.from, p.from+n, total)
	if p.style.Key == "" && !p.readAgain() {
		return false
	}
	if !repeats && !p.yieldNew(&part, p.number) {
		return false
	}
	if last || repeats || !p.style.advance(p.query, n, part.rest.Key) {
		p.end(nil)
		return false
	}
	p.number, p.from, p.read = p.number+1, p.from+n, p.read+1
	p.more = part.rest.More != nil
	return true
}

// readAgain reads pages before the next one again, if items have left the list.
func (p *pager[T]) readAgain() bool {
	for back := p.walk.Back(p.size); back > 0; back = p.walk.Back(p.size) {
		query := maps.Clone(p.query)
		p.style.goBack(query, back, p.size)
		part, err := p.get(query)
		if err != nil {
			p.yield(nil, err)
			return false
		}
		p.walk.Again(back, part.rest.Paging.Total, p.size)
		if !p.yieldNew(&part, p.number-back) {
			return false
		}
	}
	return true
}

// yieldNew yields what is new on a page.
func (p *pager[T]) yieldNew(part *part[T], number int) bool {
	items := p.walk.New(part.items)
	if len(items) == 0 {
		return true
	}
	return p.yield(&salesiq.Page[T]{Items: items, Number: number, PerPage: p.size, Total: part.rest.Paging.Total}, nil)
}

// isLast reports whether the answer, or else the number of items, says that a page
// is the last. If the first page is not full, the size of a full one is unknown.
func (p *pager[T]) isLast(part *part[T]) bool {
	n, told := len(part.items), part.rest.Paging
	switch {
	case part.rest.More != nil:
		return !*part.rest.More
	case told.Total >= n && told.Page >= paging.Count(told.Total, p.size):
		return true
	case p.read == 0:
		p.capped = n < p.size
	}
	return n < p.size && !p.capped
}

// fail ends the list for want of a page. Behind the first one, a page that is not
// found is the end, unless the page before has promised it.
func (p *pager[T]) fail(err error) {
	e, ok := errors.AsType[*salesiq.Error](err)
	if ok && p.read > 0 && !p.more && (errors.Is(e, salesiq.ErrResourceNotFound) || e.StatusCode == http.StatusNotFound && !errors.Is(e, salesiq.ErrDecode)) {
		p.end(e)
		return
	}
	p.yield(nil, err)
}

// end ends the list, with an error if items are missing. The cause is nil unless a
// page was not there.
func (p *pager[T]) end(cause *salesiq.Error) {
	missing := p.walk.Missing()
	if missing == "" {
		return
	}
	e := incomplete(missing)
	if cause != nil {
		reason := e.Err
		*e = *cause
		e.Err = reason
	}
	p.yield(nil, e)
}

// incomplete is the error of a list of which items are missing.
func incomplete(why string) *salesiq.Error {
	return &salesiq.Error{Operation: "Pages", Method: http.MethodGet, Err: fmt.Errorf("%w: %s", salesiq.ErrIncomplete, why)}
}

// All iterates over the items of all pages; see [Pages].
func All[T any](ctx context.Context, client *salesiq.Client, path string, params any, style PageStyle, opts ...salesiq.CallOption) iter.Seq2[*T, error] {
	return paging.Flatten(Pages[T](ctx, client, path, params, style, opts...), func(page *salesiq.Page[T]) []T { return page.Items })
}

// part is an answer that holds a part of a list.
type part[T any] struct {
	style PageStyle
	items []T
	rest  wire.Rest
}

// UnmarshalAnswer reads the answer, for [salesiq.Client.Do].
func (p *part[T]) UnmarshalAnswer(body []byte) (err error) {
	p.items, p.rest, err = wire.DecodePart[T](body, p.style.Items, p.style.Key)
	return err
}

func (s PageStyle) validate() error {
	ways := 0
	for _, name := range []string{s.Number, s.Index, s.Key} {
		if name != "" {
			ways++
		}
	}
	if ways != 1 {
		return inputError("Pages", "page style", "must have exactly one of Number, Index and Key")
	}
	if s.First < 0 || s.PerPage < 0 {
		return inputError("Pages", "page style", "must not have a negative number")
	}
	return nil
}

// first returns the query for the first page: params, completed.
func (s PageStyle) first(params any) (url.Values, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	query, err := queryOf(params)
	if err != nil {
		return nil, inputError("Pages", "params", "cannot be a query: "+err.Error())
	}
	for name, value := range map[string]int{s.Number: 1, s.Index: s.First, s.Size: s.PerPage} {
		if name != "" && !query.Has(name) {
			query.Set(name, strconv.Itoa(value))
		}
	}
	return query, nil
}

// queryOf returns params as a query of its own.
func queryOf(params any) (url.Values, error) {
	values, ok := params.(url.Values)
	if !ok && params != nil {
		return wire.Query(params)
	}
	query := url.Values{}
	maps.Copy(query, values)
	return query, nil
}

// advance changes the query to that of the next page, and reports whether there
// is one.
func (s PageStyle) advance(query url.Values, items int, key string) bool {
	switch {
	case s.Number != "":
		query.Set(s.Number, strconv.Itoa(intOf(query, s.Number)+1))
	case s.Index != "":
		query.Set(s.Index, strconv.Itoa(intOf(query, s.Index)+items))
	case key == "" || key == "-1" || key == query.Get(s.Key):
		return false
	default:
		query.Set(s.Key, key)
	}
	return true
}

// goBack changes the query to that of an earlier page.
func (s PageStyle) goBack(query url.Values, pages, size int) {
	if s.Number != "" {
		query.Set(s.Number, strconv.Itoa(max(1, intOf(query, s.Number)-pages)))
	} else {
		query.Set(s.Index, strconv.Itoa(max(s.First, intOf(query, s.Index)-pages*size)))
	}
}

func intOf(query url.Values, name string) int {
	n, _ := strconv.Atoi(query.Get(name)) //nolint:errcheck // Absent is 0.
	return n
}

func inputError(operation, field, reason string) error {
	return &salesiq.InputError{Operation: operation, Field: field, Reason: reason}
}
