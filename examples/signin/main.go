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
//
// Other ways: -org asks an administrator to consent for the organization, -device
// signs in on any other screen, and -soid signs a self client in with its ID and secret
// alone. With ZOHO_REFRESH_TOKEN set, -find tells where its account lives, and which
// portals and scopes it has.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
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
	soid     string // Of a self client without a code: its organization.
	org      bool   // The consent is an organization's.
	device   bool   // The consent is given on another screen.
	find     bool   // Nobody signs in; the account of a refresh token is found.
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
	flag.StringVar(&c.soid, "soid", "", "`service.number` of the organization, to sign a self client in with its credentials alone")
	flag.BoolVar(&c.org, "org", false, "ask an administrator to consent for the organization")
	flag.BoolVar(&c.device, "device", false, "consent on another screen, for a client of the type for devices")
	flag.BoolVar(&c.find, "find", false, "tell where the account of ZOHO_REFRESH_TOKEN lives, and what its token permits")
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
			RefreshToken: salesiq.NewSecret(os.Getenv("ZOHO_REFRESH_TOKEN")),
		},
		DataCenter:   dc,
		Scopes:       split(c.scopes),
		Organization: c.org,
		Prompt:       "consent", // Also the second time, a refresh token is wanted.
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
	switch {
	case c.find:
		return find(ctx, out, oauth)
	case c.soid != "":
		oauth.Credentials.RefreshToken = salesiq.Secret{}
		return firstCall(ctx, out, oauth.DataCenter, oauth.Credentials.SelfClient(nil, c.soid, oauth.Scopes...), c, "")
	}
	return signIn(ctx, out, oauth, c)
}

// find tells what the variables for an account must be.
func find(ctx context.Context, out io.Writer, oauth *salesiq.OAuth) error {
	found, err := oauth.Find(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The account lives at %s: SALESIQ_DATA_CENTER=%s\n", found.DataCenter.Hosts().API, found.DataCenter)
	for _, portal := range found.Portals {
		fmt.Fprintf(out, "It has a portal: SALESIQ_PORTAL=%s\n", portal)
	}
	if found.PortalsErr != nil {
		fmt.Fprintln(out, "Its portals cannot be listed:", found.PortalsErr)
	}
	if len(found.Scopes) == 0 {
		fmt.Fprintln(out, "The server does not say which scopes the token has.")
		return nil
	}
	fmt.Fprintln(out, "Its token permits", join(found.Scopes))
	return nil
}

// consent gets the first token of an account: with the code of a self client, on
// another screen, or in a browser.
func consent(ctx context.Context, out io.Writer, oauth *salesiq.OAuth, c config) (salesiq.Token, error) {
	if c.device {
		return oauth.SignInDevice(ctx, func(address, userCode string) error {
			fmt.Fprintf(out, "Please open this address on any screen, and enter %s there:\n\n\t%s\n\n", userCode, address)
			if c.demo {
				return c.browse(address + "?user_code=" + url.QueryEscape(userCode))
			}
			return nil
		})
	}
	code := salesiq.AuthCode{Code: salesiq.NewSecret(c.code)}
	if c.code == "" {
		var err error
		if code, err = askInBrowser(ctx, out, oauth, c); err != nil {
			return salesiq.Token{}, err
		}
	}
	return oauth.Exchange(ctx, code)
}

// signIn turns a consent into a token, keeps it, and tries it.
func signIn(ctx context.Context, out io.Writer, oauth *salesiq.OAuth, c config) error {
	token, err := consent(ctx, out, oauth, c)
	if err != nil {
		return err
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
	if token.AccountsURL != dc.Hosts().Accounts {
		dc = token.DataCenter() // The one in which the account lives.
	}
	credentials := oauth.Credentials
	credentials.RefreshToken = salesiq.Secret{} // The store has it.
	return firstCall(ctx, out, dc, salesiq.RefreshToken(credentials, store), c, path)
}

// firstCall signs in as the other examples will. The path is that of the token's file,
// if there is one.
func firstCall(ctx context.Context, out io.Writer, dc salesiq.DataCenter, auth salesiq.Authenticator, c config, path string) error {
	opts := []salesiq.Option{salesiq.WithDataCenter(dc)}
	if c.portal != "" {
		opts = append(opts, salesiq.WithPortal(c.portal))
	}
	client, err := salesiq.NewClient(auth, opts...)
	if err != nil {
		return err
	}
	page, err := client.Operators.List(ctx, &salesiq.OperatorListParams{PerPage: 1})
	if err != nil {
		return fmt.Errorf("signed in, but the first call failed: %w", err)
	}
	fmt.Fprintf(out, "It works: the account at %s has %s.\n", dc.Hosts().API, account.Count(max(page.Total, len(page.Items)), "operator"))
	if c.demo || path == "" {
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
