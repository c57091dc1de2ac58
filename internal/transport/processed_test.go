package transport

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// Statuses from 400 to 499 say that the request is at fault, those around them do
// not.
func TestStatusesThatSayNothingHappenedEndWhereOthersBegin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		code   string
		want   bool
	}{
		{399, "", true},
		{400, "", false},
		{407, "", false},
		{409, "", false},
		{499, "", false},
		{500, "", true},
		{501, "", true},
		{399, "CHAT_NOT_ACTIVE", false},
		{408, "CHAT_NOT_ACTIVE", false},
		{499, "CHAT_NOT_ACTIVE", false},
		{500, "CHAT_NOT_ACTIVE", true},
		{501, "CHAT_NOT_ACTIVE", true},
	} {
		f := Failure{fate: answered, Status: tt.status, Said: wire.ErrorBody{Code: tt.code}}
		assert.Equal(t, tt.want, f.mayHaveActed(), "%d %s", tt.status, tt.code)
		f.fate = unsent
		assert.False(t, f.mayHaveActed(), "%d %s, which nobody was asked", tt.status, tt.code)
	}
}

func TestContextMayBeWhyACallersWriterFailsButNotWhyALimiterRefuses(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NotErrorIs(t, Held(time.Time{}, ErrDailyLimit).endedBy(ended, false), context.Canceled)
	assert.ErrorIs(t, (&Failure{fate: answered, Status: 200, Err: errUnwritten}).endedBy(ended, false), context.Canceled)
	assert.ErrorIs(t, (&Failure{fate: tokenless, Err: errors.New("no token")}).endedBy(ended, false), context.Canceled)
}
