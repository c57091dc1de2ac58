// Package account finds the SalesIQ account that an example works on: the one
// that the environment names, or an emulator started for the occasion.
package account

import (
	"net/url"
	"os"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// Account is an account to work on.
type Account struct {
	*salesiq.Client

	// Emulator is nil if the environment names an account.
	Emulator *salesiqtest.Server
}

// Open returns the account of the environment, as salesiq.NewClientFromEnv
// reads it, or an emulator if the environment names none.
func Open(opts ...salesiq.Option) (*Account, error) {
	if os.Getenv("ZOHO_REFRESH_TOKEN") != "" || os.Getenv("SALESIQ_BASE_URL") != "" {
		client, err := salesiq.NewClientFromEnv(opts...)
		return &Account{Client: client}, err
	}
	server := salesiqtest.NewServer()
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	client, err := salesiq.NewClient(auth, append(server.Options(), opts...)...)
	return &Account{Client: client, Emulator: server}, err
}

// Close stops the emulator, if there is one.
func (a *Account) Close() {
	if a.Emulator != nil {
		a.Emulator.Close()
	}
}

// Live reports whether the account may hold real people: it is not on this
// machine.
func (a *Account) Live() bool {
	host := ""
	if u, err := url.Parse(a.DataCenter().API); err == nil {
		host = u.Hostname()
	}
	return host != "127.0.0.1" && host != "localhost" && host != "::1"
}
