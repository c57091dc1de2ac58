package salesiq_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// cached runs a test in virtual time, against a server in memory.
func cached(t *testing.T, cache salesiq.Cache, test func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.InMemory())
		test(t, server, server.Client(t, salesiq.WithCache(cache)))
	})
}

// calls counts what reached the server of one kind.
func calls(server *salesiqtest.Server, pattern string) int {
	return server.Stats().Calls[pattern].Processed
}

const (
	listOperators = "GET /api/v2/operators"
	getOperator   = "GET /api/v2/operators/{operator_id}"
)

func TestWhatRarelyChangesIsAskedOnce(t *testing.T) {
	t.Parallel()
	for pattern, read := range map[string]func(ctx context.Context, c *salesiq.Client) error{
		listOperators: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
		getOperator:   func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Get(ctx, "operator456")) },
		"GET /api/v2/brands": func(ctx context.Context, c *salesiq.Client) error {
			for _, err := range c.Brands.All(ctx, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"GET /api/v2/brands/{brand_id}": func(ctx context.Context, c *salesiq.Client) error { return second(c.Brands.Get(ctx, "brand123")) },
		"GET /api/v2/brands/{brand_id}/departments": func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Brands.Departments(ctx, "brand123"))
		},
		"GET /api/v2/routing/rules": func(ctx context.Context, c *salesiq.Client) error { return second(c.Routing.List(ctx, nil)) },
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
				for range 3 {
					require.NoError(t, read(t.Context(), client))
				}
				assert.Equal(t, 1, calls(server, pattern))

				time.Sleep(5*time.Minute - time.Millisecond)
				require.NoError(t, read(t.Context(), client))
				assert.Equal(t, 1, calls(server, pattern), "the answer is not old yet")

				time.Sleep(time.Millisecond)
				require.NoError(t, read(t.Context(), client))
				assert.Equal(t, 2, calls(server, pattern), "the answer is too old")
			})
		})
	}
}

func TestWhatChangesByTheMinuteIsNotKeptUnlessAsked(t *testing.T) {
	t.Parallel()
	reads := map[string]func(ctx context.Context, c *salesiq.Client) error{
		"GET /api/v2/chats":                 func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.List(ctx, nil)) },
		"GET /api/v2/chats/{chat_id}":       func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.Get(ctx, "chat123")) },
		"GET /api/v2/visitors":              func(ctx context.Context, c *salesiq.Client) error { return second(c.Visitors.List(ctx, nil)) },
		"GET /api/v2/visitors/{visitor_id}": func(ctx context.Context, c *salesiq.Client) error { return second(c.Visitors.Get(ctx, "visitor123")) },
	}
	for pattern, read := range reads {
		for _, asked := range []bool{false, true} {
			t.Run(pattern, func(t *testing.T) {
				t.Parallel()
				cached(t, salesiq.Cache{Chats: asked, Visitors: asked}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
					for range 3 {
						require.NoError(t, read(t.Context(), client))
					}
					assert.Equal(t, map[bool]int{false: 3, true: 1}[asked], calls(server, pattern))
				})
			})
		}
	}
}

func TestStatisticsAreNotKept(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		for range 2 {
			require.NoError(t, second(client.Operators.Stats(t.Context(), "operator456", nil)))
		}
		assert.Equal(t, 2, calls(server, "GET /api/v2/operators/{operator_id}/stats"))
	})
}

func TestDepartmentsOfTheLiveServiceAreKept(t *testing.T) {
	t.Parallel()
	var asked, operators atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/departments"):
			asked.Add(1)
		case strings.HasSuffix(r.URL.Path, "/operators"):
			operators.Add(1)
		}
		answerJSON(http.StatusOK, `{"data":[]}`)(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithPortal("nordlicht"),
		salesiq.WithBaseURL(server.URL), salesiq.WithCache(salesiq.Cache{}))
	require.NoError(t, err)
	read := func() {
		for range 2 {
			require.NoError(t, client.Do(t.Context(), http.MethodGet, "/api/v2/nordlicht/departments", nil, nil))
			require.NoError(t, second(client.Operators.List(t.Context(), nil)))
		}
	}
	read()
	assert.EqualValues(t, 1, asked.Load())
	require.NoError(t, client.Do(t.Context(), http.MethodPut, "/api/v2/nordlicht/departments/7", map[string]string{"name": "Repairs"}, nil))
	read()
	assert.EqualValues(t, 2, asked.Load())
	assert.EqualValues(t, 1, operators.Load(), "they have nothing to do with it")
}

