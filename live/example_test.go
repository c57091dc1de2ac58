package live_test

import (
	"context"
	"fmt"
	"log"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func ExampleNew() {
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client, err := salesiq.NewClient(
		salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore()),
		salesiq.WithBaseURL(server.URL),
		salesiq.WithPortal("nordlicht"),
	)
	if err != nil {
		log.Fatal(err)
	}
	service := live.New(client)
	waiting := 0
	for conversation, err := range service.Conversations.All(context.Background(), &live.ConversationListParams{Status: live.Waiting}) {
		if err != nil {
			log.Fatal(err)
		}
		if conversation.AttendedAt.IsZero() {
			waiting++
		}
	}
	fmt.Println(waiting, "are waiting")
	// Output: 6 are waiting
}
