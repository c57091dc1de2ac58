package live_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
	number := live.PageStyle{Number: "page", Size: "limit", PerPage: 10}
	index := live.PageStyle{Index: "index", First: 1, Size: "limit", PerPage: 10}
	const notFound = `{"error":{"code":1019,"message":"no such page"}}`
	for _, row := range []struct {
		why    string
		style  live.PageStyle
		serve  func(request, from int, list []int) (status int, body string)
		want   []int
		ending error // Nil for none.
	}{
		{"items leave that were read, by number", number, leaving, upTo(1, 30), nil},
		{"items leave that were read, by index", index, leaving, upTo(1, 30), nil},
		{"an item comes at the start", number, func(request, from int, list []int) (int, string) {
			if request > 1 {
				list = append([]int{100}, list...)
			}
			return http.StatusOK, told(list, from, 10, "")
		}, upTo(1, 30), nil},
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
		{"pages are capped without a word", index, func(_, from int, list []int) (int, string) {
			return http.StatusOK, untold(list, from, 7, "")
		}, upTo(1, 30), nil},
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
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				from, _ := strconv.Atoi(r.URL.Query().Get("index"))
				if page, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
					from = (page-1)*10 + 1
				}
				status, body := row.serve(requests, from-1, upTo(1, 30))
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				w.Write([]byte(body))
			}))
			defer server.Close()
			client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
			require.NoError(t, err)
			var ids []int
			var ending error
			for item, err := range live.All[map[string]any](t.Context(), client, "/things", nil, row.style) {
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
			}
			assert.ElementsMatch(t, row.want, ids)
			assert.LessOrEqual(t, requests, 8)
		})
	}
}

// leaving is a service whose first two items leave after the first page was read.
func leaving(request, from int, list []int) (status int, body string) {
	if request > 1 {
		list = list[2:]
	}
	return http.StatusOK, told(list, from, 10, "")
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
