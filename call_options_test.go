package salesiq_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// spoil changes all that a Response holds.
func spoil(r *salesiq.Response) {
	for _, values := range r.Header {
		for i := range values {
			values[i] = "spoiled"
		}
	}
	r.Header.Set("X-Spoiled", "yes")
	clear(r.Body)
}

// atOnce does something in several goroutines, several times.
func atOnce(what func()) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2 {
				what()
			}
		})
	}
	all.Wait()
}

// callOptionFuncs returns the names of all functions that return a CallOption.
func callOptionFuncs(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "CallOption" {
				names = append(names, f.Name.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

// It is for the race detector.
func TestCallOptionsMayBeUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	query := url.Values{"status": {"offline"}}
	ids := []string{"chat123"}
	var shared salesiq.Response
	options := map[string]salesiq.CallOption{
		"WithResponse":     salesiq.WithResponse(&shared),
		"WithIdempotent":   salesiq.WithIdempotent(),
		"WithCallAttempts": salesiq.WithCallAttempts(2),
		"WithOperation":    salesiq.WithOperation("Mine"),
		"WithIDs":          salesiq.WithIDs(ids...),
		"WithQuery":        salesiq.WithQuery(query),
		"WithHeader":       salesiq.WithHeader("x-mine", "value"),
		"WithFresh":        salesiq.WithFresh(),
	}
	ids[0], query["status"][0] = "chat999", "nothing" // They were read before.
	for name, option := range options {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cached(t, salesiq.Cache{Chats: true}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client) {
				path := "/chats/chat123"
				if name == "WithIDs" {
					path = "/chats/{id}"
				}
				atOnce(func() {
					if name == "WithQuery" { // A single object takes none.
						for visitor, err := range client.Visitors.All(t.Context(), nil, option) {
							if assert.NoError(t, err) {
								assert.Equal(t, salesiq.VisitorOffline, visitor.Status)
							}
						}
						return
					}
					var chat salesiq.Chat
					assert.NoError(t, client.Do(t.Context(), http.MethodGet, path, nil, &chat, option))
					assert.Equal(t, "chat123", chat.ID)
					if name == "WithIDs" || name == "WithOperation" {
						return // They are for Do alone.
					}
					_, err := client.Operators.Get(t.Context(), "operator456", option)
					assert.NoError(t, err)
					for _, err := range client.Visitors.All(t.Context(), &salesiq.VisitorListParams{PerPage: 3}, option) { // Pages are fetched ahead.
						assert.NoError(t, err)
					}
				})
			})
		})
	}
	t.Run("all are here", func(t *testing.T) {
		t.Parallel()
		for _, name := range callOptionFuncs(t) {
			assert.Contains(t, options, name)
		}
	})
}

func TestResponsesBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client) {
		atOnce(func() {
			var r salesiq.Response
			operator, err := client.Operators.Get(t.Context(), "operator456", salesiq.WithResponse(&r))
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, "operator456", operator.ID)
			assert.Contains(t, string(r.Body), "operator456")
			assert.NotContains(t, r.Header, "X-Spoiled")
			assert.NotEqual(t, "spoiled", r.Header.Get("Content-Type"))
			spoil(&r)
			operator.Name = "spoiled"
		})
	})
}

// grabbing reads answers by itself, and changes what it was given.
type grabbing struct{ body []byte }

func (g *grabbing) UnmarshalAnswer(body []byte) error {
	g.body = bytes.Clone(body)
	clear(body)
	return nil
}

func TestAnswerOutOfTheCacheMayBeChangedByWhoReadsIt(t *testing.T) {
	t.Parallel()
	cached(t, salesiq.Cache{}, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client) {
		atOnce(func() {
			var g grabbing
			assert.NoError(t, client.Do(t.Context(), http.MethodGet, "/operators/operator456", nil, &g))
			assert.Contains(t, string(g.body), "operator456")
		})
	})
}

func TestDetailsOfASharedFailureBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerJSON(http.StatusBadRequest, `{"status":"error","code":"INVALID_REQUEST","details":{"fields":[{"name":"x"}]}}`))
	client := api.client(t, salesiq.WithCache(salesiq.Cache{}))
	atOnce(func() {
		_, err := client.Operators.Get(t.Context(), "operator456")
		var e *salesiq.Error
		if !assert.ErrorAs(t, err, &e) {
			return
		}
		fields, ok := e.Details["fields"].([]any)
		if !assert.True(t, ok) {
			return
		}
		field, ok := fields[0].(map[string]any)
		assert.True(t, ok)
		assert.Equal(t, "x", field["name"])
		field["name"] = "spoiled"
	})
}

func TestWithResponseHasTheAnswerOfAFailure(t *testing.T) {
	t.Parallel()
	s := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Trace", "t1")
		answerJSON(http.StatusConflict, `{"status":"error","code":"DUPLICATE_RESOURCE"}`)(w, nil)
	})
	var response salesiq.Response
	_, err := s.client(t).Chats.Get(t.Context(), "c1", salesiq.WithResponse(&response))
	require.ErrorIs(t, err, salesiq.ErrDuplicateResource)
	assert.Equal(t, http.StatusConflict, response.StatusCode)
	assert.Equal(t, "t1", response.Header.Get("X-Trace"))
	assert.Equal(t, 1, response.Attempts)
	assert.Empty(t, response.Body)

	s.Close()
	kept := response
	require.ErrorIs(t, second(s.client(t).Chats.Get(t.Context(), "c1", salesiq.WithResponse(&response))), salesiq.ErrTransport)
	assert.Equal(t, kept, response, "there was no answer")
}
