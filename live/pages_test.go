package live_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// What a list of any style promises; see TestItemsThatMoveWhileAListIsReadAreYieldedOnce
// and its neighbors in the root.
func TestListsOfAnyStyleKeepTheirPromises(t *testing.T) {
	t.Parallel()
	number := beginning{style: live.PageStyle{Number: "page", Size: "limit", PerPage: 10}}
	index := beginning{style: live.PageStyle{Index: "index", First: 1, Size: "limit", PerPage: 10}}
	unsized := beginning{style: live.PageStyle{Number: "page"}}
	const notFound = `{"error":{"code":1019,"message":"no such page"}}`
	for _, row := range []struct {
		why    string
		begin  beginning
		serve  func(request, from int, list []int) (status int, body string)
		want   []int
		ending error // Nil for none.
	}{
		{"the list begins behind the first page", number.from("2"), whole, upTo(11, 30), nil},
		{"the list begins behind the first item", index.from("11"), whole, upTo(11, 30), nil},
		{"nobody knows how many items are on the pages before", unsized.from("2"), whole, upTo(11, 30), nil},
		{"nobody knows how many items are on a page, and some are missing", unsized, func(_, from int, list []int) (int, string) {
			body := told(list[:12], from, 10, "")
			return http.StatusOK, strings.Replace(body, `"total":12`, `"total":30`, 1)
		}, upTo(1, 12), salesiq.ErrIncomplete},
		{"items leave that were read, by number", number, leaving, upTo(1, 30), nil},
		{"items leave that were read, by index", index, leaving, upTo(1, 30), nil},
		{"items leave while a page is read again, by number", number, leavingTwice(2), upTo(1, 30), nil},
		{"items leave while a page is read again, by index", index, leavingTwice(2), upTo(1, 30), nil},
		{"more leave than are on a page while one is read again, by number", number, leavingTwice(6), upTo(1, 30), nil},
		{"more leave than are on a page while one is read again, by index", index, leavingTwice(6), upTo(1, 30), nil},
		{"one leaves before each request, by index", index, func(request, from int, list []int) (int, string) {
			return http.StatusOK, told(list[request-1:], from, 10, "")
		}, upTo(1, 30), nil},
		{"one leaves before each request, by number", number, func(request, from int, list []int) (int, string) {
			return http.StatusOK, told(list[request-1:], from, 10, "")
		}, upTo(1, 30), nil},
		{"an item comes at the start", number, func(request, from int, list []int) (int, string) {
			if request > 1 {
				list = append([]int{100}, list...)
			}
			return http.StatusOK, told(list, from, 10, "")
		}, upTo(1, 30), nil},
		{"a whole page of items comes at the start", number, func(request, from int, list []int) (int, string) {
			if request > 1 {
				list = append(upTo(101, 110), list...)
			}
			return http.StatusOK, told(list, from, 10, "")
		}, upTo(1, 30), nil},
		{"one item is missing", index, func(_, from int, list []int) (int, string) {
			body := told(list[:29], from, 10, "")
			return http.StatusOK, strings.Replace(body, `"total":29`, `"total":30`, 1)
		}, upTo(1, 29), salesiq.ErrIncomplete},
		{"a page is not found behind the last", number, func(_, from int, list []int) (int, string) {
			if from >= 30 {
				return http.StatusNotFound, notFound
			}
			return http.StatusOK, untold(list, from, 10, "")
		}, upTo(1, 30), nil},
		{"a page is not found that was promised", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusNotFound, notFound
			}
			return http.StatusOK, untold(list, from, 10, `,"more_data_available":true`)
		}, upTo(1, 20), salesiq.ErrResourceNotFound},
		{"the first page is not found", number, func(_, _ int, _ []int) (int, string) {
			return http.StatusNotFound, notFound
		}, nil, salesiq.ErrResourceNotFound},
		{"a page is not found behind the last, without a code", number, func(_, from int, list []int) (int, string) {
			if from >= 30 {
				return http.StatusNotFound, `{"error":{"message":"no such page"}}`
			}
			return http.StatusOK, untold(list, from, 10, "")
		}, upTo(1, 30), nil},
		{"something in front of the service does not find a page", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusNotFound, `<h1>404</h1>`
			}
			return http.StatusOK, untold(list, from, 10, "")
		}, upTo(1, 20), salesiq.ErrDecode},
		{"a page is not permitted", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusForbidden, `{"error":{"code":1016,"message":"no access"}}`
			}
			return http.StatusOK, untold(list, from, 10, "")
		}, upTo(1, 20), salesiq.ErrPermissionDenied},
		{"a page is not found before the total is", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusNotFound, notFound
			}
			return http.StatusOK, told(list, from, 10, "")
		}, upTo(1, 20), salesiq.ErrIncomplete},
		{"pages are capped without a word", index, func(_, from int, list []int) (int, string) {
			return http.StatusOK, untold(list, from, 7, "")
		}, upTo(1, 30), nil},
		{"a page that is read again is not permitted", number, func(request, from int, list []int) (int, string) {
			if request == 3 {
				return http.StatusForbidden, `{"error":{"code":1016,"message":"no access"}}`
			}
			return leaving(request, from, list)
		}, upTo(1, 10), salesiq.ErrPermissionDenied},
		{"a page is no list", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusOK, `{"url":"/things","object":"list","data":[7]}`
			}
			return http.StatusOK, untold(list, from, 10, "")
		}, upTo(1, 20), salesiq.ErrDecode},
		{"the body of a page is lost", number, func(_, from int, list []int) (int, string) {
			if from >= 20 {
				return http.StatusOK, ""
			}
			return http.StatusOK, untold(list, from, 10, `,"more_data_available":true`)
		}, upTo(1, 20), salesiq.ErrIncomplete},
		{"pages are capped to one item", index, func(_, from int, list []int) (int, string) {
			return http.StatusOK, untold(list[:3], from, 1, "")
		}, upTo(1, 3), nil},
		{"the list ends before its total", number, func(_, from int, list []int) (int, string) {
			body := told(list[:12], from, 10, "")
			return http.StatusOK, strings.Replace(body, `"total":12`, `"total":30`, 1)
		}, upTo(1, 12), salesiq.ErrIncomplete},
		{"the pages repeat", number, func(_, _ int, list []int) (int, string) {
			return http.StatusOK, told(list, 0, 10, "")
		}, upTo(1, 10), salesiq.ErrIncomplete},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			requests, status := 0, 0 // Of the last answer.
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				from, _ := strconv.Atoi(r.URL.Query().Get("index"))
				if page, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
					from = (page-1)*10 + 1
				}
				var body string
				status, body = row.serve(requests, from-1, upTo(1, 30))
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				w.Write([]byte(body))
			}))
			defer server.Close()
			client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
			require.NoError(t, err)
			var ids []int
			var ending error
			for item, err := range live.All[map[string]any](t.Context(), client, "/things", row.begin.params, row.begin.style) {
				require.NoError(t, ending, "nothing follows an error")
				if ending = err; err == nil {
					id, err := strconv.Atoi((*item)["id"].(string))
					require.NoError(t, err)
					ids = append(ids, id)
				}
			}
			if row.ending == nil {
				require.NoError(t, ending)
			} else {
				require.ErrorIs(t, ending, row.ending)
				failure, ok := errors.AsType[*salesiq.Error](ending)
				require.True(t, ok)
				assert.Equal(t, "Pages", failure.Operation)
				if status != http.StatusOK {
					assert.Equal(t, status, failure.StatusCode, "the answer that ended the list is told")
				}
			}
			assert.ElementsMatch(t, row.want, ids)
			assert.LessOrEqual(t, requests, 8)
		})
	}
}

