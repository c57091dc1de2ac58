package salesiq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// pagedChats serves chats c1 to c<total> as the specification has it, perPage
// of them unless the request says otherwise.
func pagedChats(total, perPage int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, size := pageOf(r, perPage)
		answerJSON(http.StatusOK, chatsJSON(number, size, total, true))(w, r)
	}
}

func pageOf(r *http.Request, perPage int) (number, size int) {
	number, size = 1, perPage
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
		number = n
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil {
		size = n
	}
	return number, size
}

// chatsJSON is one page of a list of total chats.
func chatsJSON(number, size, total int, counted bool) string {
	var chats []string
	for i := (number-1)*size + 1; i <= min(total, number*size); i++ {
		chats = append(chats, fmt.Sprintf(`{"id":"c%d"}`, i))
	}
	body := `{"status":"success","data":[` + strings.Join(chats, ",") + `]`
	if counted {
		body += fmt.Sprintf(`,"pagination":{"page":%d,"per_page":%d,"total":%d}`, number, size, total)
	}
	return body + "}"
}

// collect ranges over an iterator and returns the numbers of the chats.
func collect(t testing.TB, client *salesiq.Client, params *salesiq.ChatListParams) []int {
	t.Helper()
	var numbers []int
	for chat, err := range client.Chats.All(t.Context(), params) {
		require.NoError(t, err)
		numbers = append(numbers, numberOf(t, chat))
	}
	return numbers
}

// collectAll is collect for a list that may fail.
func collectAll(t testing.TB, client *salesiq.Client, params *salesiq.ChatListParams) (numbers []int, err error) {
	t.Helper()
	for chat, failure := range client.Chats.All(t.Context(), params) {
		require.NoError(t, err, "nothing follows an error")
		if err = failure; err == nil {
			numbers = append(numbers, numberOf(t, chat))
		}
	}
	return numbers, err
}

func numberOf(t testing.TB, chat *salesiq.Chat) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(chat.ID, "c"))
	require.NoError(t, err)
	return n
}

func upTo(from, to int) (numbers []int) {
	for n := from; n <= to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

func TestListTellsWhereItIs(t *testing.T) {
	t.Parallel()
	client := newAPIRecorder(t, pagedChats(120, 50)).client(t)
	page, err := client.Chats.List(t.Context(), &salesiq.ChatListParams{Page: 3})
	require.NoError(t, err)
	assert.Len(t, page.Items, 20)
	assert.Equal(t, 3, page.Number)
	assert.Equal(t, 50, page.PerPage, "the service's own")
	assert.Equal(t, 120, page.Total)

	page, err = client.Chats.List(t.Context(), &salesiq.ChatListParams{Page: 9, PerPage: 20})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	assert.Equal(t, 9, page.Number)
	assert.Equal(t, 20, page.PerPage)
}

func TestListWithoutPaginationTellsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		number, size := pageOf(r, 50)
		answerJSON(http.StatusOK, chatsJSON(number, size, 30, false))(w, r)
	})
	page, err := api.client(t).Chats.List(t.Context(), &salesiq.ChatListParams{Page: 2, PerPage: 10})
	require.NoError(t, err)
	assert.Equal(t, upTo(11, 20)[0], numberOf(t, &page.Items[0]))
	assert.Equal(t, 2, page.Number)
	assert.Equal(t, 10, page.PerPage)
	assert.Zero(t, page.Total)
}

// The servers that an iterator meets, and what it must make of them.
func TestIteratorsEnd(t *testing.T) {
	t.Parallel()
	type serverPage struct {
		number, size, total int
		counted             bool
	}
	for _, row := range []struct {
		why      string
		params   *salesiq.ChatListParams
		page     func(number, size int) serverPage
		want     []int
		requests int // At most.

		incomplete bool // By the total.
	}{
		{"an empty list", nil,
			func(n, size int) serverPage { return serverPage{n, size, 0, true} }, nil, 1, false},
		{"one short page", nil,
			func(n, size int) serverPage { return serverPage{n, size, 99, true} }, upTo(1, 99), 1, false},
		{"one full page: the total says that it is the last", nil,
			func(n, size int) serverPage { return serverPage{n, size, 100, true} }, upTo(1, 100), 1, false},
		{"several pages, the last one full", nil,
			func(n, size int) serverPage { return serverPage{n, size, 300, true} }, upTo(1, 300), 3, false},
		{"several pages, the last one short", nil,
			func(n, size int) serverPage { return serverPage{n, size, 201, true} }, upTo(1, 201), 3, false},
		{"the caller's first page and page size", &salesiq.ChatListParams{Page: 3, PerPage: 20},
			func(n, size int) serverPage { return serverPage{n, size, 90, true} }, upTo(41, 90), 3, false},
		{"a first page beyond the end", &salesiq.ChatListParams{Page: 9},
			func(n, size int) serverPage { return serverPage{n, size, 90, true} }, nil, 1, false},
		{"a first page that is the last, and short", &salesiq.ChatListParams{Page: 5, PerPage: 20},
			func(n, size int) serverPage { return serverPage{n, size, 90, true} }, upTo(81, 90), 1, false},
		{"pages of one item", &salesiq.ChatListParams{PerPage: 1},
			func(n, size int) serverPage { return serverPage{n, size, 3, true} }, upTo(1, 3), 3, false},
		{"pages of one item, which nobody counts", &salesiq.ChatListParams{PerPage: 1},
			func(n, size int) serverPage { return serverPage{n, size, 3, false} }, upTo(1, 3), 4, false},
		{"an empty first page, although the total promises more", nil,
			func(_, size int) serverPage { return serverPage{100, size, 900, true} }, nil, 1, true},
		{"no pagination, a short last page", nil,
			func(n, size int) serverPage { return serverPage{n, size, 250, false} }, upTo(1, 250), 3, false},
		{"no pagination, a full last page: an empty one follows", nil,
			func(n, size int) serverPage { return serverPage{n, size, 200, false} }, upTo(1, 200), 3, false},
		{"a server that caps the page size and says so", nil,
			func(n, _ int) serverPage { return serverPage{n, 50, 175, true} }, upTo(1, 175), 4, false},
		{"a server that ignores the page number", nil,
			func(_, size int) serverPage { return serverPage{1, size, 100, false} }, upTo(1, 100), 2, false},
		{"a server that ignores the page number and counts", nil,
			func(_, size int) serverPage { return serverPage{1, size, 5000, true} }, upTo(1, 100), 21, true},
		{"pages that go round in a circle", nil,
			func(n, size int) serverPage { return serverPage{(n-1)%3 + 1, size, 300, false} }, upTo(1, 300), 4, false},
		{"a total that is too large: an empty page ends it", &salesiq.ChatListParams{PerPage: 10},
			func(n, size int) serverPage {
				if n > 3 {
					return serverPage{100, size, 900, true}
				}
				return serverPage{n, size, 900, true}
			}, upTo(1, 30), 24, true},
		{"a total that shrinks under way: the page before is read again", &salesiq.ChatListParams{PerPage: 10},
			func(n, size int) serverPage {
				if n > 1 {
					return serverPage{n, size, 25, true}
				}
				return serverPage{n, size, 60, true}
			}, upTo(1, 25), 7, false},
		{"a total that grows under way", &salesiq.ChatListParams{PerPage: 10},
			func(n, size int) serverPage {
				if n > 1 {
					return serverPage{n, size, 45, true}
				}
				return serverPage{n, size, 30, true}
			}, upTo(1, 45), 5, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				p := row.page(pageOf(r, 50))
				answerJSON(http.StatusOK, chatsJSON(p.number, p.size, p.total, p.counted))(w, r)
			})
			numbers, err := collectAll(t, api.client(t), row.params)
			assert.Equal(t, row.want, numbers)
			if row.incomplete {
				require.ErrorIs(t, err, salesiq.ErrIncomplete)
			} else {
				require.NoError(t, err)
			}
			assert.LessOrEqual(t, len(api.requests()), row.requests)
		})
	}
}

// changingList answers as a service whose list changes. Change is called before each
// answer with the number of the request, from 1.
func changingList(list *[]int, change func(request int)) http.HandlerFunc {
	var mu sync.Mutex
	requests := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		change(requests)
		number, size := pageOf(r, 50)
		var chats []string
		for i := (number - 1) * size; i < min(len(*list), number*size); i++ {
			chats = append(chats, fmt.Sprintf(`{"id":"c%d"}`, (*list)[i]))
		}
		answerJSON(http.StatusOK, fmt.Sprintf(`{"status":"success","data":[%s],"pagination":{"page":%d,"per_page":%d,"total":%d}}`,
			strings.Join(chats, ","), number, size, len(*list)))(w, r)
	}
}

func TestItemsThatMoveWhileAListIsReadAreYieldedOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		change func(list []int, request int) []int
		want   []int // Of 30 items, 10 on a page; in any order.
	}{
		{"nothing changes", func(list []int, _ int) []int { return list }, upTo(1, 30)},
		{"items leave that were read", func(list []int, request int) []int {
			if request == 2 {
				return list[3:]
			}
			return list
		}, upTo(1, 30)},
		{"more leave than are on a page", func(list []int, request int) []int {
			if request == 3 {
				return list[12:]
			}
			return list
		}, upTo(1, 30)},
		{"items leave that were not read", func(list []int, request int) []int {
			if request == 2 {
				return list[:25]
			}
			return list
		}, upTo(1, 25)},
		{"items leave while a page is read again", func(list []int, request int) []int {
			if request == 2 || request == 3 {
				return list[2:]
			}
			return list
		}, upTo(1, 30)},
		{"more of them than are on a page", func(list []int, request int) []int {
			if request == 3 || request == 4 {
				return list[6:]
			}
			return list
		}, upTo(1, 30)},
		{"items come at the start", func(list []int, request int) []int {
			if request == 2 || request == 3 {
				return append([]int{100 + request}, list...)
			}
			return list
		}, upTo(1, 30)},
		{"a whole page of them comes at the start", func(list []int, request int) []int {
			if request == 2 {
				return append(upTo(101, 110), list...)
			}
			return list
		}, upTo(1, 30)},
		{"items come at the end", func(list []int, request int) []int {
			if request == 3 {
				return append(list, 31, 32)
			}
			return list
		}, upTo(1, 32)},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			list := upTo(1, 30)
			// A minute of ten calls, so that pages are fetched one by one.
			serve := changingList(&list, func(request int) { list = row.change(list, request) })
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-RateLimit-Limit", "10")
				w.Header().Set("X-RateLimit-Remaining", "9")
				serve(w, r)
			})
			numbers, err := collectAll(t, api.client(t), &salesiq.ChatListParams{PerPage: 10})
			require.NoError(t, err)
			assert.ElementsMatch(t, row.want, numbers)
			assert.LessOrEqual(t, len(api.requests()), 8, "at most twice the pages")
		})
	}
}

func TestAListMayEndOnAPageThatIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why   string
		fails bool
		stop  int // The items that the consumer takes.
		want  []int
	}{
		{"the consumer has enough", false, 12, append(upTo(1, 10), 11, 12)},
		{"the page is refused", true, 30, upTo(1, 10)},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			list := upTo(1, 30)
			var requests atomic.Int32
			serve := changingList(&list, func(request int) {
				if requests.Store(int32(request)); request == 2 {
					list = list[3:]
				}
			})
			api := newAPIRecorder(t, onePageAtATime(func(w http.ResponseWriter, r *http.Request) {
				if requests.Load() == 2 && row.fails {
					answerJSON(http.StatusForbidden, `{"status":"error","code":"PERMISSION_DENIED","message":"Not these"}`)(w, r)
					return
				}
				serve(w, r)
			}))
			var numbers []int
			var failure error
			for chat, err := range api.client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}) {
				if failure = err; err != nil {
					continue // Like a consumer that forgets to stop.
				}
				if numbers = append(numbers, numberOf(t, chat)); len(numbers) == row.stop {
					break
				}
			}
			assert.Equal(t, row.want, numbers)
			assert.Equal(t, row.fails, errors.Is(failure, salesiq.ErrPermissionDenied))
		})
	}
}

func TestItemThatLeavesBeforeEachRequestCausesNoGap(t *testing.T) {
	t.Parallel()
	checkNoGap(t, func(list []int, request int) []int {
		if request > 1 {
			return list[1:]
		}
		return list
	})
}

func TestItemsThatLeaveBetweenPagesThatAreReadAgainCauseNoGap(t *testing.T) {
	t.Parallel()
	checkNoGap(t, func(list []int, request int) []int {
		switch request {
		case 5:
			return list[12:]
		case 7:
			return list[1:]
		}
		return list
	})
}

// checkNoGap checks that a list of 60 items is seen as a whole, ten on a page, while change
// makes it shorter before each request.
func checkNoGap(t *testing.T, change func(list []int, request int) []int) {
	t.Helper()
	list := upTo(1, 60)
	api := newAPIRecorder(t, onePageAtATime(changingList(&list, func(request int) { list = change(list, request) })))
	numbers, err := collectAll(t, api.client(t), &salesiq.ChatListParams{PerPage: 10})
	require.NoError(t, err)
	assert.ElementsMatch(t, upTo(1, 60), numbers)
	assert.LessOrEqual(t, len(api.requests()), 12, "at most twice the pages")
}

// onePageAtATime tells a limit at which pages are fetched one by one.
func onePageAtATime(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "19")
		w.Header().Set("X-RateLimit-Remaining", "18")
		serve(w, r)
	}
}

func TestPageThatIsNotFoundIsTheEndOnlyBehindTheLast(t *testing.T) {
	t.Parallel()
	const gone = `{"status":"error","code":"RESOURCE_NOT_FOUND","message":"No such page"}`
	for _, row := range []struct {
		why     string
		total   int
		counted int // Told as the total; 0 tells none.
		missing int // The first page that is not there.
		status  int
		body    string
		want    []int
		err     error // Nil for none.
	}{
		{"behind the last page", 20, 0, 3, http.StatusNotFound, gone, upTo(1, 20), nil},
		{"no content behind the last page", 20, 0, 3, http.StatusNoContent, "", upTo(1, 20), nil},
		{"although the total promises it", 20, 40, 3, http.StatusNotFound, gone, upTo(1, 20), salesiq.ErrIncomplete},
		{"the first page", 0, 0, 1, http.StatusNotFound, gone, nil, salesiq.ErrResourceNotFound},
		{"a page of a proxy's", 20, 0, 3, http.StatusNotFound, "<h1>Not Found</h1>", upTo(1, 20), salesiq.ErrDecode},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				number, size := pageOf(r, 50)
				if number >= row.missing {
					answerJSON(row.status, row.body)(w, r)
					return
				}
				body := chatsJSON(number, size, row.total, false)
				if row.counted > 0 {
					body = strings.TrimSuffix(body, "}") + fmt.Sprintf(`,"pagination":{"total":%d}}`, row.counted)
				}
				answerJSON(http.StatusOK, body)(w, r)
			})
			numbers, err := collectAll(t, api.client(t), &salesiq.ChatListParams{PerPage: 10})
			assert.Equal(t, row.want, numbers)
			if row.err == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, row.err)
			require.ErrorContains(t, err, "Chats.All")
			said, ok := errors.AsType[*salesiq.Error](err)
			require.True(t, ok)
			assert.Equal(t, row.status, said.StatusCode)
			assert.Equal(t, http.MethodGet, said.Method)
		})
	}
}

func TestListThatEndsBeforeItsTotalSaysSo(t *testing.T) {
	t.Parallel()
	for why, page := range map[string]func(number, size int) (from, to int){
		"an empty page":                 func(number, size int) (int, int) { return (number-1)*size + 1, min(number*size, 25) },
		"the same page again and again": func(_, size int) (int, int) { return 1, size },
		"a total that grew":             func(number, size int) (int, int) { return (number-1)*size + 1, min(number*size, 25) },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				from, to := page(pageOf(r, 50))
				total := 40
				if why == "a total that grew" && from == 1 {
					total = 25
				}
				var chats []string
				for i := from; i <= to; i++ {
					chats = append(chats, fmt.Sprintf(`{"id":"c%d"}`, i))
				}
				answerJSON(http.StatusOK, `{"status":"success","data":[`+strings.Join(chats, ",")+`],"pagination":{"total":`+strconv.Itoa(total)+`}}`)(w, r)
			})
			numbers, err := collectAll(t, api.client(t), &salesiq.ChatListParams{PerPage: 10})
			require.ErrorIs(t, err, salesiq.ErrIncomplete)
			require.ErrorContains(t, err, fmt.Sprintf("Chats.All: the list is incomplete: %d of 40", len(numbers)))
			assert.NotEmpty(t, numbers, "what came before the error counts")
			assert.False(t, salesiq.IsRetryable(err))
			assert.LessOrEqual(t, len(api.requests()), 21)
		})
	}
}

func TestNothingIsLostToACapThatNoTotalTells(t *testing.T) {
	t.Parallel()
	for _, total := range []int{30, 50, 100, 130} {
		api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
			number, _ := pageOf(r, 50)
			answerJSON(http.StatusOK, chatsJSON(number, 50, total, false))(w, r)
		})
		assert.Equal(t, upTo(1, total), collect(t, api.client(t), nil))
		assert.LessOrEqual(t, len(api.requests()), total/50+2)
	}
}

func TestNothingIsLostToACapOnThePageSizeThatNobodyTells(t *testing.T) {
	t.Parallel()
	for why, pagination := range map[string]string{
		"it claims the size that was asked for": `{"page":%d,"per_page":100,"total":275}`,
		"it gives the total alone":              `{"total":275}`,
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				number, _ := pageOf(r, 50)
				block := strings.ReplaceAll(pagination, "%d", strconv.Itoa(number))
				answerJSON(http.StatusOK, strings.TrimSuffix(chatsJSON(number, 50, 275, false), "}")+`,"pagination":`+block+`}`)(w, r)
			})
			assert.Equal(t, upTo(1, 275), collect(t, api.client(t), nil))
			assert.Len(t, api.requests(), 6)
		})
	}
}

// What a server says about its pages is not believed against what is on them.
func TestNothingIsLostToPaginationThatCannotBeTrue(t *testing.T) {
	t.Parallel()
	for why, block := range map[string]string{
		"a total that nobody counted":    `{"page":%d,"per_page":100,"total":-1}`,
		"nothing was counted":            `{"page":-1,"per_page":-1,"total":-1}`,
		"a total of pages":               `{"page":%d,"per_page":100,"total":3}`,
		"a total that is left behind":    `{"page":%d,"per_page":100,"total":150}`,
		"a total that cannot be rounded": `{"page":%d,"per_page":100,"total":9223372036854775807}`,
		"a total without a page size":    `{"page":%d,"per_page":-1,"total":275}`,
		"numbers as text":                `{"page":"%d","per_page":"100","total":"275"}`,
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				number, _ := pageOf(r, 50)
				told := strings.ReplaceAll(block, "%d", strconv.Itoa(number))
				answerJSON(http.StatusOK, strings.TrimSuffix(chatsJSON(number, 100, 275, false), "}")+`,"pagination":`+told+`}`)(w, r)
			})
			client := api.client(t)
			assert.Equal(t, upTo(1, 275), collect(t, client, nil))
			page, err := client.Chats.List(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, 1, page.Number)
			assert.Positive(t, page.PerPage)
			assert.GreaterOrEqual(t, page.Total, 0, "0 where the service does not tell")
		})
	}
}

func TestFetchingAheadLeavesMostOfASmallPlanAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		plan     salesiq.Plan
		requests int // Those for the first page and one item of the second.
	}{{salesiq.Free(), 2}, {salesiq.Basic(), 3}, {salesiq.Professional(), 6}, {salesiq.Enterprise(), 11}} {
		synctest.Test(t, func(t *testing.T) {
			network := fakeChats(3000)
			client, err := salesiq.NewClient(salesiq.StaticToken(testToken), salesiq.WithBaseURL("http://127.0.0.1:1"),
				salesiq.WithHTTPClient(&http.Client{Transport: network}), salesiq.WithPlan(row.plan))
			require.NoError(t, err)
			seen := 0
			for _, err := range client.Chats.All(t.Context(), nil) {
				require.NoError(t, err)
				if seen++; seen == 101 {
					break
				}
			}
			assert.LessOrEqual(t, len(network.started), row.requests+1, "%d calls a minute", row.plan.CallsPerMinute)
		})
	}
}

func TestIteratorsCanBeRangedOverAgain(t *testing.T) {
	t.Parallel()
	client := newAPIRecorder(t, pagedChats(30, 10)).client(t)
	params := &salesiq.ChatListParams{PerPage: 10}
	chats := client.Chats.All(t.Context(), params)
	for range 2 {
		var numbers []int
		for chat, err := range chats {
			require.NoError(t, err)
			numbers = append(numbers, numberOf(t, chat))
		}
		assert.Equal(t, upTo(1, 30), numbers)
	}
	for _, err := range chats {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, &salesiq.ChatListParams{PerPage: 10}, params, "the caller's params are the caller's")
}

func TestWhoeverStopsOnTheFirstPagePaysForOnePage(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, pagedChats(1000, 100))
	seen := 0
	for _, err := range api.client(t).Chats.All(t.Context(), nil) {
		require.NoError(t, err)
		seen++
		if seen == 100 {
			break
		}
	}
	assert.Len(t, api.requests(), 1)
}

func TestEachItemIsItsOwn(t *testing.T) {
	t.Parallel()
	client := newAPIRecorder(t, pagedChats(3, 10)).client(t)
	var kept []*salesiq.Chat
	for chat, err := range client.Chats.All(t.Context(), nil) {
		require.NoError(t, err)
		kept = append(kept, chat)
	}
	assert.Equal(t, "c1", kept[0].ID)
	assert.Equal(t, "c3", kept[2].ID)
}

func TestIteratorsYieldOneErrorAndStop(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		if number, size := pageOf(r, 10); number != 3 {
			answerJSON(http.StatusOK, chatsJSON(number, size, 80, true))(w, r)
			return
		}
		answerJSON(http.StatusForbidden, `{"status":"error","code":"PERMISSION_DENIED","message":"Not these"}`)(w, r)
	})
	var numbers []int
	var failures []error
	for chat, err := range api.client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}) {
		if err != nil {
			assert.Nil(t, chat)
			failures = append(failures, err)
			continue // Like a consumer that forgets to stop.
		}
		numbers = append(numbers, numberOf(t, chat))
	}
	assert.Equal(t, upTo(1, 20), numbers, "what came before the error counts")
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0], salesiq.ErrPermissionDenied)
	require.NotErrorIs(t, failures[0], salesiq.ErrIncomplete)
	assert.ErrorContains(t, failures[0], "Chats.All")
}

// fakeNetwork answers requests within this process, so that its delays can be
// virtual.
type fakeNetwork struct {
	answer func(r *http.Request) (status int, body string)
	delay  func(r *http.Request) time.Duration

	mu             sync.Mutex
	inFlight, peak int
	started        []string // Their request URIs.
}

func (n *fakeNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.inFlight++
	n.peak = max(n.peak, n.inFlight)
	n.started = append(n.started, r.URL.RequestURI())
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.inFlight--
		n.mu.Unlock()
	}()
	select {
	case <-time.After(n.delay(r)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status, body := n.answer(r)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

func (n *fakeNetwork) client(t testing.TB) *salesiq.Client {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.StaticToken(testToken),
		salesiq.WithBaseURL("http://127.0.0.1:1"), salesiq.WithHTTPClient(&http.Client{Transport: n}), salesiq.WithMaxAttempts(1))
	require.NoError(t, err)
	return client
}

func randomDelay(*http.Request) time.Duration {
	return time.Duration(1+rand.IntN(2000)) * time.Millisecond
}

func fakeChats(total int) *fakeNetwork {
	return &fakeNetwork{delay: randomDelay, answer: func(r *http.Request) (int, string) {
		number, size := pageOf(r, 50)
		return http.StatusOK, chatsJSON(number, size, total, true)
	}}
}

// synctest fails a test whose goroutines outlive it.
func TestFetchingAheadKeepsTheOrderAndTheLimit(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			network := fakeChats(500)
			start := time.Now()
			assert.Equal(t, upTo(1, 500), collect(t, network.client(t), &salesiq.ChatListParams{PerPage: 10}))
			assert.LessOrEqual(t, network.peak, 10)
			assert.Greater(t, network.peak, 5, "pages are fetched ahead")
			assert.Less(t, time.Since(start), 30*time.Second, "50 pages of a second each, one by one, would take 50")
			assert.Len(t, network.started, 50, "no page twice, none too many")
		})
	}
}

func TestStoppingEarlyLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, stopAt := range []int{1, 10, 11, 25, 499} {
		synctest.Test(t, func(t *testing.T) {
			network := fakeChats(1000)
			seen := 0
			for _, err := range network.client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}) {
				require.NoError(t, err)
				seen++
				if seen == stopAt {
					break
				}
			}
			synctest.Wait()
			assert.Zero(t, network.inFlight, "what was under way is canceled")
			made := len(network.started)
			needed := (stopAt + 9) / 10
			if needed == 1 {
				assert.Equal(t, 1, made)
			}
			assert.LessOrEqual(t, made, needed+20)
			time.Sleep(time.Hour)
			assert.Len(t, network.started, made, "no request after the consumer stopped")
		})
	}
}

func TestAConsumerThatPanicsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakeChats(1000)
		seen := 0
		assert.Panics(t, func() {
			for _, err := range network.client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}) {
				assert.NoError(t, err)
				seen++
				if seen == 15 {
					panic("on page two")
				}
			}
		})
		synctest.Wait()
		assert.Zero(t, network.inFlight)
	})
}

