package live

import (
	"context"
	"net/http"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Get makes a GET request for which there is no method, and returns the data of the
// answer. The path is as for [salesiq.Client.Do], and params are as for
// [salesiq.WithQuery]; nil sends none.
//
//	app, err := live.Get[App](ctx, client, "/apps/{id}", nil, salesiq.WithIDs(id))
//
// An answer without data returns a zero T.
//
// Errors: an [salesiq.InputError] for a path that leaves the API and for params
// that cannot be a query; an [salesiq.Error] otherwise.
func Get[T any](ctx context.Context, client *salesiq.Client, path string, params any, opts ...salesiq.CallOption) (*T, error) {
	if !usercode.IsNil(params) {
		opts = append([]salesiq.CallOption{salesiq.WithQuery(params)}, opts...)
	}
	return do[T](ctx, client, "Get", http.MethodGet, path, nil, opts)
}

// Post makes a POST request, as [Get] makes a GET request. The value in is sent as
// JSON unless it is nil or, as for [salesiq.Client.Do], a form, a file or bytes; a nil
// pointer is an [salesiq.InputError]. If the service answers
// with a text instead of a T, a zero T is returned.
func Post[T any](ctx context.Context, client *salesiq.Client, path string, in any, opts ...salesiq.CallOption) (*T, error) {
	return do[T](ctx, client, "Post", http.MethodPost, path, in, opts)
}

// Put makes a PUT request; see [Post].
func Put[T any](ctx context.Context, client *salesiq.Client, path string, in any, opts ...salesiq.CallOption) (*T, error) {
	return do[T](ctx, client, "Put", http.MethodPut, path, in, opts)
}

// Patch makes a PATCH request; see [Post].
func Patch[T any](ctx context.Context, client *salesiq.Client, path string, in any, opts ...salesiq.CallOption) (*T, error) {
	return do[T](ctx, client, "Patch", http.MethodPatch, path, in, opts)
}

// Delete makes a DELETE request; see [Post]. For most of them, in is nil.
func Delete[T any](ctx context.Context, client *salesiq.Client, path string, in any, opts ...salesiq.CallOption) (*T, error) {
	return do[T](ctx, client, "Delete", http.MethodDelete, path, in, opts)
}

func do[T any](ctx context.Context, client *salesiq.Client, operation, method, path string, in any, opts []salesiq.CallOption) (*T, error) {
	if client == nil {
		return nil, inputError(operation, "client", "must not be nil")
	}
	out := new(T)
	opts = append([]salesiq.CallOption{salesiq.WithOperation(operation)}, opts...)
	if err := client.Do(ctx, method, path, in, out, opts...); err != nil {
		return nil, err
	}
	return out, nil
}
