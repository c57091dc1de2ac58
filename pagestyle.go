package salesiq

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"

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
	PerPage int    // That number. A page with fewer items is the last one.

	// Items is the member of the answer's data that holds the list. Empty means
	// that data is the list.
	Items string
}

// The styles of the specification and of the live service. A copy may be
// changed where a call differs.
var (
	PageAndPerPage = PageStyle{Number: "page", Size: "per_page", PerPage: maxPerPage}
	PageAndLimit   = PageStyle{Number: "page", Size: "limit", PerPage: 99}
	IndexAndLimit  = PageStyle{Index: "index", First: 1, Size: "limit", PerPage: 20}
	KeyAndLimit    = PageStyle{Key: "next_key", Size: "limit", PerPage: 200}
)

// Pages iterates over the pages of a list that the services have no method for.
// The path and params are as for [Get]; params may say where to begin, and how
// large the pages are. See [Page] for what all iterators promise, but that this
// one does not fetch ahead. It also ends where the answer says
// more_data_available=false, and does not end with a short page where it says
// true. Empty pages are not yielded.
func Pages[T any](ctx context.Context, client *Client, path string, params any, style PageStyle, opts ...CallOption) iter.Seq2[*Page[T], error] {
	c := client.freeCall("Pages", http.MethodGet, path, opts)
	c.queryFrom(params)
	return walk[T](ctx, client, c, style, opts)
}

// All iterates over the items of all pages; see [Pages].
func All[T any](ctx context.Context, client *Client, path string, params any, style PageStyle, opts ...CallOption) iter.Seq2[*T, error] {
	return flatten(Pages[T](ctx, client, path, params, style, opts...))
}

// walk yields page after page until the list ends.
func walk[T any](ctx context.Context, client *Client, c *call, style PageStyle, opts []CallOption) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		next := *c
		next.check(style.validate())
		next.query = style.first(c.query)
		seen := map[string]bool{}
		for number := max(1, queryInt(next.query, style.Number)); ; number++ {
			page := &Page[T]{Number: number, PerPage: cmp.Or(queryInt(next.query, style.Size), style.PerPage)}
			rest, err := fetchPart(ctx, client, &next, style, page, opts)
			if err != nil {
				yield(nil, err)
				return
			}
			key := page.fingerprint()
			if len(page.Items) == 0 || seen[key] || !yield(page, nil) || page.isLast(rest) || !style.advance(next.query, len(page.Items), rest.Key) {
				return
			}
			seen[key] = true
		}
	}
}

// fetchPart fills a page.
func fetchPart[T any](ctx context.Context, client *Client, c *call, style PageStyle, page *Page[T], opts []CallOption) (rest wire.Rest, err error) {
	err = client.do(ctx, c, opts, func(body []byte) (err error) {
		page.Items, rest, err = wire.DecodePart[T](body, style.Items, style.Key)
		page.Total = rest.Paging.Total
		return err
	})
	return rest, err
}

// isLast reports whether the answer, or the number of items, says that nothing
// follows.
func (p *Page[T]) isLast(rest wire.Rest) bool {
	if rest.More != nil {
		return !*rest.More
	}
	return len(p.Items) < p.PerPage || p.Total >= len(p.Items) && rest.Paging.Page >= p.count(max(1, p.PerPage))
}

func (s PageStyle) validate() error {
	ways := 0
	for _, name := range []string{s.Number, s.Index, s.Key} {
		if name != "" {
			ways++
		}
	}
	if ways != 1 {
		return inputError("page style", "must have exactly one of Number, Index and Key")
	}
	return nil
}

// first completes the query for the first page.
func (s PageStyle) first(query url.Values) url.Values {
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	for name, value := range map[string]int{s.Number: 1, s.Index: s.First, s.Size: s.PerPage} {
		if name != "" && !query.Has(name) {
			query.Set(name, strconv.Itoa(value))
		}
	}
	return query
}

// advance changes the query to that of the next page, and reports whether there
// is one.
func (s PageStyle) advance(query url.Values, items int, key string) bool {
	switch {
	case s.Number != "":
		query.Set(s.Number, strconv.Itoa(queryInt(query, s.Number)+1))
	case s.Index != "":
		query.Set(s.Index, strconv.Itoa(queryInt(query, s.Index)+items))
	case key == "" || key == "-1" || key == query.Get(s.Key):
		return false
	default:
		query.Set(s.Key, key)
	}
	return true
}

// adopt returns a copy of a call that was made for the specified style, with
// its page and page size in this one.
func (s PageStyle) adopt(c *call) *call {
	next := *c
	next.query = maps.Clone(c.query)
	page, perPage := queryInt(c.query, "page"), queryInt(c.query, "per_page")
	next.query.Del("page")
	next.query.Del("per_page")
	size := s.PerPage
	if perPage > 0 && s.Size != "" {
		size = perPage
		next.query.Set(s.Size, strconv.Itoa(size))
	}
	switch {
	case page <= 1:
	case s.Number != "":
		next.query.Set(s.Number, strconv.Itoa(page))
	case s.Index != "":
		next.query.Set(s.Index, strconv.Itoa(s.First+(page-1)*size))
	}
	return &next
}
