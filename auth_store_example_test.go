package salesiq_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// column keeps text, as a column of a database would.
type column struct {
	mu   sync.Mutex
	text string
}

func (c *column) Load(context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []byte(c.text), nil // It is empty at first.
}

func (c *column) Save(_ context.Context, sealed []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = string(sealed)
	return nil
}

// A store of one's own: two runs of a program need one token.
func ExampleTokenStore() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	store := &column{}
	key := []byte("32 random bytes, from a vault...")
	for range 2 {
		client, err := salesiq.NewClient(
			salesiq.RefreshToken(server.Credentials(), salesiq.SealTokens(store, key)),
			salesiq.WithBaseURL(server.URL))
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := client.Chats.List(context.Background(), nil); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("tokens:", server.Stats().TokensIssued)
	// Output: tokens: 1
}
