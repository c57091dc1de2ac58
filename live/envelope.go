package live

import (
	"encoding/json"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Envelope is what stands around the data of an answer.
type Envelope struct {
	URL      string    `json:"url"`
	Object   string    `json:"object"`    // "list", or the name of what data is.
	SyncTime time.Time `json:"sync_time"` // For the last_sync_time of a later call; zero if there is none.

	// MoreData tells whether a list goes on; nil where the service does not say.
	MoreData *bool `json:"more_data_available"`

	Data json.RawMessage `json:"data"`

	// Extra holds all other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ReadEnvelope reads what stands around the data of an answer; see
// [salesiq.WithResponse]. It is zero for an answer that is nil, empty or not an
// object.
func ReadEnvelope(response *salesiq.Response) Envelope {
	if response == nil {
		return Envelope{}
	}
	var envelope Envelope
	if err := wire.UnmarshalLenient(response.Body, &envelope); err != nil {
		return Envelope{}
	}
	return envelope
}

// MarshalJSON writes e with its Extra beside the other members.
func (e Envelope) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Envelope) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }
