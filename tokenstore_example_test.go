package salesiq_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// row is how the store below keeps a token: the secrets as they are. It stands
// where others cannot look.
type row struct {
	Access, Refresh  string
	Expiry           time.Time
	Domain, Accounts string
	Grant            string
}

// table keeps a token as JSON, as a column of a database would.
type table struct {
	mu     sync.Mutex
	column []byte
}

func (t *table) Load(context.Context) (salesiq.Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.column == nil {
		return salesiq.Token{}, nil // There is none yet.
	}
	var r row
	if err := json.Unmarshal(t.column, &r); err != nil {
		return salesiq.Token{}, err
	}
	return salesiq.Token{
		AccessToken:  salesiq.Secret(r.Access),
		RefreshToken: salesiq.Secret(r.Refresh),
		Expiry:       r.Expiry,
		APIDomain:    r.Domain,
		AccountsURL:  r.Accounts,
		Grant:        r.Grant,
	}, nil
}

func (t *table) Save(_ context.Context, token salesiq.Token) error {
	column, err := json.Marshal(row{
		Access:   token.AccessToken.Reveal(), // A Secret itself is encoded as "[redacted]".
		Refresh:  token.RefreshToken.Reveal(),
		Expiry:   token.Expiry,
		Domain:   token.APIDomain,
		Accounts: token.AccountsURL,
		Grant:    token.Grant,
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.column = column
	return nil
}

// A store of one's own: two runs of a program need one token.
func ExampleTokenStore() {
	server := salesiqtest.NewServer()
	defer server.Close()
	store := &table{}
	for range 2 {
		client, err := salesiq.NewClient(
			salesiq.RefreshToken(server.Credentials(), store),
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
