package live

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// EncryptionsService encrypts what identifies a visitor, for links of campaigns. It
// needs no portal.
type EncryptionsService service

// Encryption is one encrypted value.
//
// Source: [V] encryption-api-v2.html.
type Encryption struct {
	Value string `json:"encrypted_value"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Create encrypts up to twenty email addresses or names.
//
//   - Endpoint: POST /api/v2/encryptions [S]; scope SalesIQ.encryptions.CREATE.
//   - Source: [V] encryption-api-v2.html.
func (s *EncryptionsService) Create(ctx context.Context, values []string, opts ...salesiq.CallOption) ([]Encryption, error) {
	body := identifiers{"siqidentifiers", values}
	return items(call[[]Encryption](ctx, s.owner(), "Encryptions.Create", http.MethodPost, "/api/v2/encryptions", body, opts))
}

type identifiers struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

func (i identifiers) validate() error {
	if len(i.Values) > 20 {
		return inputError("", "values", "must be at most twenty")
	}
	return required("values", strings.Join(i.Values, ""))
}

// MarshalJSON writes e with its Extra beside the other members.
func (e Encryption) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Encryption) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }
