// Signin gets a refresh token for a SalesIQ account, keeps it in an encrypted
// file for the other examples, and makes a first call with it.
//
//	go run ./examples/signin
//
// It starts an emulator, which consents by itself. For a real account, make a
// client of type "Server-based Applications" in the API console
// (https://api-console.zoho.com) with the redirect URI
// http://localhost:8085/callback, and then:
//
//	export ZOHO_CLIENT_ID=1000.… ZOHO_CLIENT_SECRET=…
//	go run ./examples/signin -portal myportal
//
// With a "Self Client" instead, the console makes a code, and no browser is
// needed:
//
//	go run ./examples/signin -portal myportal -dc EU -code 1000.…
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// defaultScopes are what the examples need, and no more.
var defaultScopes = []salesiq.Scope{
	salesiq.ScopeChatsRead, salesiq.ScopeChatsUpdate, salesiq.ScopeVisitorsAll,
	salesiq.ScopeOperatorsRead, salesiq.ScopeOperatorsUpdate, salesiq.ScopeSettingsAll,
}

type config struct {
	code     string // Of a self client.
	dc       string
	portal   string
	redirect string
	scopes   string
	file     string
	browse   func(address string) error // Shows the consent page.
	demo     bool                       // The token ends with this program.
}

func main() {
	c := config{browse: openBrowser}
	flag.StringVar(&c.code, "code", "", "`code` of a self client, instead of asking in a browser")
	flag.StringVar(&c.dc, "dc", "US", "`name` of the data center to begin in; for a self client or an account in China, its own")
	flag.StringVar(&c.portal, "portal", os.Getenv("SALESIQ_PORTAL"), "the portal's `screen name`, which the live service wants")
	flag.StringVar(&c.redirect, "redirect", "http://localhost:8085/callback", "redirect `URI`, as registered")
	flag.StringVar(&c.scopes, "scopes", join(defaultScopes), "`scopes` to ask for")
	flag.StringVar(&c.file, "file", "", "`file` to keep the token in (default: in the user's configuration folder)")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "signin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, c config) error {
	dc, err := salesiq.LookupDataCenter(c.dc)
	if err != nil {
		return err
	}
	oauth := &salesiq.OAuth{
		Credentials: salesiq.Credentials{
			ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
			ClientSecret: salesiq.NewSecret(os.Getenv("ZOHO_CLIENT_SECRET")),
		},
		DataCenter: dc,
		Scopes:     split(c.scopes),
		Prompt:     salesiq.PromptConsent, // Also the second time, a refresh token is wanted.
	}
	switch address := os.Getenv("SALESIQ_ACCOUNTS_URL"); {
	case address != "":
		oauth.DataCenter = salesiq.Hosts{API: cmp.Or(os.Getenv("SALESIQ_BASE_URL"), address), Accounts: address}.DataCenter()
	case oauth.Credentials.ClientID == "":
		emulator, err := salesiqtest.NewServer()
		if err != nil {
			return err
		}
		defer emulator.Close()
		folder, err := os.MkdirTemp("", "signin")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder) //nolint:errcheck // It is in the system's folder for such things.
		fmt.Fprintf(out, "ZOHO_CLIENT_ID is not set: this signs in to an emulator at\n%s\n\n", emulator.URL)
		oauth.Credentials = emulator.Credentials()
		oauth.DataCenter = salesiq.Hosts{API: emulator.URL, Accounts: emulator.URL}.DataCenter()
		c.file, c.demo = filepath.Join(folder, "token"), true
		c.redirect, c.browse = "http://127.0.0.1:0/callback", agree(ctx)
	}
	return signIn(ctx, out, oauth, c)
}

// signIn turns consent, or a self client's code, into a token, keeps it, and
// tries it.
func signIn(ctx context.Context, out io.Writer, oauth *salesiq.OAuth, c config) error {
	code := salesiq.AuthCode{Code: salesiq.NewSecret(c.code)}
	if c.code == "" {
		var err error
		if code, err = askInBrowser(ctx, out, oauth, c); err != nil {
			return err
		}
	}
	token, err := oauth.Exchange(ctx, code)
	if err != nil {
		return err
	}
	if token.RefreshToken.IsZero() {
		return errors.New("the answer has no refresh token: remove the application from the account's connected apps, and try again")
	}
	path, err := tokenPath(c.file)
	if err != nil {
		return err
	}
	store, err := account.TokenFile(path)
	if err != nil {
		return err
	}
	if err := store.Save(ctx, token); err != nil {
		return err
	}
	fmt.Fprintln(out, "The token is kept, encrypted, in", path)
	dc := oauth.DataCenter
	if code.DataCenter != (salesiq.DataCenter("")) {
		dc = code.DataCenter // The one in which the account lives.
	}
	return firstCall(ctx, out, dc, oauth.Credentials, store, c, path)
}

// firstCall uses the token as the other examples will.
func firstCall(ctx context.Context, out io.Writer, dc salesiq.DataCenter, credentials salesiq.Credentials, store *salesiq.TokenVault, c config, path string) error {
	opts := []salesiq.Option{salesiq.WithDataCenter(dc)}
	if c.portal != "" {
		opts = append(opts, salesiq.WithPortal(c.portal))
	}
	credentials.RefreshToken = salesiq.Secret{} // The store has it.
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, store), opts...)
	if err != nil {
		return err
	}
	page, err := client.Operators.List(ctx, &salesiq.OperatorListParams{PerPage: 1})
	if err != nil {
		return fmt.Errorf("signed in, but the first call failed: %w", err)
	}
	fmt.Fprintf(out, "It works: the account at %s has %s.\n", dc.Hosts().API, account.Count(max(page.Total, len(page.Items)), "operator"))
	if c.demo {
		return nil
	}
	fmt.Fprintf(out, "\nFor the other examples:\n\n\texport SALESIQ_TOKEN_FILE=%s", path)
	if c.portal != "" {
		fmt.Fprintf(out, " SALESIQ_PORTAL=%s", c.portal)
	}
	fmt.Fprintln(out, "\n\tgo run ./examples/quickstart")
	return nil
}

func tokenPath(path string) (string, error) {
	if path != "" {
		return filepath.Abs(path)
	}
	folder, err := os.UserConfigDir()
	return filepath.Join(folder, "salesiq", "token"), err
}

func join(scopes []salesiq.Scope) string {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	return strings.Join(names, ",")
}

func split(names string) (scopes []salesiq.Scope) {
	for name := range strings.FieldsFuncSeq(names, func(r rune) bool { return r == ',' || r == ' ' }) {
		scopes = append(scopes, salesiq.Scope(name))
	}
	return scopes
}

// patience is how long the user has for the consent page.
const patience = 5 * time.Minute
