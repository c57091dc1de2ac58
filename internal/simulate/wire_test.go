package simulate

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// network connects programs and the service. Nothing of it leaves the process, and all
// waits are for channels, as virtual time needs it.
type network struct {
	world *world
	hosts map[string]*listener // By address, as in "desk.localhost:80".
	open  atomic.Int64         // Connections.

	mu     sync.Mutex
	lines  map[*line]bool
	dialed map[string]int64 // Connections so far, by who and whom.
}

// listener accepts the connections of a host.
type listener struct {
	host   string
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.queue:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *listener) Addr() net.Addr { return address(l.host) }

type address string

func (a address) Network() string { return "memory" }
func (a address) String() string  { return string(a) }

// listen makes a host that can be dialed until its listener is closed.
func (n *network) listen(host string) *listener {
	l := &listener{host: host, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host+":80"] = l
	return l
}

// dialer returns what connects a program, or the service if p is nil, to any host.
func (n *network) dialer(p *process) func(ctx context.Context, _, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		n.mu.Lock()
		l := n.hosts[addr]
		n.mu.Unlock()
		if l == nil || p != nil && !p.alive() || n.world.active("restart", "all") > 0 && isService(addr) {
			return nil, &net.OpError{Op: "dial", Net: "memory", Addr: address(addr), Err: errNobody}
		}
		near, far := net.Pipe()
		c := &line{Conn: near, network: n, from: p, to: l.host, left: -1, closed: make(chan struct{})}
		c.far = farEnd{far, c}
		n.mu.Lock()
		n.dialed[c.who()+c.to]++
		c.number = n.dialed[c.who()+c.to]
		n.mu.Unlock()
		select {
		case l.queue <- c.far:
		case <-l.closed:
			return nil, &net.OpError{Op: "dial", Net: "memory", Addr: address(addr), Err: errNobody}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		n.mu.Lock()
		n.lines[c] = true
		n.mu.Unlock()
		n.open.Add(1)
		return c, nil
	}
}

var (
	errNobody = errors.New("nobody listens there")
	errReset  = errors.New("connection reset by peer")
)

// line is a connection as who has dialed it sees it.
type line struct {
	net.Conn

	network *network
	far     farEnd
	from    *process // Nil for the service.
	to      string
	number  int64
	once    sync.Once
	closed  chan struct{}

	mu   sync.Mutex
	left int  // Bytes that still come; -1 for all.
	mute bool // Nothing comes after them, instead of a reset.
}

// farEnd is a connection as who has accepted it sees it.
type farEnd struct {
	net.Conn

	line *line
}

func (f farEnd) RemoteAddr() net.Addr { return address("memory:1") }
func (f farEnd) LocalAddr() net.Addr  { return address(f.line.to) }

func (c *line) who() string {
	if c.from == nil {
		return "service"
	}
	return c.from.name
}

// kindsOfBreak are the faults below HTTP, in the order in which they are looked for.
var kindsOfBreak = []string{"reset-before", "reset-within", "reset-after", "half-answer", "stall", "silence"}

// Write sends a request, or a part of one, which may meet with a fault: it is reset
// before or after it was delivered, in part or whole; its answer breaks off or stops;
// it gets lost.
func (c *line) Write(b []byte) (int, error) {
	w := c.network.world
	if c.who() != batch { // Who holds a lock meanwhile, over HTTP/2, while others wait for it.
		w.awaits(c.from)
	}
	roll := w.dice.roll("write "+c.who()+c.to, time.Now().UnixNano()) // Whichever connection it is.
	for _, kind := range kindsOfBreak {
		if !w.hits(kind, c.who(), roll) {
			continue
		}
		w.notes("fault", kind+" "+c.who()+" to "+c.to)
		switch kind {
		case "reset-before":
			c.Close()
			return 0, errReset
		case "reset-within":
			n := roll.IntN(len(b))
			c.Conn.Write(b[:n])
			c.Close()
			return n, errReset
		case "reset-after":
			c.cut(0, false)
		case "half-answer":
			c.cut(1+roll.IntN(400), false)
		case "stall":
			c.cut(roll.IntN(400), true)
		case "silence":
			c.cut(0, true)
			return len(b), nil
		}
		break
	}
	return c.Conn.Write(b)
}

// cut has no more than a number of bytes arrive.
func (c *line) cut(left int, mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 || left < c.left {
		c.left, c.mute = left, mute
	}
}

func (c *line) Read(b []byte) (int, error) {
	if n, err, over := c.end(len(b)); over {
		return n, err
	} else if n < len(b) {
		b = b[:n]
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	if c.left >= 0 {
		n = min(n, c.left)
		c.left -= n
	}
	c.mu.Unlock()
	if n == 0 && err == nil {
		if _, err, over := c.end(len(b)); over {
			return 0, err
		}
	}
	return n, err
}

// end returns how many bytes may be read, or what comes after the last one.
func (c *line) end(want int) (n int, err error, over bool) {
	c.mu.Lock()
	left, mute := c.left, c.mute
	c.mu.Unlock()
	switch {
	case left < 0:
		return want, nil, false
	case left > 0:
		return min(left, want), nil, false
	case mute:
		<-c.closed
		return 0, net.ErrClosed, true
	}
	c.Close()
	return 0, errReset, true
}

func (c *line) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.network.mu.Lock()
		delete(c.network.lines, c)
		c.network.mu.Unlock()
		c.network.open.Add(-1)
		c.Conn.Close()
		c.far.Close()
	})
	return nil
}

// breakLines closes the connections that a condition is true of, in their order.
func (n *network) breakLines(of func(*line) bool) {
	n.mu.Lock()
	var hit []*line
	for c := range n.lines {
		if of(c) {
			hit = append(hit, c)
		}
	}
	n.mu.Unlock()
	sortLines(hit)
	for _, c := range hit {
		c.Close()
	}
}
