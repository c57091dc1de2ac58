package wire

import (
	"bytes"
	"errors"
	"io"
)

// Truncated reports whether a JSON object or array breaks off. One that ends
// with the right bracket passes unread: this is asked of every answer, and a
// cut rarely comes just there.
func Truncated(body []byte) bool {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' || body[len(body)-1] == body[0]+2 {
		return false
	}
	err := newDecoder(body).SkipValue()
	return errors.Is(err, io.ErrUnexpectedEOF)
}
