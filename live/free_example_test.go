package live_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

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

// A file is sent into a conversation, and fetched again.
func ExampleMessagesService_SendFile() {
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), server.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	service := live.New(client)
	ctx := context.Background()

	offer := &salesiq.File{Name: "offer.csv", ContentType: "text/csv", Content: strings.NewReader("tent,299\n")}
	message, err := service.Messages.SendFile(ctx, "chat123", offer, "As promised")
	if err != nil {
		log.Fatal(err)
	}
	file := salesiq.Download{To: os.Stdout, MaxBytes: 1 << 20}
	if err := service.Conversations.Attachment(ctx, "chat123", message.File().ID, &file); err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Name, file.Size, "bytes")
	// Output:
	// tent,299
	// offer.csv 9 bytes
}
