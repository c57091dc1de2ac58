package salesiqtest

import (
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// lead is a record of Zoho CRM, whose fields are the account's own.
type lead map[string]any

// maxLeads bounds one insertion, as Zoho CRM does.
const maxLeads = 100

// searchLeads answers GET /crm/v8/Leads/search?criteria=(Email:equals:…).
func searchLeads(c *call) (any, error) {
	field, value, ok := parseCriteria(c.query.text("criteria"))
	if !ok {
		return nil, invalid("criteria", "must look like (Email:equals:someone@example.com)")
	}
	matches := c.leads.matching(func(record *lead) bool {
		text, ok := (*record)[field].(string)
		return ok && strings.EqualFold(text, value)
	})
	if len(matches) == 0 {
		return &reply{status: http.StatusNoContent}, nil
	}
	info := object{"page": 1, "per_page": 200, "count": len(matches), "more_records": false}
	return &reply{http.StatusOK, object{"data": matches, "info": info}}, nil
}

// parseCriteria reads one equality. A backslash before a parenthesis or a comma
// belongs to the notation, not to the value.
func parseCriteria(text string) (field, value string, ok bool) {
	text, open := strings.CutPrefix(text, "(")
	text, closed := strings.CutSuffix(text, ")")
	field, rest, _ := strings.Cut(text, ":")
	operator, value, _ := strings.Cut(rest, ":")
	value = strings.NewReplacer(`\(`, "(", `\)`, ")", `\,`, ",").Replace(value)
	return field, value, open && closed && field != "" && operator == "equals"
}

// createLeads answers POST /crm/v8/Leads. As with Zoho CRM, a lead without a
// last name is refused while the others are kept: 201 means all, 207 some, 400
// none.
func createLeads(c *call) (any, error) {
	var records []lead
	if wire.Unmarshal(c.body["data"], &records) != nil || len(records) == 0 || len(records) > maxLeads {
		return nil, invalid("data", "must be an array of 1 to 100 records")
	}
	results := []object{}
	kept := 0
	for _, record := range records {
		result := c.createLead(record)
		if result["status"] == "success" {
			kept++
		}
		results = append(results, result)
	}
	status := http.StatusMultiStatus
	switch kept {
	case 0:
		status = http.StatusBadRequest
	case len(records):
		status = http.StatusCreated
	}
	return &reply{status, object{"data": results}}, nil
}

// created is the event of a new lead.
func (l lead) created(id string, at time.Time) *webhook.LeadCreated {
	text := func(name string) string {
		value, _ := l[name].(string)
		return value
	}
	return &webhook.LeadCreated{
		LeadID: id, Name: strings.TrimSpace(text("First_Name") + " " + text("Last_Name")),
		Email: text("Email"), Phone: text("Phone"), Company: text("Company"), CreatedAt: at,
	}
}

// createLead keeps one lead, and tells how it fared.
func (s *state) createLead(record lead) object {
	if name, ok := record["Last_Name"].(string); !ok || name == "" {
		return object{
			"code": "MANDATORY_NOT_FOUND", "details": object{"api_name": "Last_Name"}, "message": "a required field is missing", "status": "error",
		}
	}
	id := s.newID("6430")
	record["id"] = id
	record["Created_Time"] = s.now
	s.leads.put(id, &record)
	s.tell(salesiq.EventLeadCreated, record.created(id, s.now))
	return object{"code": "SUCCESS", "details": object{"id": id, "Created_Time": s.now}, "message": "record added", "status": "success"}
}

// Leads returns copies of the CRM leads that were created.
func (s *Server) Leads() []map[string]any {
	records := snapshots(s, leads)
	leads := make([]map[string]any, len(records))
	for i, record := range records {
		leads[i] = record
	}
	return leads
}
