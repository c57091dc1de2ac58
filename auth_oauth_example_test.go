package salesiq_test

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/salesiq-go/salesiq"
)

// A web application sends its user to the consent page.
func ExampleOAuth_AuthURL() {
	oauth := &salesiq.OAuth{
		Credentials: salesiq.Credentials{ClientID: "1000.APP", ClientSecret: salesiq.NewSecret("from the API console")},
		DataCenter:  salesiq.EU,
		Scopes:      []salesiq.Scope{salesiq.ScopeChatsAll, salesiq.ScopeVisitorsRead},
		RedirectURL: "https://app.example/callback",
	}
	address, err := oauth.AuthURL("random, kept in the session")
	if err != nil {
		fmt.Println(err)
		return
	}
	u, _ := url.Parse(address)
	fmt.Println(u.Host + u.Path)
	fmt.Println(u.Query().Get("scope"))
	// Output:
	// accounts.zoho.eu/oauth/v2/auth
	// SalesIQ.chats.ALL,SalesIQ.visitors.READ
}

// The user comes back. Their account may live in another data center, which
// the client has to use from then on.
func ExampleOAuth_ParseCallback() {
	oauth := &salesiq.OAuth{RedirectURL: "https://app.example/callback"}
	query, _ := url.ParseQuery("code=1000.c0de&state=s3ss10n&location=in&accounts-server=https%3A%2F%2Faccounts.zoho.in")
	code, err := oauth.ParseCallback(query, "s3ss10n")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(code.DataCenter, code.Code)
	// Exchange turns it into a token.

	// Output: IN [redacted]
}

// A token that is kept in a file survives restarts, and its refresh token need
// not be in the environment.
func ExampleFileTokenStore() {
	key := make([]byte, 16) // Half as long as it must be.
	_, err := salesiq.NewClient(salesiq.RefreshToken(
		salesiq.Credentials{ClientID: "1000.APP", ClientSecret: salesiq.NewSecret("from the API console")},
		salesiq.FileTokenStore("/var/lib/app/salesiq.token", key)))
	fmt.Println(err)
	// Output: salesiq: token key must be 32 bytes, not 16
}

// A call that failed for want of a token says what to do.
func ExampleAuthError() {
	var err error = &salesiq.Error{
		Operation: "Chats.List",
		Err:       &salesiq.AuthError{Code: "invalid_code", StatusCode: 200, Permanent: true},
	}
	if e, ok := errors.AsType[*salesiq.AuthError](err); ok {
		fmt.Println("sign in again:", e.Permanent)
	}
	fmt.Println(err)
	// Output:
	// sign in again: true
	// salesiq: Chats.List: no access token: invalid_code (HTTP 200); the refresh token or code is revoked, used up, too old, or another data center's: sign in again (OAuth.Find tells where a refresh token belongs)
}