func TestWhatPanicsAheadOfTheConsumerIsTheConsumersToRecover(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){"panic": func() { panic("in a transport") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := transcriptNetwork()
				answer := network.answer
				network.answer = func(r *http.Request) (int, string) {
					if strings.Contains(r.URL.Path, "worst") {
						end()
					}
					return answer(r)
				}
				client := network.client(t)
				var recovered any
				returned, done := false, make(chan struct{})
				go func() {
					defer close(done)
					defer func() { recovered = recover() }()
					transcriptsOf(client.Chats.Transcripts(t.Context(), chatsOf("a", "b", "worst", "c")))
					returned = true
				}()
				<-done
				assert.False(t, returned)
				assert.Equal(t, name == "panic", recovered == "in a transport")
			})
		})
	}
}

func TestCancellingEndsAnIteratorWithThatError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakeChats(1000)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errors.New("enough"))
		defer cancel()
		var failures []error
		start := time.Now()
		for _, err := range network.client(t).Chats.All(ctx, &salesiq.ChatListParams{PerPage: 10}) {
			if err != nil {
				failures = append(failures, err)
			} else {
				time.Sleep(10 * time.Millisecond)
			}
		}
		require.Len(t, failures, 1)
		require.ErrorIs(t, failures[0], context.DeadlineExceeded)
		requireOneLine(t, failures[0])
		// Twenty pages may be here already, each good for a tenth of a second.
		assert.LessOrEqual(t, time.Since(start), 7500*time.Millisecond)
		assert.Zero(t, network.inFlight)
	})
}

func TestACancelledContextMakesNoRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	network := fakeChats(10)
	var failures []error
	for _, err := range network.client(t).Chats.All(ctx, nil) {
		failures = append(failures, err)
	}
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0], context.Canceled)
	assert.Empty(t, network.started)
}

func transcriptNetwork() *fakeNetwork {
	return &fakeNetwork{delay: randomDelay, answer: func(r *http.Request) (int, string) {
		id := strings.Split(r.URL.Path, "/")[4]
		if strings.HasPrefix(id, "lost") {
			return http.StatusNotFound, `{"status":"error","code":"RESOURCE_NOT_FOUND","message":"No such chat"}`
		}
		return http.StatusOK, `{"status":"success","data":[{"id":"of-` + id + `"}]}`
	}}
}

// chatsOf yields chats of which only the ids are known.
func chatsOf(ids ...string) iter.Seq2[*salesiq.Chat, error] {
	return func(yield func(*salesiq.Chat, error) bool) {
		for _, id := range ids {
			if !yield(&salesiq.Chat{ID: id}, nil) {
				return
			}
		}
	}
}

func transcriptsOf(results iter.Seq[salesiq.TranscriptResult]) []salesiq.TranscriptResult {
	return slices.Collect(results)
}

func TestTranscriptsComeInOrderEachWithItsOwnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for i := range 200 {
			id := strconv.Itoa(i)
			switch i % 10 {
			case 3:
				id = "lost" + id
			case 7:
				id = ".."
			}
			ids = append(ids, id)
		}
		network := transcriptNetwork()
		results := transcriptsOf(network.client(t).Chats.Transcripts(t.Context(), chatsOf(ids...)))
		require.Len(t, results, len(ids))
		for i, result := range results {
			assert.Equal(t, ids[i], result.ChatID)
			switch i % 10 {
			case 3:
				require.ErrorIs(t, result.Err, salesiq.ErrResourceNotFound)
				assert.Nil(t, result.Chat)
			case 7:
				require.ErrorIs(t, result.Err, salesiq.ErrInvalidInput)
			default:
				require.NoError(t, result.Err)
				assert.Equal(t, "of-"+ids[i], result.Chat.Transcript[0].ID)
			}
		}
		assert.LessOrEqual(t, network.peak, 10)
		assert.Greater(t, network.peak, 5)
		assert.Len(t, network.started, 180)
	})
}

func TestTranscriptsEndWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ids := make([]string, 500)
		for i := range ids {
			ids[i] = strconv.Itoa(i)
		}
		network := transcriptNetwork()
		start := time.Now()
		results := transcriptsOf(network.client(t).Chats.Transcripts(ctx, chatsOf(ids...)))
		assert.LessOrEqual(t, time.Since(start), 11*time.Second)
		require.Len(t, results, len(ids), "every id has its result")
		require.NoError(t, results[0].Err)
		require.ErrorIs(t, results[499].Err, context.DeadlineExceeded)
		assert.Less(t, len(network.started), 150, "what is missing is not tried")
		assert.Zero(t, network.inFlight)
	})
}

func TestNoTranscriptsIsNoRequest(t *testing.T) {
	t.Parallel()
	network := transcriptNetwork()
	assert.Empty(t, transcriptsOf(network.client(t).Chats.Transcripts(t.Context(), chatsOf())))
	assert.Empty(t, network.started)
}