// beginning is where a list begins, and how its pages are asked for.
type beginning struct {
	style  live.PageStyle
	params url.Values
}

// from returns a beginning at another page or item than the first.
func (b beginning) from(place string) beginning {
	b.params = url.Values{b.style.Number + b.style.Index: {place}}
	return b
}

// whole is a service whose list stays as it is.
func whole(_, from int, list []int) (status int, body string) {
	return http.StatusOK, told(list, from, 10, "")
}

func TestPresetsAreWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	for want, preset := range map[live.PageStyle]func() live.PageStyle{
		{Number: "page", Size: "per_page", PerPage: 100}:       live.PageAndPerPage,
		{Number: "page", Size: "limit", PerPage: 99}:           live.PageAndLimit,
		{Index: "index", First: 1, Size: "limit", PerPage: 20}: live.IndexAndLimit,
		{Key: "next_key", Size: "limit", PerPage: 200}:         live.KeyAndLimit,
	} {
		assert.Equal(t, want, preset())
	}
}

// A list ends with the page that is known to be the last: no other is asked for.
func TestListEndsWithThePageThatIsKnownToBeTheLast(t *testing.T) {
	t.Parallel()
	for why, list := range map[string]struct {
		items int
		more  func(page int) string // What is beside the items.
	}{
		"by the page that is told":    {30, func(page int) string { return fmt.Sprintf(`,"pagination":{"total":30,"page":%d}`, page) }},
		"by the word that it is":      {30, func(page int) string { return fmt.Sprintf(`,"more_data_available":%t`, page < 3) }},
		"by its size, which is small": {25, func(int) string { return "" }},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				w.Header().Set("Content-Type", "application/json")
				w.Write([]byte(untold(upTo(1, list.items), 10*(page-1), 10, list.more(page))))
			}))
			defer server.Close()
			client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
			require.NoError(t, err)
			params, items := url.Values{"page": {"1"}}, 0
			var numbers []int
			for page, err := range live.Pages[map[string]any](t.Context(), client, "/things", params, live.PageStyle{Number: "page", PerPage: 10}) {
				require.NoError(t, err)
				items += len(page.Items)
				numbers = append(numbers, page.Number)
				assert.Equal(t, 10, page.PerPage)
			}
			assert.Equal(t, list.items, items)
			assert.Equal(t, []int{1, 2, 3}, numbers)
			assert.Equal(t, 3, requests, "and not a fourth one that is empty")
			assert.Equal(t, url.Values{"page": {"1"}}, params, "the caller's own")
		})
	}
}

