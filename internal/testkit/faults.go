package testkit

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Behavior is what a [Server] does once.
type Behavior struct {
	early bool                 // It does not wait for a request.
	act   func(*exchange) bool // It returns whether the connection goes on.
}

// exchange is a request, and the connection that brought it.
type exchange struct {
	ctx     context.Context // The life of the server.
	conn    net.Conn
	raw     net.Conn // Below TLS.
	request Request
}

// write reports whether the client is still there.
func (x *exchange) write(parts ...string) bool {
	_, err := io.WriteString(x.conn, strings.Join(parts, ""))
	return err == nil
}

func (x *exchange) head(status int, headers ...string) string {
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat))
	for _, header := range headers {
		head.WriteString(header + "\r\n")
	}
	return head.String() + "\r\n"
}

// reset breaks the connection such that the client gets a RST.
func (x *exchange) reset() {
	if tcp, ok := x.raw.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // Without it, the connection ends less rudely.
	}
	x.raw.Close()
}

// untilGone waits for the client or the server to end.
func (x *exchange) untilGone() {
	io.Copy(io.Discard, x.conn) //nolint:errcheck // It ends with an error.
}

func (x *exchange) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.ctx.Done():
		return false
	}
}

const jsonType = "Content-Type: application/json"

func onRequest(act func(*exchange)) Behavior {
	return Behavior{act: func(x *exchange) bool { act(x); return false }}
}

// Answer is a whole answer, after which the connection goes on.
func Answer(status int, contentType, body string, headers ...string) Behavior {
	return Behavior{act: func(x *exchange) bool {
		headers := append([]string{"Content-Type: " + contentType, fmt.Sprintf("Content-Length: %d", len(body))}, headers...)
		return x.write(x.head(status, headers...), body)
	}}
}

// JSON is a whole answer with status 200.
func JSON(body string) Behavior { return Answer(http.StatusOK, "application/json", body) }

// OK is what a healthy service says.
func OK() Behavior { return JSON(`{"status":"success","data":{"id":"x1"}}`) }

// HTML is a proxy's page.
func HTML(status int, page string) Behavior { return Answer(status, "text/html; charset=utf-8", page) }

// Empty is an answer without a body.
func Empty(status int) Behavior {
	return Behavior{act: func(x *exchange) bool {
		if status == http.StatusNoContent {
			return x.write(x.head(status))
		}
		return x.write(x.head(status, jsonType, "Content-Length: 0"))
	}}
}

// Redirect points elsewhere.
func Redirect(status int, location string) Behavior {
	return Answer(status, "text/html", "<a href>moved</a>", "Location: "+location)
}

// Echo answers with what it was sent, header and all, in place of %s.
func Echo(status int, contentType, format string) Behavior {
	return Behavior{act: func(x *exchange) bool {
		var echo strings.Builder
		echo.WriteString(x.request.Method + " " + x.request.URI)
		for name, values := range x.request.Header {
			echo.WriteString(" " + name + ": " + strings.Join(values, ", "))
		}
		body := fmt.Sprintf(format, echo.String()+" "+strings.ReplaceAll(x.request.Body, `"`, "'"))
		authorization := x.request.Header.Get("Authorization")
		return x.write(x.head(status, "Content-Type: "+contentType, fmt.Sprintf("Content-Length: %d", len(body)),
			"X-Request-Id: "+authorization, "Location: https://"+authorization[strings.LastIndex(authorization, " ")+1:]+".example/"), body)
	}}
}

// Cycle does one behavior after the other, and then begins anew. None of them
// may act before a request.
func Cycle(behaviors ...Behavior) Behavior {
	var turn atomic.Int64
	return Behavior{act: func(x *exchange) bool {
		return behaviors[int(turn.Add(1)-1)%len(behaviors)].act(x)
	}}
}

// Together answers once n requests are there, and so on n connections.
func Together(n int, answer Behavior) Behavior {
	var there sync.WaitGroup
	there.Add(n)
	return Behavior{act: func(x *exchange) bool {
		there.Done()
		there.Wait()
		return answer.act(x)
	}}
}

// ResetBefore breaks the connection before anything was read from it.
func ResetBefore() Behavior {
	return Behavior{early: true, act: func(x *exchange) bool { x.reset(); return false }}
}

// ResetWithin breaks the connection after n bytes of a request.
func ResetWithin(n int64) Behavior {
	return Behavior{early: true, act: func(x *exchange) bool {
		io.CopyN(io.Discard, x.conn, n) //nolint:errcheck // The client may end first.
		x.reset()
		return false
	}}
}