func TestOtherQueriesAreOtherAnswers(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client) {
		online, err := client.Operators.List(t.Context(), &salesiq.OperatorListParams{Status: salesiq.OperatorOnline})
		require.NoError(t, err)
		offline, err := client.Operators.List(t.Context(), &salesiq.OperatorListParams{Status: salesiq.OperatorOffline})
		require.NoError(t, err)
		assert.NotEqual(t, online.Items, offline.Items)
	})
}

func TestNobodyChangesTheValuesOfOthers(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client) {
		var first, again salesiq.Response
		operator, err := client.Operators.Get(t.Context(), "operator456", salesiq.WithResponse(&first))
		require.NoError(t, err)
		operator.Name, operator.Skills[0] = "Somebody else", "Juggling"
		clear(first.Header)
		clear(first.Body)

		operator, err = client.Operators.Get(t.Context(), "operator456", salesiq.WithResponse(&again))
		require.NoError(t, err)
		assert.Equal(t, "Greta Sommer", operator.Name)
		assert.Equal(t, []string{"Sales"}, operator.Skills)
		assert.NotEmpty(t, again.Header)
		assert.Equal(t, 1, first.Attempts)
		assert.Zero(t, again.Attempts, "it was not asked for")
		assert.False(t, again.RateWindow.Known, "what it said about the rate limit is over")
	})
}

func TestOwnWritesAreSeen(t *testing.T) {
	t.Parallel()
	pause := &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorAway)}
	for name, row := range map[string]struct {
		write func(ctx context.Context, c *salesiq.Client) error
		read  func(ctx context.Context, c *salesiq.Client) error
		kept  bool
	}{
		"an operator in the lists": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Operators.Update(ctx, "operator456", pause))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
		},
		"that operator": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Operators.Update(ctx, "operator456", pause))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Get(ctx, "operator456")) },
		},
		"not the others": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Operators.Update(ctx, "operator456", pause))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Get(ctx, "operator789")) },
			kept: true,
		},
		"a new operator": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{Name: "Ebba", Email: "ebba@nordlicht.example", Role: salesiq.RoleAgent}))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
		},
		"a brand's departments": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Brands.Update(ctx, "brand123", &salesiq.BrandUpdate{Name: salesiq.Set("Südlicht")}))
			},
			read: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Brands.Departments(ctx, "brand123"))
			},
		},
		"a rule that is gone": {
			write: func(ctx context.Context, c *salesiq.Client) error { return c.Routing.Delete(ctx, "rule124") },
			read:  func(ctx context.Context, c *salesiq.Client) error { return second(c.Routing.List(ctx, nil)) },
		},
		"an operator's chats, after a transfer": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Chats.Transfer(ctx, "chat123", &salesiq.ChatTransfer{OperatorID: "operator789"}))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Get(ctx, "operator789")) },
		},
		"a message changes no operator": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Chats.SendMessage(ctx, "chat123", salesiq.TextMessage("Hello!")))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
			kept: true,
		},
		"a webhook concerns nothing": {
			write: func(ctx context.Context, c *salesiq.Client) error { return c.Webhooks.Delete(ctx, "webhook123") },
			read:  func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
			kept:  true,
		},
		"a chat that was kept": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Chats.SendMessage(ctx, "chat123", salesiq.TextMessage("Hello!")))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.Get(ctx, "chat123")) },
		},
		"a visitor who was kept": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return second(c.Visitors.Tag(ctx, "visitor123", []string{"vip"}))
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Visitors.Get(ctx, "visitor123")) },
		},
		"a write without a method of its own": {
			write: func(ctx context.Context, c *salesiq.Client) error {
				return c.Do(ctx, http.MethodPatch, "operators/operator456", pause, nil)
			},
			read: func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.List(ctx, nil)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cached(t, salesiq.Cache{Chats: true, Visitors: true}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
				require.NoError(t, row.read(t.Context(), client))
				require.NoError(t, row.write(t.Context(), client))
				before := server.Stats().Processed
				require.NoError(t, row.read(t.Context(), client))
				assert.Equal(t, row.kept, server.Stats().Processed == before)
			})
		})
	}
}

func TestAWriteThatMayHaveFailedIsSeen(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
		require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPatch, Effect: salesiqtest.ResetConnection, Processed: true}))
		_, err := client.Operators.Update(t.Context(), "operator456", &salesiq.OperatorUpdate{Name: salesiq.Set("Greta Winter")})
		require.ErrorIs(t, err, salesiq.ErrMaybeProcessed)

		operator, err := client.Operators.Get(t.Context(), "operator456")
		require.NoError(t, err)
		assert.Equal(t, "Greta Winter", operator.Name)
	})
}

func TestAnAnswerOlderThanAWriteIsNotKept(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, second(client.Brands.List(t.Context(), nil))) // The very first call goes alone.
		// The answer is made at once, and takes a while to arrive.
		require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodGet, Effect: salesiqtest.TrickleBody, Pause: time.Millisecond}))
		var reading sync.WaitGroup
		reading.Go(func() {
			operator, err := client.Operators.Get(t.Context(), "operator456")
			assert.NoError(t, err)
			assert.Equal(t, "Greta Sommer", operator.Name)
		})
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, second(client.Operators.Update(t.Context(), "operator456", &salesiq.OperatorUpdate{Name: salesiq.Set("Greta Winter")})))

		operator, err := client.Operators.Get(t.Context(), "operator456")
		require.NoError(t, err)
		assert.Equal(t, "Greta Winter", operator.Name, "the call did not join one from before the write")
		reading.Wait()
		operator, err = client.Operators.Get(t.Context(), "operator456")
		require.NoError(t, err)
		assert.Equal(t, "Greta Winter", operator.Name, "the older answer did not replace the newer one")
	})
}

func TestCallsThatMeetAreSentOnce(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Latency: time.Second}))
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				page, err := client.Operators.List(t.Context(), nil)
				assert.NoError(t, err)
				assert.Len(t, page.Items, 14)
			})
		}
		callers.Wait()
		assert.Equal(t, 1, calls(server, listOperators))
	})
}

func TestACallerWhoLeavesFailsNobodyElse(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Latency: 10 * time.Second}))
		first, leave := context.WithTimeout(t.Context(), 3*time.Second)
		defer leave()
		began := time.Now()
		var callers sync.WaitGroup
		callers.Go(func() {
			_, err := client.Operators.List(first, nil)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 3*time.Second, time.Since(began))
		})
		callers.Go(func() {
			time.Sleep(time.Second)
			_, err := client.Operators.List(t.Context(), nil)
			assert.NoError(t, err)
			assert.Equal(t, 10*time.Second, time.Since(began))
		})
		callers.Wait()
		assert.Equal(t, 1, calls(server, listOperators))
	})
}

func TestTheLastCallerTakesTheRequestAlong(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Latency: time.Hour}))
		reason := errors.New("changed my mind")
		ctx, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { leave(reason) })
		_, err := client.Operators.List(ctx, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, reason)
		synctest.Wait()
		assert.Zero(t, calls(server, listOperators), "nobody waits for it, so it was given up")

		require.NoError(t, second(client.Operators.List(t.Context(), nil)), "the next call begins anew")
	})
}

func TestFreshBypassesAndRenews(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		other := server.Client(t) // The cache does not hear of its writes.
		name := func(opts ...salesiq.CallOption) string {
			operator, err := client.Operators.Get(t.Context(), "operator456", opts...)
			require.NoError(t, err)
			return operator.Name
		}
		assert.Equal(t, "Greta Sommer", name())
		require.NoError(t, second(other.Operators.Update(t.Context(), "operator456", &salesiq.OperatorUpdate{Name: salesiq.Set("Greta Winter")})))
		assert.Equal(t, "Greta Sommer", name())
		assert.Equal(t, "Greta Winter", name(salesiq.WithFresh()))
		assert.Equal(t, "Greta Winter", name())
		assert.Equal(t, 2, calls(server, getOperator))
	})
}

