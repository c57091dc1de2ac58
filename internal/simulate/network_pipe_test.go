package simulate

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe is one end of a connection in memory. Unlike with [net.Pipe], nobody waits until
// the other end reads, and what is written takes a moment to arrive.
type pipe struct {
	in, out *stream
}

// newPipe returns both ends of a connection on which data travel as long as delay says.
func newPipe(delay func(data []byte) time.Duration) (near, far net.Conn) {
	there, back := newStream(delay), newStream(delay)
	return pipe{back, there}, pipe{there, back}
}

func (p pipe) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p pipe) Write(b []byte) (int, error) { return p.out.write(b) }

func (p pipe) Close() error {
	p.in.close(net.ErrClosed)
	p.out.close(io.EOF)
	return nil
}

func (p pipe) LocalAddr() net.Addr               { return address("memory") }
func (p pipe) RemoteAddr() net.Addr              { return address("memory") }
func (p pipe) SetDeadline(t time.Time) error     { return p.SetReadDeadline(t) }
func (p pipe) SetReadDeadline(t time.Time) error { p.in.setDeadline(t); return nil }
func (p pipe) SetWriteDeadline(time.Time) error  { return nil } // Writing takes no time.

// stream is one direction of a connection. One goroutine at a time reads from it.
type stream struct {
	delay func(data []byte) time.Duration
	news  chan struct{} // Filled when something has changed.

	mu       sync.Mutex
	packets  []packet
	end      error // What comes behind the last packet; nil while it is open.
	deadline time.Time
}

type packet struct {
	data    []byte
	arrives time.Time
}

func newStream(delay func(data []byte) time.Duration) *stream {
	return &stream{delay: delay, news: make(chan struct{}, 1)}
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return 0, io.ErrClosedPipe
	}
	arrives := time.Now().Add(s.delay(b))
	if n := len(s.packets); n > 0 {
		arrives = later(arrives, s.packets[n-1].arrives)
	}
	s.packets = append(s.packets, packet{append([]byte(nil), b...), arrives})
	s.change()
	return len(b), nil
}

func (s *stream) read(b []byte) (int, error) {
	for {
		n, wait, err := s.take(b)
		switch {
		case n > 0 || err != nil || len(b) == 0:
			return n, err
		case wait == 0:
			<-s.news
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.news:
		}
		timer.Stop()
	}
}

// take returns what has arrived, or in how long something may, if that is known.
func (s *stream) take(b []byte) (n int, wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !s.deadline.IsZero() {
		if wait = s.deadline.Sub(now); wait <= 0 {
			return 0, 0, os.ErrDeadlineExceeded
		}
	}
	switch {
	case s.end == net.ErrClosed: //nolint:errorlint // It is ours.
		return 0, 0, s.end
	case len(s.packets) == 0:
		return 0, wait, s.end
	}
	first := &s.packets[0]
	if in := first.arrives.Sub(now); in > 0 {
		if wait == 0 || in < wait {
			wait = in
		}
		return 0, wait, nil
	}
	n = copy(b, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		s.packets = s.packets[1:]
	}
	return n, 0, nil
}

func (s *stream) close(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil || end == net.ErrClosed { //nolint:errorlint // It is ours.
		s.end = end
	}
	s.change()
}

func (s *stream) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	s.change()
}

func (s *stream) change() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}
