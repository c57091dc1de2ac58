package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/salesiq-go/salesiq"
)

// lead is a record of the CRM, whose fields are the account's own.
type lead map[string]any

// newLead makes a lead of a visitor. Last_Name and Company are required by the
// CRM, and get a stand-in where the visitor did not tell.
func newLead(email string, visitor *salesiq.Visitor) lead {
	first, last := splitName(visitor.Name)
	l := lead{
		"Last_Name":   cmp.Or(last, "Unknown"),
		"Email":       email,
		"Company":     cmp.Or(visitor.Company, "Unknown"),
		"Lead_Source": "Website Chat",
		"Lead_Status": "New",
		"Description": fmt.Sprintf("Visitor ID: %s, Pages Visited: %d", visitor.ID, visitor.PagesVisited),
	}
	for name, value := range map[string]string{
		"First_Name": first,
		"Phone":      visitor.Phone,
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

// splitName takes the first word for the first name and the rest for the last
// name. One word alone is a last name.
func splitName(name string) (first, last string) {
	words := strings.Fields(name)
	if len(words) < 2 {
		return "", strings.Join(words, "")
	}
	return words[0], strings.Join(words[1:], " ")
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