func TestFreshDoesNotJoinAnEarlierCall(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, second(client.Brands.List(t.Context(), nil))) // The very first call goes alone.
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Latency: time.Second}))
		var callers sync.WaitGroup
		callers.Go(func() { assert.NoError(t, second(client.Operators.List(t.Context(), nil))) })
		callers.Go(func() {
			time.Sleep(time.Millisecond)
			began := time.Now()
			assert.NoError(t, second(client.Operators.List(t.Context(), nil, salesiq.WithFresh())))
			assert.Less(t, time.Since(began), time.Second)
		})
		callers.Wait()
		assert.Equal(t, 2, calls(server, listOperators))
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]salesiqtest.Fault{
		"a refusal":                      {Status: http.StatusForbidden},
		"a success that is an error":     {Body: `{"status":"error","code":"INTERNAL_ERROR","message":"no"}`, Times: 4},
		"an answer that nobody reads":    {Body: `{"status":"success","data":"an operator"}`},
		"a proxy's page with status 200": {Effect: salesiqtest.HTMLPage, Status: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
				fault.Path = "/api/"
				require.NoError(t, server.Inject(fault))
				require.Error(t, second(client.Operators.Get(t.Context(), "operator456")))
				require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
			})
		})
	}
}

func TestCallersShareAnErrorButNotItsDetails(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Latency: time.Second}))
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				_, err := client.Operators.Get(t.Context(), "operator000")
				var e *salesiq.Error
				assert.ErrorAs(t, err, &e)
				assert.ErrorIs(t, err, salesiq.ErrResourceNotFound)
				assert.Equal(t, "operator000", e.Details["id"])
				clear(e.Details)
			})
		}
		callers.Wait()
		assert.Equal(t, 1, server.Stats().Calls[getOperator].Refused)
	})
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	for name, cache := range map[string]salesiq.Cache{
		"by entries": {MaxEntries: 2},
		"by bytes":   {MaxBytes: 1300}, // An operator takes about 500 bytes.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cached(t, cache, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
				for _, id := range []string{"operator123", "operator456", "operator123", "operator789", "operator123"} {
					require.NoError(t, second(client.Operators.Get(t.Context(), id)))
				}
				assert.Equal(t, 3, calls(server, getOperator), "the least recently used went first")
				require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
				assert.Equal(t, 4, calls(server, getOperator), "and is gone")
			})
		})
	}
	t.Run("an answer that is too large by itself", func(t *testing.T) {
		t.Parallel()
		cached(t, salesiq.Cache{MaxBytes: 700}, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
			require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
			require.NoError(t, second(client.Operators.List(t.Context(), nil)))
			require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
			assert.Equal(t, 1, calls(server, getOperator), "it does not push the others out")
		})
	})
}

func TestCacheTellsPortalsFromForeignPaths(t *testing.T) {
	t.Parallel()
	var sent atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/operators") {
			sent.Add(1)
		}
		answerJSON(http.StatusOK, `{"status":"success","data":[]}`)(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithPortal("nordlicht"),
		salesiq.WithBaseURL(server.URL), salesiq.WithCache(salesiq.Cache{}))
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, second(client.Operators.List(t.Context(), nil)))
	}
	assert.EqualValues(t, 1, sent.Load(), "below the portal")
	for range 2 {
		require.NoError(t, client.Do(t.Context(), http.MethodGet, "/api/v1/nordlicht/operators", nil, nil))
	}
	assert.EqualValues(t, 3, sent.Load(), "what is below another root is not known")
	require.NoError(t, client.Do(t.Context(), http.MethodPost, "/api/v1/nordlicht/anything", nil, nil))
	require.NoError(t, second(client.Operators.List(t.Context(), nil)))
	assert.EqualValues(t, 4, sent.Load(), "a write there may have changed anything")
	require.NoError(t, second(client.Operators.List(t.Context(), nil, salesiq.WithHeader("Accept-Language", "de"))))
	assert.EqualValues(t, 5, sent.Load(), "another header may mean another answer")
}

func TestCacheRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, cache := range []salesiq.Cache{{TTL: -1}, {MaxEntries: -1}, {MaxBytes: -1}} {
		_, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithCache(cache))
		assert.ErrorIs(t, err, salesiq.ErrInvalidInput, "%+v", cache)
	}
}
