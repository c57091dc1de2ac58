package live_test

import (
	"context"
	"fmt"
	"log"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// A call that no service has, with an answer of the caller's own type.
func ExampleGet() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), server.Options()...)
	if err != nil {
		log.Fatal(err)
	}

	type person struct {
		Name string `json:"name"`
	}
	operator, err := live.Get[person](context.Background(), client, "/operators/{id}", nil, salesiq.WithIDs("operator456"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(operator.Name)
	// Output: Greta Sommer
}

// A list that no service has. The style says which parameters page it.
func ExampleAll() {
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), server.Options()...)
	if err != nil {
		log.Fatal(err)
	}

	type conversation struct {
		ID string `json:"id"`
	}
	params := map[string]string{"status": "missed"}
	missed := 0
	for _, err := range live.All[conversation](context.Background(), client, "/conversations", params, live.PageAndLimit()) {
		if err != nil {
			log.Fatal(err)
		}
		missed++
	}
	fmt.Println(missed, "were missed")
	// Output: 39 were missed
}
