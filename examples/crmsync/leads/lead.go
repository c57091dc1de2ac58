package leads

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/salesiq-go/salesiq"
)

// lead is a record of the CRM, whose fields are the account's own.
type lead map[string]any

// newLead makes a lead of a visitor. Last_Name, which the CRM requires, gets a
// stand-in where the visitor did not tell; all else that is missing is left out.
func newLead(email string, visitor *salesiq.Visitor) lead {
	first, last := splitName(visitor.Name)
	l := lead{
		"Last_Name":   cmp.Or(last, "Unknown"),
		"Email":       email,
		"Lead_Source": "Website Chat",
		"Lead_Status": "New",
		"Description": fmt.Sprintf("Visitor ID: %s, Pages Visited: %d", visitor.ID, visitor.PagesVisited),
	}
	for name, value := range map[string]string{
		"First_Name": first,
		"Phone":      visitor.Phone,
		"Company":    visitor.Company,
		"City":       visitor.City,
		"State":      visitor.Region,
		"Country":    visitor.Country,
	} {
		if value != "" {
			l[name] = value
		}
	}
	for name, value := range visitor.CustomFields {
		l["Custom_Field_"+name] = value
	}
	return l
}

// splitName takes the last word for the last name and those before it for the
// first name. One word alone is a last name.
func splitName(name string) (first, last string) {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "", ""
	}
	end := len(words) - 1
	return strings.Join(words[:end], " "), words[end]
}

// address returns what makes two e-mail addresses the same, or nothing if it is
// none.
func address(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	at := strings.LastIndex(email, "@")
	if at < 1 || at == len(email)-1 || strings.ContainsFunc(email, unicode.IsSpace) {
		return ""
	}
	return email
}
