package simulate

import (
	"net"
	"sync"
	"time"
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
	locks   bool // Who writes holds a lock meanwhile, as over HTTP/2 and TLS, while others wait for it.

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

func (f farEnd) LocalAddr() net.Addr { return address(f.line.to) }

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
	if !c.locks {
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
