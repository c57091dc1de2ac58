package salesiq

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// Get makes a GET request that the services have no method for, and returns the
// data of the answer. The path is as for [Client.Do]. Params become the query: a
// struct with json tags, a map, [url.Values] or nil.
//
//	app, err := salesiq.Get[App](ctx, client, "/apps/{id}", nil, salesiq.WithIDs(id))
//
// An answer without data returns a zero T.
//
// Errors: an [InputError] for a path that leaves the API and for params that are
// no query; an [Error] otherwise.
func Get[T any](ctx context.Context, client *Client, path string, params any, opts ...CallOption) (*T, error) {
	c := client.freeCall("Get", http.MethodGet, path, opts)
	c.queryFrom(params)
	return fetchOpen[T](ctx, client, c, opts)
}

// Post makes a POST request, as [Get] does a GET request. In is sent as JSON
// unless nil; a nil pointer is an [InputError]. Where the live service answers
// with a text instead of the T, a zero T is returned.
func Post[T any](ctx context.Context, client *Client, path string, in any, opts ...CallOption) (*T, error) {
	return sendFree[T](ctx, client, "Post", http.MethodPost, path, in, opts)
}

// Put makes a PUT request; see [Post].
func Put[T any](ctx context.Context, client *Client, path string, in any, opts ...CallOption) (*T, error) {
	return sendFree[T](ctx, client, "Put", http.MethodPut, path, in, opts)
}

// Patch makes a PATCH request; see [Post].
func Patch[T any](ctx context.Context, client *Client, path string, in any, opts ...CallOption) (*T, error) {
	return sendFree[T](ctx, client, "Patch", http.MethodPatch, path, in, opts)
}

// Delete makes a DELETE request; see [Post]. For most of them, in is nil.
func Delete[T any](ctx context.Context, client *Client, path string, in any, opts ...CallOption) (*T, error) {
	return sendFree[T](ctx, client, "Delete", http.MethodDelete, path, in, opts)
}

func sendFree[T any](ctx context.Context, client *Client, operation, method, path string, in any, opts []CallOption) (*T, error) {
	c := client.freeCall(operation, method, path, opts)
	c.content = in
	return fetchOpen[T](ctx, client, c, opts)
}

// queryFrom sends params of any type as the query.
func (c *call) queryFrom(params any) {
	switch params := params.(type) {
	case nil:
	case url.Values:
		c.query = maps.Clone(params)
	default:
		query, err := wire.Query(params)
		if err != nil {
			err = inputError("params", "cannot be a query: "+err.Error())
		}
		c.check(err)
		c.query = query
	}
}
