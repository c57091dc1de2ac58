// Package people has visitors who make trouble, for the tests of this example.
package people

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// Emails are the addresses of those that get a lead.
var Emails = []string{"ada@mail.example", "first(work),last@mail.example", "mai@mail.example"}

// Start starts an emulator with these visitors.
func Start(t *testing.T) *salesiqtest.Server {
	t.Helper()
	return salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data()))
}

// AssertOneLeadEach checks that each address has one lead, and nobody else has any.
func AssertOneLeadEach(t *testing.T, server *salesiqtest.Server, want []string) {
	t.Helper()
	var got []string
	for _, lead := range server.Leads() {
		email, _ := lead["Email"].(string)
		got = append(got, email)
	}
	assert.ElementsMatch(t, want, got)
}

// data has visitors who make trouble, all of the last hour.
func data() salesiqtest.Data {
	recent := time.Now().Add(-time.Hour)
	return salesiqtest.Data{Visitors: []salesiq.Visitor{
		{ID: "visitor1", Name: "Ada", Email: "ada@mail.example", LastVisit: recent},
		{ID: "visitor2", Name: "Nguyễn Thị Mai", Email: "mai@mail.example", Company: "Fjellsport", City: "Malmö", LastVisit: recent, CustomFields: map[string]any{"budget": "large"}},
		{ID: "visitor3", Name: "Nobody", LastVisit: recent},
		{ID: "visitor4", Name: "Ada again", Email: " ADA@mail.example", LastVisit: recent},
		{ID: "visitor5", Email: "first(work),last@mail.example", Phone: "+1-555-0100", LastVisit: recent},
		{ID: "visitor6", Name: "Was Here", Email: "old@mail.example", LastVisit: recent.Add(-48 * time.Hour)},
		{ID: "visitor7", Name: "No Address", Email: "not an address", LastVisit: recent},
	}}
}
