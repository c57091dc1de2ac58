package transport

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What of a request has left when it fails decides whether the service may carry it
// out. Half a header is nothing to carry out, unless the exchange was ended in the
// middle: the rest may still be written.
func TestFateOfARequestIsToldByWhatHasLeft(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		header bool // All of it was handed over.
		bytes  int64
		repeat fate
		sent   bool
	}{
		{"nothing left, the exchange broke", t.Context(), false, 0, unsent, false},
		{"nothing left, it was ended", ended, false, 0, unsent, false},
		{"nothing left of the whole header", t.Context(), true, 0, unsent, false},
		{"half a header left, the exchange broke", t.Context(), false, 100, unsent, false},
		{"half a header left, it was ended", ended, false, 100, unsent, true},
		{"the header left, the exchange broke", t.Context(), true, 100, unsent, true},
		{"the header left, it was ended", ended, true, 100, unsent, true},
		{"the header left, and would be repeated", t.Context(), true, 100, cutOff, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			here, there := net.Pipe()
			defer func() { assert.NoError(t, errors.Join(here.Close(), there.Close())) }()
			conn := &meteredConn{Conn: here}
			conn.written.Store(40 + tt.bytes)
			s := &sending{base: &roundTripper{}, conn: conn, before: 40, wroteHeader: tt.header, repeat: tt.repeat}
			f := &Failure{fate: s.fate(tt.ctx, broken)}
			assert.Equal(t, tt.sent, f.fate >= sent)
			assert.Equal(t, tt.repeat == cutOff, f.lostConnection())
		})
	}
}

// A transport that tells of connections has given the request none; one that does
// not may have sent it, unless it could not dial.
func TestFateWithoutAConnectionIsToldByTheTransport(t *testing.T) {
	t.Parallel()
	broken, undialed := errors.New("broken"), &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, traces := range []bool{false, true} {
		s := &sending{base: &roundTripper{}}
		s.base.traces.Store(traces)
		f := &Failure{fate: s.fate(t.Context(), broken)}
		assert.Equal(t, !traces, f.fate >= sent)
		assert.False(t, f.lostConnection())
		f.fate = s.fate(t.Context(), undialed)
		assert.Less(t, f.fate, sent)
		assert.False(t, f.lostConnection())
	}
}
