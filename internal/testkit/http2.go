package testkit

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// StreamBehavior is what an [HTTP2] server does with one request.
type StreamBehavior int

// What can happen to a request on a connection that carries many.
const (
	Serve           StreamBehavior = iota // It is answered.
	RefuseStream                          // It is refused before it was processed.
	GoAway                                // The connection ends before it was processed.
	ProcessAndFail                        // It is processed, and then its stream is reset.
	ProcessAndBlame                       // The same, and the client is blamed for it.
)

// HTTP2 is a server that speaks just enough HTTP/2 to fail in its ways.
type HTTP2 struct {
	*Server

	mu        sync.Mutex
	plan      []StreamBehavior
	processed int
	streams   int
}

// NewHTTP2 starts a server on loopback that ends with the test.
func NewHTTP2(tb testing.TB, plan ...StreamBehavior) *HTTP2 {
	tb.Helper()
	config, roots := certificate()
	config.NextProtos = []string{"h2"}
	s := &HTTP2{plan: plan}
	s.Server = start(tb, "https", nil, roots, []Behavior{{early: true, act: func(x *exchange) bool {
		s.serve(tls.Server(x.raw, config))
		return false
	}}})
	return s
}

// NewUnencryptedHTTP2 is NewHTTP2 without TLS.
func NewUnencryptedHTTP2(tb testing.TB, plan ...StreamBehavior) *HTTP2 {
	tb.Helper()
	s := &HTTP2{plan: plan}
	s.Server = start(tb, "http", nil, nil, []Behavior{{early: true, act: func(x *exchange) bool {
		s.serve(x.raw)
		return false
	}}})
	return s
}

// Transport returns a new transport that speaks HTTP/2 with the server.
func (s *HTTP2) Transport(tb testing.TB) *http.Transport {
	tb.Helper()
	t := s.Server.Transport(tb)
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP2(true)
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

// Processed returns how many requests were carried out, and how many streams
// were opened for them.
func (s *HTTP2) Processed() (processed, streams int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processed, s.streams
}

// The few frames that matter.
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7

	flagAck        = 1
	flagEndStream  = 1
	flagEndHeaders = 4

	codeProtocol = 1
	codeInternal = 2
	codeRefused  = 7

	statusOK = 0x88 // ":status: 200" in HPACK.
	preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func (f frame) writeTo(w io.Writer) {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(f.payload))<<8|uint32(f.kind)) //nolint:gosec // They are small.
	head = append(head, f.flags)
	head = binary.BigEndian.AppendUint32(head, f.stream)
	w.Write(append(head, f.payload...)) //nolint:errcheck // The next read tells.
}

func readFrame(r io.Reader) (f frame, err error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	length := binary.BigEndian.Uint32(head[:4])
	f.kind, f.flags = head[3], head[4]
	f.stream = binary.BigEndian.Uint32(head[5:])
	f.payload = make([]byte, length>>8)
	_, err = io.ReadFull(r, f.payload)
	return f, err
}

func (s *HTTP2) serve(conn net.Conn) {
	if _, err := io.ReadFull(conn, make([]byte, len(preface))); err != nil {
		return
	}
	frame{kind: frameSettings}.writeTo(conn)
	plans := map[uint32]StreamBehavior{}
	for {
		f, err := readFrame(conn)
		if err != nil {
			return
		}
		switch f.kind {
		case frameSettings, framePing:
			if f.flags&flagAck == 0 {
				acknowledge(conn, f)
			}
			continue
		case frameHeaders:
			plans[f.stream] = s.open(conn, f.stream)
		}
		if (f.kind == frameHeaders || f.kind == frameData) && f.flags&flagEndStream != 0 {
			s.finish(conn, f.stream, plans[f.stream])
		}
	}
}

func acknowledge(conn net.Conn, f frame) {
	if f.kind == frameSettings {
		f.payload = nil
	}
	f.flags = flagAck
	f.writeTo(conn)
}

// open decides about a request whose header has come.
func (s *HTTP2) open(conn net.Conn, stream uint32) StreamBehavior {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams++
	step := s.plan[0]
	if len(s.plan) > 1 {
		s.plan = s.plan[1:]
	}
	switch step {
	case RefuseStream:
		frame{kind: frameReset, stream: stream, payload: []byte{0, 0, 0, codeRefused}}.writeTo(conn)
	case GoAway:
		frame{kind: frameGoAway, payload: make([]byte, 8)}.writeTo(conn) // The last stream processed is 0.
	}
	return step
}

// finish carries a whole request out, if it is to be.
func (s *HTTP2) finish(conn net.Conn, stream uint32, step StreamBehavior) {
	if step == RefuseStream || step == GoAway {
		return
	}
	s.mu.Lock()
	s.processed++
	s.mu.Unlock()
	switch step {
	case ProcessAndFail:
		frame{kind: frameReset, stream: stream, payload: []byte{0, 0, 0, codeInternal}}.writeTo(conn)
	case ProcessAndBlame:
		frame{kind: frameReset, stream: stream, payload: []byte{0, 0, 0, codeProtocol}}.writeTo(conn)
	default:
		frame{kind: frameHeaders, flags: flagEndHeaders, stream: stream, payload: []byte{statusOK}}.writeTo(conn)
		frame{kind: frameData, flags: flagEndStream, stream: stream, payload: []byte(`{"status":"success","data":{"id":"x1"}}`)}.writeTo(conn)
	}
}
