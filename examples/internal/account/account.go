// Package account finds the SalesIQ account that an example works on: the one
// that the environment names, or an emulator started for the occasion. It also has
// what else the examples share.
package account

import (
	"context"
	"fmt"
	"io"
	"net"
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

	// Credentials are those that the client signs in with.
	Credentials salesiq.Credentials
}

// Open returns the account of the environment, as salesiq.NewClientFromEnv
// reads it, or an emulator if the environment names none. If SALESIQ_TOKEN_FILE
// is set, the refresh token is the one that examples/signin has put there.
func Open(opts ...salesiq.Option) (*Account, error) { return OpenOrEmulate(nil, opts...) }

// OpenOrEmulate is Open with options of the emulator, should it be one.
func OpenOrEmulate(emulation []salesiqtest.Option, opts ...salesiq.Option) (*Account, error) {
	credentials := salesiq.Credentials{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: salesiq.NewSecret(os.Getenv("ZOHO_CLIENT_SECRET")),
		RefreshToken: salesiq.NewSecret(os.Getenv("ZOHO_REFRESH_TOKEN")),
	}
	if path := os.Getenv("SALESIQ_TOKEN_FILE"); path != "" {
		return openTokenFile(path, credentials, opts)
	}
	if !credentials.RefreshToken.IsZero() || os.Getenv("SALESIQ_BASE_URL") != "" {
		client, err := salesiq.NewClientFromEnv(opts...)
		return &Account{Client: client, Credentials: credentials}, err
	}
	return emulate(emulation, opts)
}

// emulate returns the account of an emulator that it starts.
func emulate(emulation []salesiqtest.Option, opts []salesiq.Option) (*Account, error) {
	server, err := salesiqtest.NewServer(emulation...)
	if err != nil {
		return nil, err
	}
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	client, err := salesiq.NewClient(auth, append(server.Options(), opts...)...)
	if err != nil {
		server.Close()
		return nil, err
	}
	return &Account{Client: client, Emulator: server, Credentials: server.Credentials()}, nil
}

// openTokenFile signs in with a token file, in the data center that the token
// came from.
func openTokenFile(path string, credentials salesiq.Credentials, opts []salesiq.Option) (*Account, error) {
	store, err := TokenFile(path)
	if err != nil {
		return nil, err
	}
	token, err := store.Load(context.Background())
	if err != nil {
		return nil, err
	}
	if token.RefreshToken.IsZero() {
		return nil, fmt.Errorf("%s holds no token: run examples/signin first", path)
	}
	found := []salesiq.Option{salesiq.WithDataCenter(token.DataCenter())}
	if portal := os.Getenv("SALESIQ_PORTAL"); portal != "" {
		found = append(found, salesiq.WithPortal(portal))
	}
	credentials.RefreshToken = token.RefreshToken
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, store), append(found, opts...)...)
	return &Account{Client: client, Credentials: credentials}, err
}

// Close stops the emulator, if there is one.
func (a *Account) Close() {
	if a.Emulator != nil {
		a.Emulator.Close()
	}
}

// Live reports whether the account may hold real people: it is not on this
// machine.
func (a *Account) Live() bool { return !OnThisMachine(a.DataCenter().Hosts().API) }

// OnThisMachine reports whether an address is one of this machine's own.
func OnThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Introduce says which account it is.
func (a *Account) Introduce(out io.Writer) {
	if a.Emulator != nil {
		fmt.Fprintf(out, "Started an emulator at %s\n", a.Emulator.URL)
		return
	}
	fmt.Fprintf(out, "Working on the account at %s\n", a.DataCenter().Hosts().API)
}