// AnswerWithin answers after n bytes of a request, and leaves the rest unread.
func AnswerWithin(n int64, answer Behavior) Behavior {
	return Behavior{early: true, act: func(x *exchange) bool {
		io.CopyN(io.Discard, x.conn, n) //nolint:errcheck // The client may end first.
		answer.act(x)
		x.untilGone()
		return false
	}}
}

// ResetAfter breaks the connection after the whole request was read.
func ResetAfter() Behavior { return onRequest((*exchange).reset) }

// CloseAfter ends the connection after the whole request was read, without an
// answer: what a client sees whose request met a server's idle timeout.
func CloseAfter() Behavior { return onRequest(func(*exchange) {}) }

// ThenClose answers, and ends the connection without having said so.
func ThenClose(answer Behavior) Behavior { return onRequest(func(x *exchange) { answer.act(x) }) }

// ThenTimeout answers, finds the connection idle at once, says so and ends it: what
// comes meanwhile is not read.
func ThenTimeout(answer Behavior) Behavior {
	return onRequest(func(x *exchange) {
		answer.act(x)
		x.write(x.head(http.StatusRequestTimeout, "Connection: close", "Content-Length: 0"))
	})
}

// ShortBody breaks off before the length that it announced.
func ShortBody(body string) Behavior {
	return onRequest(func(x *exchange) {
		x.write(x.head(http.StatusOK, jsonType, fmt.Sprintf("Content-Length: %d", len(body)+1000)), body)
	})
}

// BrokenChunk breaks off within a chunked body.
func BrokenChunk(body string) Behavior {
	return onRequest(func(x *exchange) {
		x.write(x.head(http.StatusOK, jsonType, "Transfer-Encoding: chunked"), fmt.Sprintf("%x\r\n%s\r\n", len(body), body), "zz\r\n")
	})
}

// Unframed sends a body whose end is the connection's.
func Unframed(body string) Behavior {
	return onRequest(func(x *exchange) { x.write(x.head(http.StatusOK, jsonType, "Connection: close"), body) })
}

// Trickle sends a byte of the body at a time.
func Trickle(interval time.Duration) Behavior {
	return onRequest(func(x *exchange) {
		for alive := x.write(x.head(http.StatusOK, jsonType, "Content-Length: 1000000")); alive && x.pause(interval); {
			alive = x.write(" ")
		}
	})
}

// Stall sends a header and the beginning of a body, and no more.
func Stall() Behavior {
	return onRequest(func(x *exchange) {
		x.write(x.head(http.StatusOK, jsonType, "Content-Length: 1000"), `{"status":`)
		x.untilGone()
	})
}

// Upgrade goes on in another protocol, in which it has nothing to say.
func Upgrade() Behavior {
	return onRequest(func(x *exchange) {
		x.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		x.untilGone()
	})
}

// Silence never answers.
func Silence() Behavior { return onRequest((*exchange).untilGone) }

// Mute accepts a connection and never reads from it: with TLS, the handshake
// hangs.
func Mute() Behavior {
	return Behavior{early: true, act: func(x *exchange) bool { <-x.ctx.Done(); return false }}
}

// MalformedStatus is no HTTP.
func MalformedStatus(line string) Behavior {
	return onRequest(func(x *exchange) { x.write(line, "\r\n\r\n") })
}

// HeaderFlood sends header lines without end.
func HeaderFlood() Behavior {
	return onRequest(func(x *exchange) {
		x.write("HTTP/1.1 200 OK\r\n")
		for line := "X-Flood: " + strings.Repeat("f", 4<<10) + "\r\n"; x.write(line); {
			continue
		}
	})
}

// InformationalFlood sends 1xx answers without end.
func InformationalFlood() Behavior {
	return onRequest(func(x *exchange) {
		for x.write("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n") {
			continue
		}
	})
}

// Huge sends a body of a size.
func Huge(size int64) Behavior {
	return onRequest(func(x *exchange) {
		x.write(x.head(http.StatusOK, jsonType, fmt.Sprintf("Content-Length: %d", size)))
		block := bytes.Repeat([]byte(" "), 64<<10)
		for left := size; left > 0; left -= int64(len(block)) {
			if _, err := x.conn.Write(block); err != nil {
				return
			}
		}
	})
}

// GzipBomb sends a body of about a thousandth of the megabytes that it inflates
// to. It is one compressed megabyte over and over, which gzip permits.
func GzipBomb(megabytes int) Behavior {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	w.Write(make([]byte, 1<<20)) //nolint:errcheck // Into memory.
	w.Close()                    //nolint:errcheck // Into memory.
	return Answer(http.StatusOK, "application/json", strings.Repeat(member.String(), megabytes), "Content-Encoding: gzip")
}