func TestTranscriptsThatAreThereAreNotAskedFor(t *testing.T) {
	t.Parallel()
	network := transcriptNetwork()
	gone := errors.New("the list is gone")
	chats := func(yield func(*salesiq.Chat, error) bool) {
		_ = yield(&salesiq.Chat{ID: "a", Transcript: []salesiq.Message{{ID: "kept"}}}, nil) &&
			yield(&salesiq.Chat{ID: "silent", Transcript: []salesiq.Message{}}, nil) &&
			yield(&salesiq.Chat{ID: "b"}, nil) && yield(nil, nil) && yield(nil, gone)
	}
	results := transcriptsOf(network.client(t).Chats.Transcripts(t.Context(), chats))
	require.Len(t, results, 5)
	assert.Equal(t, "kept", results[0].Chat.Transcript[0].ID)
	assert.Empty(t, results[1].Chat.Transcript)
	assert.Equal(t, "of-b", results[2].Chat.Transcript[0].ID)
	require.ErrorIs(t, results[3].Err, salesiq.ErrInvalidInput)
	assert.Equal(t, salesiq.TranscriptResult{Err: gone}, results[4])
	assert.Len(t, network.started, 1)

	results = transcriptsOf(network.client(t).Chats.Transcripts(t.Context(), nil))
	require.Len(t, results, 1)
	require.ErrorIs(t, results[0].Err, salesiq.ErrInvalidInput)
}

func TestTranscriptsComeWhileOthersAreFetched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ids := make([]string, 1000)
		for i := range ids {
			ids[i] = strconv.Itoa(i)
		}
		network := transcriptNetwork()
		chat := &salesiq.Chat{ID: "first"}
		chats := func(yield func(*salesiq.Chat, error) bool) {
			if yield(chat, nil) {
				chatsOf(ids...)(yield)
			}
		}
		for result := range network.client(t).Chats.Transcripts(t.Context(), chats) {
			require.NoError(t, result.Err)
			assert.Equal(t, "of-first", result.Chat.Transcript[0].ID)
			assert.Nil(t, chat.Transcript, "the caller's own is not changed")
			break
		}
		assert.LessOrEqual(t, len(network.started), 21, "no further ahead than the pages of a list")
	})
}

func TestOpenChatsAreThoseThatWaitAndThoseThatGoOn(t *testing.T) {
	t.Parallel()
	lists := map[string]string{
		"waiting": `{"id":"c1","status":"waiting"},{"id":"c2","status":"waiting"}`,
		"active":  `{"id":"c3","status":"active"},{"id":"c2","status":"active"}`, // c2 was picked up meanwhile.
	}
	network := &fakeNetwork{delay: func(*http.Request) time.Duration { return 0 }, answer: func(r *http.Request) (int, string) {
		if r.URL.Query().Get("operator_id") == "none" {
			return http.StatusForbidden, `{"status":"error","code":"PERMISSION_DENIED"}`
		}
		return http.StatusOK, `{"status":"success","data":[` + lists[r.URL.Query().Get("status")] + `],"pagination":{"page":1,"per_page":100,"total":2}}`
	}}
	client := network.client(t)
	open := func(params *salesiq.ChatListParams) (got []string, err error) {
		for chat, err := range client.Chats.AllOpen(t.Context(), params) {
			if err != nil {
				return got, err
			}
			got = append(got, chat.ID+" "+string(chat.Status))
		}
		return got, nil
	}
	got, err := open(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"c1 waiting", "c2 waiting", "c3 active"}, got)
	got, err = open(&salesiq.ChatListParams{Status: salesiq.ChatActive})
	require.NoError(t, err)
	assert.Equal(t, []string{"c3 active", "c2 active"}, got)
	_, err = open(&salesiq.ChatListParams{OperatorID: "none"})
	require.ErrorIs(t, err, salesiq.ErrPermissionDenied)
	require.ErrorContains(t, err, "Chats.AllOpen")
	assert.Len(t, network.started, 4, "the second list is not asked for")
	_, err = open(&salesiq.ChatListParams{OperatorID: "none", Status: salesiq.ChatActive})
	require.ErrorContains(t, err, "Chats.AllOpen")
	_, err = open(&salesiq.ChatListParams{Page: -1})
	require.ErrorContains(t, err, "Chats.AllOpen")
	for chat, err := range client.Chats.AllOpen(t.Context(), nil) {
		require.NoError(t, err)
		assert.Equal(t, "c1", chat.ID)
		break
	}
}

// exportNetwork has chats of all states, of which one has no transcript.
func exportNetwork(answer func(r *http.Request, id string) (int, string)) *fakeNetwork {
	return &fakeNetwork{delay: randomDelay, answer: func(r *http.Request) (int, string) {
		if r.URL.Path != "/api/v2/chats" {
			return answer(r, strings.Split(r.URL.Path, "/")[4])
		}
		var chats []string
		for i := range 40 {
			status := []string{"ended", "active", "missed", "waiting"}[i%4]
			chats = append(chats, fmt.Sprintf(`{"id":"c%d","status":%q,"started_at":"2026-11-%02dT00:00:00Z"}`, i, status, 1+i/4))
		}
		return http.StatusOK, `{"status":"success","data":[` + strings.Join(chats, ",") + `],"pagination":{"page":1,"per_page":100,"total":40}}`
	}}
}

func TestAnExportHasWhatIsOverAndMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := exportNetwork(func(_ *http.Request, id string) (int, string) {
			if id == "c4" {
				return http.StatusNotFound, `{"status":"error","code":"RESOURCE_NOT_FOUND","message":"No such chat"}`
			}
			return http.StatusOK, `{"status":"success","data":[{"id":"of-` + id + `"}]}`
		})
		params := &salesiq.ChatListParams{ToDate: time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)}
		stored := map[string]bool{"c0": true}
		export := func() (got []string, failures []error) {
			var list salesiq.Response
			has := func(id string) (bool, error) { return stored[id], nil }
			for result := range network.client(t).Chats.Export(t.Context(), params, has, salesiq.WithResponse(&list)) {
				assert.Equal(t, 40, list.Total, "that of the list")
				if result.Err != nil {
					failures = append(failures, result.Err)
					continue
				}
				assert.Equal(t, "of-"+result.ChatID, result.Chat.Transcript[0].ID)
				got = append(got, result.ChatID)
				stored[result.ChatID] = true
			}
			return got, failures
		}
		got, failures := export()
		assert.Equal(t, strings.Fields("c2 c6 c8 c10 c12 c14 c16 c18 c20 c22 c24 c26 c28 c30"), got, "over, not stored, begun before ToDate")
		require.Len(t, failures, 1)
		require.ErrorIs(t, failures[0], salesiq.ErrResourceNotFound)
		require.ErrorContains(t, failures[0], `chat "c4": salesiq: Chats.Transcript: `)
		assert.Len(t, network.started, 1+15)

		got, failures = export()
		assert.Empty(t, got)
		assert.Len(t, failures, 1)
		assert.Len(t, network.started, 1+15+1+1, "the next one asks for the list, and for what has failed")
		assert.Len(t, transcriptsOf(network.client(t).Chats.Export(t.Context(), nil, nil)), 20, "nothing is stored, and all dates are good")
	})
}

func TestAnExportEndsWithWhatWouldMeetAllChats(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is away")
	for name, row := range map[string]struct {
		status  int
		body    string
		stored  func(string) (bool, error)
		want    error
		results int
	}{
		"an outage":         {status: 503, results: 5},
		"too many calls":    {status: 429, want: salesiq.ErrRateLimitExceeded, results: 1},
		"no scope":          {status: 403, body: `{"status":"error","code":"INVALID_OAUTH_SCOPE"}`, want: salesiq.ErrInvalidOAuthScope, results: 1},
		"no token":          {status: 401, body: `{"status":"error","code":"INVALID_TOKEN"}`, want: salesiq.ErrInvalidToken, results: 1},
		"the store":         {stored: func(string) (bool, error) { return false, broken }, want: broken, results: 1},
		"one chat by one":   {status: 403, body: `{"status":"error","code":"PERMISSION_DENIED"}`, want: salesiq.ErrPermissionDenied, results: 20},
		"one by one, gone":  {status: 404, want: salesiq.ErrResourceNotFound, results: 20},
		"each one is wrong": {status: 200, body: `no JSON`, want: salesiq.ErrDecode, results: 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := exportNetwork(func(*http.Request, string) (int, string) { return row.status, row.body })
				results := transcriptsOf(network.client(t).Chats.Export(t.Context(), nil, row.stored))
				require.Len(t, results, row.results)
				for _, result := range results {
					assert.Nil(t, result.Chat)
					if row.want == nil {
						assert.Equal(t, salesiq.ErrInternalError, salesiq.KindOf(result.Err))
						continue
					}
					require.ErrorIs(t, result.Err, row.want)
				}
				assert.Zero(t, network.inFlight)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		network := exportNetwork(func(_ *http.Request, id string) (int, string) {
			return http.StatusOK, `{"status":"success","data":[{"id":"of-` + id + `"}]}`
		})
		network.delay = func(r *http.Request) time.Duration {
			if r.URL.Path == "/api/v2/chats" || strings.Contains(r.URL.Path, "/c0/") {
				return time.Millisecond
			}
			return time.Minute
		}
		for result := range network.client(t).Chats.Export(ctx, &salesiq.ChatListParams{}, nil, salesiq.WithCallAttempts(1)) {
			if n++; n == 1 {
				require.NoError(t, result.Err)
				cancel()
				continue
			}
			require.ErrorIs(t, result.Err, context.Canceled)
		}
		assert.Equal(t, 2, n)
		stopped := transcriptsOf(network.client(t).Chats.Export(ctx, nil, nil))
		require.Len(t, stopped, 1)
		require.ErrorIs(t, stopped[0].Err, context.Canceled)
	})
}

func TestTotalOfAListIsKnownFromItsFirstItemOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var response salesiq.Response
		n := 0
		for _, err := range fakeChats(250).client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}, salesiq.WithResponse(&response)) {
			require.NoError(t, err)
			assert.Equal(t, 250, response.Total)
			n++
		}
		assert.Equal(t, 250, n)
	})
}

// Two iterators of one client share its ten requests.
func TestIteratorsShareTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakeChats(300)
		client := network.client(t)
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() {
				assert.Equal(t, upTo(1, 300), collect(t, client, &salesiq.ChatListParams{PerPage: 10}))
			})
		}
		running.Wait()
		assert.LessOrEqual(t, network.peak, 10)
	})
}
