// Package upload makes request bodies of files: what is sent as it is read, and again
// if it can be read again.
package upload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Source is where the bytes of a file come from: either field.
type Source struct {
	Content io.Reader
	Open    func() (io.ReadCloser, error)

	Size     int64                   // 0 if nobody has told it.
	Max      int64                   // 0 for no limit.
	Progress func(sent, total int64) // Nil for none.
}

// ReasonError is why a file is refused before it is sent.
type ReasonError string

func (r ReasonError) Error() string { return string(r) }

// content is a source that was looked at.
type content struct {
	Source

	open func() (io.ReadCloser, error)
	size int64 // -1 if it is not known.
	once bool
	kind string // The content type that its beginning speaks for.
}

// sniffed is how much of a file tells what it is.
const sniffed = 512

// look finds out about a source what can be known before it is sent. It runs code of
// the user's, which may hang: the context ends it.
func (s Source) look(ctx context.Context, sniff bool) (*content, error) {
	return usercode.Ask(ctx, func(context.Context) (*content, error) {
		c := &content{Source: s, size: -1}
		var err error
		switch seeker, ok := s.Content.(io.Seeker); {
		case s.Open != nil:
			err = c.lookOpened()
		case ok && c.measure(seeker):
			err = c.lookSeeker(seeker)
		default:
			err = c.lookOnce(sniff)
		}
		if err != nil {
			return nil, ReasonError("cannot be read: " + err.Error())
		}
		if err := c.check(); err != nil {
			return nil, err
		}
		return c, nil
	})
}

func (c *content) check() error {
	switch {
	case c.Size < 0:
		return ReasonError("must not have a negative size")
	case c.Size > 0 && c.size >= 0 && c.size != c.Size:
		return ReasonError(fmt.Sprintf("has %d bytes, not %d", c.size, c.Size))
	case c.Size > 0:
		c.size = c.Size
	}
	if c.Max > 0 && c.size > c.Max {
		return tooLarge(c.Max)
	}
	return nil
}

func tooLarge(limit int64) error {
	return ReasonError(fmt.Sprintf("must have at most %d bytes (%d MB), which is what the service takes", limit, limit>>20))
}

// lookOpened opens a file for its beginning and its size.
func (c *content) lookOpened() error {
	c.open = c.Open
	opened, err := c.Open()
	if err != nil {
		return err
	}
	if opened == nil {
		return errors.New("open returned nothing")
	}
	defer opened.Close()
	if seeker, ok := opened.(io.Seeker); ok {
		c.measure(seeker)
	}
	return c.begin(opened)
}

// measure tells the size of what is left of a seeker, and reports whether it can seek:
// a pipe is a file that cannot. A size of 0 is not believed, since files of the
// operating system's own have it.
func (c *content) measure(s io.Seeker) bool {
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return false
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return false
	}
	if _, err = s.Seek(start, io.SeekStart); err != nil {
		return false
	}
	if end > start {
		c.size = end - start
	}
	return true
}

// lookSeeker remembers where a seeker stands. It is left there.
func (c *content) lookSeeker(s io.Seeker) error {
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	c.open = func() (io.ReadCloser, error) {
		_, err := s.Seek(start, io.SeekStart)
		return io.NopCloser(c.Content), err
	}
	if err := c.begin(c.Content); err != nil {
		return err
	}
	_, err = s.Seek(start, io.SeekStart)
	return err
}

// begin reads the beginning of a file. It tells the size of a short one.
func (c *content) begin(r io.Reader) error {
	start := make([]byte, sniffed)
	n, err := io.ReadFull(r, start)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		if c.size < 0 {
			c.size = int64(n)
		}
	case err != nil:
		return err
	}
	c.kind = http.DetectContentType(start[:n])
	return nil
}

// lookOnce looks at what can be read once. A short one fits into the look, and can be
// read again.
func (c *content) lookOnce(sniff bool) error {
	if sized, ok := c.Content.(interface{ Len() int }); ok {
		c.size = int64(sized.Len())
	}
	c.once = true
	c.open = func() (io.ReadCloser, error) { return io.NopCloser(c.Content), nil }
	if !sniff {
		return nil
	}
	buffered := bufio.NewReaderSize(c.Content, sniffed)
	start, err := buffered.Peek(sniffed)
	c.kind = http.DetectContentType(start)
	c.open = func() (io.ReadCloser, error) { return io.NopCloser(buffered), nil }
	if err == nil {
		return nil
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	all := bytes.Clone(start)
	c.once, c.size = false, int64(len(all))
	c.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(all)), nil }
	return nil
}

// Raw makes a body of a source alone.
func Raw(ctx context.Context, s Source) (*transport.Upload, error) {
	_, body, err := raw(ctx, s, false)
	return body, err
}

// Sniffed makes a body of a source alone, and tells the content type that its
// beginning speaks for.
func Sniffed(ctx context.Context, s Source) (kind string, body *transport.Upload, err error) {
	return raw(ctx, s, true)
}

func raw(ctx context.Context, s Source, sniff bool) (string, *transport.Upload, error) {
	c, err := s.look(ctx, sniff)
	if err != nil {
		return "", nil, err
	}
	body := &transport.Upload{Length: c.size, Once: c.once, Open: func() io.ReadCloser { return &reading{content: c} }}
	return c.kind, body, nil
}

// reading reads a file once, and makes sure of its size: one that has become shorter or
// longer meanwhile is an error, before the end of the request.
type reading struct {
	*content

	opened io.ReadCloser // Nil before the first read.
	read   int64
}

func (r *reading) Read(b []byte) (n int, err error) {
	if r.opened == nil {
		if r.opened, err = r.open(); err != nil {
			return 0, err
		}
		if r.opened == nil {
			return 0, errors.New("open returned nothing")
		}
	}
	n, err = r.opened.Read(b)
	if n < 0 || n > len(b) {
		return 0, errors.New("the reader returned an impossible count")
	}
	r.read += int64(n)
	switch {
	case r.size >= 0 && r.read > r.size:
		return 0, fmt.Errorf("there are more than its %d bytes", r.size)
	case r.Max > 0 && r.read > r.Max:
		return 0, tooLarge(r.Max)
	case errors.Is(err, io.EOF) && r.size >= 0 && r.read < r.size:
		return n, fmt.Errorf("it broke off after %d of its %d bytes", r.read, r.size)
	}
	if n > 0 && r.Progress != nil {
		r.Progress(r.read, r.size)
	}
	return n, err
}

// Close closes what Open has opened. It may run beside a Read that does not end.
func (r *reading) Close() error {
	if r.opened == nil {
		return nil
	}
	return r.opened.Close()
}
