package live

import (
	"cmp"
	"context"
	"iter"
	"maps"
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
	PerPage int    // That number. A page with fewer items is the last one.

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
// goes on, and not the size of the page. Empty pages are not yielded.
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
		seen := map[string]bool{}
		for number := max(1, intOf(query, style.Number)); ; number++ {
			part := part[T]{style: style}
			if err := client.Do(ctx, http.MethodGet, path, nil, &part, append(opts, salesiq.WithQuery(query))...); err != nil {
				yield(nil, err)
				return
			}
			page := &salesiq.Page[T]{
				Items:   part.items,
				Number:  number,
				PerPage: cmp.Or(intOf(query, style.Size), style.PerPage),
				Total:   part.rest.Paging.Total,
			}
			key := paging.Fingerprint(page.Items)
			if len(page.Items) == 0 || seen[key] || !yield(page, nil) || part.isLast(page) || !style.advance(query, len(page.Items), part.rest.Key) {
				return
			}
			seen[key] = true
		}
	}
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

// isLast reports whether the answer, or else the number of items, says that the
// page is the last.
func (p *part[T]) isLast(page *salesiq.Page[T]) bool {
	if p.rest.More != nil {
		return !*p.rest.More
	}
	return len(page.Items) < page.PerPage ||
		page.Total >= len(page.Items) && p.rest.Paging.Page >= paging.Count(page.Total, max(1, page.PerPage))
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

func intOf(query url.Values, name string) int {
	n, _ := strconv.Atoi(query.Get(name)) //nolint:errcheck // Absent is 0.
	return n
}

func inputError(operation, field, reason string) error {
	return &salesiq.InputError{Operation: operation, Field: field, Reason: reason}
}
