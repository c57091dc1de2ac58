package main

import (
	"context"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/customer"
)

// stripeContestants compare stripe-go, which accepts no shape but its own, with
// net/http and encoding/json on a list of customers.
func stripeContestants() []contestant {
	wire := canned([][]byte{customersJSON()})
	plainly := with(cannedBase, httpClient(wire).Do, true, readAll)
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		HTTPClient:    httpClient(wire),
		URL:           new(cannedBase),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	stripes := customer.Client{B: backend, Key: token}
	return []contestant{
		{name: handWritten, op: func(ctx context.Context) error {
			var list stripe.CustomerList
			if err := plainly(ctx, "/v1/customers?limit=100", &list); err != nil {
				return err
			}
			return expect(len(list.Data), chatsPerPage)
		}},
		{name: "stripe-go", op: func(ctx context.Context) error {
			params := &stripe.CustomerListParams{}
			params.Context, params.Limit = ctx, new(int64(chatsPerPage))
			all := stripes.List(params) //nolint:staticcheck // Its successor needs a whole client of theirs around it.
			if err := all.Err(); err != nil {
				return err
			}
			return expect(len(all.CustomerList().Data), chatsPerPage)
		}},
	}
}
