package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// openCRM returns the CRM of the environment, of the emulator, or of the
// account's data center, and where it is.
func openCRM(ctx context.Context, a *account.Account) (crm *leads.CRM, address string, err error) {
	address = cmp.Or(strings.TrimRight(os.Getenv("SALESIQ_CRM_URL"), "/"), crmOf(a.DataCenter()))
	if a.Emulator != nil {
		address = a.Emulator.URL
	}
	if address == "" {
		return nil, "", fmt.Errorf("it is not known where the CRM of %s is: set SALESIQ_CRM_URL", a.DataCenter().Hosts().API)
	}
	if !strings.HasPrefix(address, "https://") && !account.OnThisMachine(address) {
		return nil, "", errors.New("SALESIQ_CRM_URL must begin with https://, since a token is sent there")
	}
	var tokens, spare oauth2.TokenSource
	if token := os.Getenv("ZOHO_CRM_ACCESS_TOKEN"); token != "" {
		tokens = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	} else {
		tokens = leads.Tokens(ctx, a.DataCenter(), a.Credentials)
		spare = leads.Tokens(ctx, a.DataCenter(), a.Credentials)
	}
	return leads.NewCRM(address, http.DefaultTransport, tokens, spare), address, nil
}

// crmOf tells where the CRM of a data center is: where the accounts are, below
// another name. It is empty for a host of one's own.
func crmOf(dc salesiq.DataCenter) string {
	domain, ok := strings.CutPrefix(dc.Hosts().Accounts, "https://accounts.zoho")
	if !ok {
		return ""
	}
	return "https://www.zohoapis" + strings.TrimPrefix(domain, "cloud")
}
