package wire

import (
	"bytes"
	"errors"
	"io"
)

// maxCounted is the largest answer, in bytes, whose brackets are counted. Of a page
// of a hundred chats, that would take as long as some of its chats.
const maxCounted = 16 << 10

// Truncated reports whether a JSON object or array breaks off. It is called for
// every answer, so it looks at brackets before it parses. An answer passes for whole
// if it ends with the right bracket and has as many closing brackets as opening ones.
// Two kinds of cut answers are found only by decoding: large ones, and those where a
// bracket within a text makes up for one that is missing.
func Truncated(body []byte) bool {
	body = trim(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return false
	}
	first, last := body[:1], []byte{body[0] + 2}
	ended := bytes.HasSuffix(body, last)
	if ended && (len(body) > maxCounted || bytes.Count(body, first) == bytes.Count(body, last)) {
		return false
	}
	err := newDecoder(body).SkipValue()
	return errors.Is(err, io.ErrUnexpectedEOF)
}
