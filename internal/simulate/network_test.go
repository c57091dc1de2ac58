package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
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
	tls   *identity

	mu     sync.Mutex
	lines  map[*line]bool
	dialed map[string]int64 // Connections so far, by who and whom.
}

// listen makes a host that can be dialed until its listener is closed.
func (n *network) listen(host string) *listener { return n.listenAt(host, 80) }

func (n *network) listenAt(host string, port int) *listener {
	l := &listener{host: host, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[fmt.Sprintf("%s:%d", host, port)] = l
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
		near, far := newPipe(n.delay)
		c := &line{Conn: near, network: n, from: p, to: l.host, locks: p != nil && p.name == batch || strings.HasSuffix(addr, ":443"), left: -1, closed: make(chan struct{})}
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

func sortLines(lines []*line) {
	slices.SortFunc(lines, func(a, b *line) int {
		if d := strings.Compare(a.who()+a.to, b.who()+b.to); d != 0 {
			return d
		}
		return int(a.number - b.number)
	})
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

func (l *listener) Close() error { l.once.Do(func() { close(l.closed) }); return nil }

func (l *listener) Addr() net.Addr { return address(l.host) }

type address string

func (a address) Network() string { return "memory" }

func (a address) String() string { return string(a) }

// delay is how long data travel. It depends on the time and on what they are, so that
// what is written at one moment arrives in the same order in each run.
func (n *network) delay(data []byte) time.Duration {
	h := hash(uint64(n.world.dice), string(kindOf(data)))
	return time.Duration(mix(h+uint64(time.Now().UnixNano())) % uint64(time.Microsecond))
}

// kindOf returns what is the same of data in each run, where keys and tokens differ: the
// first line of HTTP/1, the kind of a frame of HTTP/2, the kind of a record of
// TLS.
func kindOf(data []byte) []byte {
	switch {
	case len(data) > 0 && data[0] >= 'A':
		line, _, _ := bytes.Cut(data[:min(len(data), 200)], []byte("\r"))
		return line
	case len(data) >= 9 && data[0] == 0:
		return data[3:4]
	}
	return data[:min(len(data), 1)]
}

var (
	errNobody = errors.New("nobody listens there")
	errReset  = errors.New("connection reset by peer")
)
