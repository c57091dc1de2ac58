package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// DepartmentsService handles departments, which belong to the portal and not to an
// app.
type DepartmentsService service

// Department is a group of operators.
//
// Source: [V] rest-api-department-list.html, rest-api-department-details.html.
type Department struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	DisplayName     string    `json:"display_name"`
	Description     string    `json:"description"`
	Enabled         bool      `json:"is_enabled"`
	Public          bool      `json:"is_public"`
	SystemGenerated bool      `json:"is_system_generated"`
	CreatedBy       string    `json:"created_by"` // An operator's id.
	CreatedAt       time.Time `json:"created_time"`
	ModifiedAt      time.Time `json:"modified_time"`

	// In the answer of Get.
	Operators []string         `json:"operators"` // Ids.
	ImageURL  string           `json:"image_url"` // A path on the API's host, which wants the token.
	Emails    DepartmentEmails `json:"email_configurations"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// DepartmentEmails tells who gets mail about a department. Recipients are separated
// by commas.
//
// Source: [V] rest-api-department-details.html, email_configurations.
type DepartmentEmails struct {
	From                 string   `json:"from_email,omitzero"`
	TranscriptRecipients string   `json:"transcript_recipients,omitzero"`
	BlockedIPRecipients  string   `json:"blockip_recipients,omitzero"`
	FeedbackRecipients   string   `json:"feedback_recipients,omitzero"`
	MissedChatRecipients string   `json:"missedchat_recipients,omitzero"`
	CCRecipients         string   `json:"cc_recipients,omitzero"`
	Transcripts          TextBool `json:"is_transcript_mail_enabled,omitzero"`
	BlockedIPs           TextBool `json:"is_blockip_mail_enabled,omitzero"`
	Feedback             TextBool `json:"is_feedback_mail_enabled,omitzero"`
	MissedChats          TextBool `json:"is_missedchat_mail_enabled,omitzero"`
	CC                   TextBool `json:"is_cc_mail_enabled,omitzero"`

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// DepartmentCreate describes a new department.
//
// Source: [V] rest-api-create-department.html.
type DepartmentCreate struct {
	Name        string            `json:"name"`      // Required.
	Operators   []string          `json:"operators"` // Required, ids.
	Public      TextBool          `json:"is_public,omitzero"`
	Description string            `json:"description,omitzero"`
	Emails      *DepartmentEmails `json:"email_configurations,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *DepartmentCreate) validate() error {
	return required("name", p.Name, "operators", strings.Join(p.Operators, ""))
}

