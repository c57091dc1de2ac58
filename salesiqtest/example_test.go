package salesiqtest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// A message whose answer is lost was sent all the same, and the client does not
// send it again.
func ExampleServer_Inject() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore()), server.Options()...)
	if err != nil {
		fmt.Println(err)
		return
	}

	lost := salesiqtest.Fault{Method: "POST", Path: "/api/v2/chats", Effect: salesiqtest.ResetConnection, Processed: true}
	if err := server.Inject(lost); err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Chats.SendMessage(context.Background(), "chat123", salesiq.TextMessage("Hello!"))

	fmt.Println("perhaps sent:", errors.Is(err, salesiq.ErrMaybeProcessed))
	fmt.Println("really sent:", server.Stats().ByPath["POST /api/v2/chats/chat123/messages"])
	// Output:
	// perhaps sent: true
	// really sent: 1
}