func TestListThatCannotBeginIsAnErrorThatSaysWhy(t *testing.T) {
	t.Parallel()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"))
	require.NoError(t, err)
	for _, tt := range []struct {
		field  string
		client *salesiq.Client
		params any
		style  live.PageStyle
	}{
		{"client", nil, nil, live.PageAndLimit()},
		{"page style", client, nil, live.PageStyle{}},
		{"page style", client, nil, live.PageStyle{Number: "page", Index: "index"}},
		{"page style", client, nil, live.PageStyle{Number: "page", PerPage: -1}},
		{"page style", client, nil, live.PageStyle{Index: "index", First: -1}},
		{"params", client, func() {}, live.PageAndLimit()},
	} {
		var errs []error
		for _, err := range live.Pages[any](t.Context(), tt.client, "/things", tt.params, tt.style) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1, tt.field)
		var wrong *salesiq.InputError
		require.ErrorAs(t, errs[0], &wrong)
		assert.Equal(t, tt.field, wrong.Field)
		assert.Equal(t, "Pages", wrong.Operation)
	}
}

// leaving is a service whose first two items leave after the first page was read.
func leaving(request, from int, list []int) (status int, body string) {
	if request > 1 {
		list = list[2:]
	}
	return http.StatusOK, told(list, from, 10, "")
}

// leavingTwice is a service of whose first items some leave after the second page was
// read, and as many while a page is read again. Then nothing more changes.
func leavingTwice(items int) func(request, from int, list []int) (status int, body string) {
	return func(request, from int, list []int) (status int, body string) {
		gone := items * min(2, max(0, request-2))
		return http.StatusOK, told(list[gone:], from, 10, "")
	}
}

// told is a page of a list that tells its total.
func told(list []int, from, size int, more string) string {
	return untold(list, from, size, more+fmt.Sprintf(`,"pagination":{"total":%d}`, len(list)))
}

func untold(list []int, from, size int, more string) string {
	var items []string
	for i := from; i < min(len(list), from+size); i++ {
		items = append(items, fmt.Sprintf(`{"id":"%d"}`, list[i]))
	}
	return `{"url":"/things","object":"list","data":[` + strings.Join(items, ",") + `]` + more + `}`
}

func upTo(from, to int) (numbers []int) {
	for n := from; n <= to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}