// DepartmentUpdate changes a department; fields left zero stay as they are.
//
// Source: [V] rest-api-update-department-details.html.
type DepartmentUpdate struct {
	Name        salesiq.Opt[string]   `json:"name,omitzero"`
	Operators   salesiq.Opt[[]string] `json:"operators,omitzero"` // Ids.
	Public      salesiq.Opt[TextBool] `json:"is_public,omitzero"`
	Description salesiq.Opt[string]   `json:"description,omitzero"`
	Emails      *DepartmentEmails     `json:"email_configurations,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// List returns one page of departments. A nil params returns the first twenty.
//
//   - Endpoint: GET /api/v2/{screen_name}/departments [S]; scope
//     SalesIQ.departments.READ.
//   - Source: [V] rest-api-department-list.html.
func (s *DepartmentsService) List(ctx context.Context, params *SyncParams, opts ...salesiq.CallOption) ([]Department, error) {
	return list[Department](ctx, s.owner(), "Departments.List", base+"/departments", params.query(), opts)
}

// All iterates over the departments.
//
// Endpoint, scope and source are those of List.
func (s *DepartmentsService) All(ctx context.Context, params *SyncParams, opts ...salesiq.CallOption) iter.Seq2[*Department, error] {
	return iterate[Department](ctx, s.owner(), "Departments.All", base+"/departments", params.query(), syncPages, opts)
}

// Get returns one department.
//
//   - Endpoint: GET /api/v2/{screen_name}/departments/{id} [S]; scope
//     SalesIQ.departments.READ.
//   - Source: [V] rest-api-department-details.html.
func (s *DepartmentsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Department, error) {
	return get[Department](ctx, s.owner(), "Departments.Get", base+"/departments/{id}", nil, opts, id)
}

// Create adds a department.
//
//   - Endpoint: POST /api/v2/{screen_name}/departments [S]; scope
//     SalesIQ.departments.CREATE.
//   - Source: [V] rest-api-create-department.html.
func (s *DepartmentsService) Create(ctx context.Context, department *DepartmentCreate, opts ...salesiq.CallOption) (*Department, error) {
	return call[Department](ctx, s.owner(), "Departments.Create", http.MethodPost, base+"/departments", department, opts)
}

// Update changes a department.
//
//   - Endpoint: PUT /api/v2/{screen_name}/departments/{id} [S]; scope
//     SalesIQ.departments.UPDATE.
//   - Source: [V] rest-api-update-department-details.html.
func (s *DepartmentsService) Update(ctx context.Context, id string, update *DepartmentUpdate, opts ...salesiq.CallOption) (*Department, error) {
	return call[Department](ctx, s.owner(), "Departments.Update", http.MethodPut, base+"/departments/{id}", update, opts, id)
}

// Enable opens a department again.
//
//   - Endpoint: PUT /api/v2/{screen_name}/departments/{id}/enable [S]; scope
//     SalesIQ.departments.UPDATE.
//   - Source: [V] rest-api-enable-department.html, which shows no answer.
func (s *DepartmentsService) Enable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Departments.Enable", http.MethodPut, base+"/departments/{id}/enable", nil, opts, id)
}

// Disable closes a department.
//
//   - Endpoint: PUT /api/v2/{screen_name}/departments/{id}/disable [S]; scope
//     SalesIQ.departments.UPDATE.
//   - Source: [V] rest-api-disable-department.html, which shows no answer.
func (s *DepartmentsService) Disable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Departments.Disable", http.MethodPut, base+"/departments/{id}/disable", nil, opts, id)
}

// Delete removes a department, whose settings go over to the one with the id heir.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/departments/{id} [S], with the heir as
//     configure_to; scope SalesIQ.departments.DELETE.
//   - Errors: an [salesiq.Error] with code 1302 if the heir is private and this
//     department is public, and 1026 for the last one.
//   - Source: [V] rest-api-delete-department.html, which shows no answer.
func (s *DepartmentsService) Delete(ctx context.Context, id, heir string, opts ...salesiq.CallOption) error {
	_, err := remove[any](ctx, s.owner(), "Departments.Delete", base+"/departments/{id}", "configure_to", []string{heir}, opts, id)
	return err
}

// AddOperators puts operators into a department.
//
//   - Endpoint: PUT /api/v2/{screen_name}/departments/{id}/operators [S]; scope
//     SalesIQ.departments.UPDATE.
//   - Source: [V] rest-api-operator-department-associate.html.
func (s *DepartmentsService) AddOperators(ctx context.Context, id string, operatorIDs []string, opts ...salesiq.CallOption) (*Department, error) {
	return call[Department](ctx, s.owner(), "Departments.AddOperators", http.MethodPut, base+"/departments/{id}/operators", ids{operatorIDs}, opts, id)
}

// RemoveOperators takes operators out of a department.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/departments/{id}/operators [S]; scope
//     SalesIQ.departments.DELETE. The page's example doubles the last part of the
//     path, which is taken for a slip.
//   - Source: [V] rest-api-delete-operator-department.html.
func (s *DepartmentsService) RemoveOperators(ctx context.Context, id string, operatorIDs []string, opts ...salesiq.CallOption) (*Department, error) {
	return remove[Department](ctx, s.owner(), "Departments.RemoveOperators", base+"/departments/{id}/operators", "ids", operatorIDs, opts, id)
}

// MarshalJSON writes d with its Extra beside the other members.
func (d Department) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Department) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }

// MarshalJSON writes d with its Extra beside the other members.
func (d DepartmentEmails) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *DepartmentEmails) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }

// MarshalJSON writes p with its Extra beside the other members.
func (p DepartmentCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *DepartmentCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes d with its Extra beside the other members.
func (d DepartmentUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *DepartmentUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }
