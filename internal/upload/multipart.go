package upload

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// Part is a part of a form: a text, or a file if it has a name.
type Part struct {
	Field string
	Text  string

	FileName    string
	ContentType string // Of the file; empty to have it found out.
	Source      Source
}

// Multipart makes a body of the parts of a form, in their order, and returns its content
// type. Field is that of the part that err is about.
func Multipart(ctx context.Context, parts []Part) (contentType string, body *transport.Upload, field string, err error) {
	var form form
	writer := multipart.NewWriter(&form.text)
	for i := range parts {
		if err := form.add(ctx, writer, &parts[i]); err != nil {
			return "", nil, parts[i].Field, err
		}
	}
	if err := writer.Close(); err != nil {
		return "", nil, "", err
	}
	form.cut()
	return writer.FormDataContentType(), form.upload(), "", nil
}

// form is a form in the making: texts, and files between them.
type form struct {
	text   bytes.Buffer
	pieces []piece
}

// piece is a text, or a file.
type piece struct {
	text []byte
	file *content
}

func (f *form) add(ctx context.Context, w *multipart.Writer, part *Part) error {
	header := textproto.MIMEHeader{}
	if part.FileName == "" {
		header.Set("Content-Disposition", `form-data; name="`+escape(part.Field)+`"`)
		body, err := w.CreatePart(header)
		if err != nil {
			return err
		}
		_, err = io.WriteString(body, part.Text)
		return err
	}
	file, err := part.Source.look(ctx, true) // Whether it is empty shows in its beginning alone.
	if err != nil {
		return err
	}
	if file.size == 0 {
		return ReasonError("is empty, which the service refuses (1018)")
	}
	kind := part.ContentType
	if kind == "" {
		kind = file.kind
	}
	header.Set("Content-Disposition", `form-data; name="`+escape(part.Field)+`"; filename="`+escape(part.FileName)+`"`)
	header.Set("Content-Type", kind)
	if _, err = w.CreatePart(header); err != nil {
		return err
	}
	f.cut()
	f.pieces = append(f.pieces, piece{file: file})
	return nil
}

// cut ends a text.
func (f *form) cut() {
	f.pieces = append(f.pieces, piece{text: bytes.Clone(f.text.Bytes())})
	f.text.Reset()
}

func (f *form) upload() *transport.Upload {
	body := &transport.Upload{Open: func() io.ReadCloser { return f.open() }}
	for _, p := range f.pieces {
		switch {
		case p.file == nil:
			body.Length += int64(len(p.text))
			continue
		case p.file.size < 0:
			body.Length = unknown
		default:
			body.Length += p.file.size
		}
		body.Once = body.Once || p.file.once
	}
	if body.Length < 0 {
		body.Length = -1
	}
	return body
}

// unknown stays negative, whatever is added to it.
const unknown = -1 << 62

// open begins the form anew. A file is opened when its turn has come.
func (f *form) open() io.ReadCloser {
	var all opened
	readers := make([]io.Reader, len(f.pieces))
	for i, p := range f.pieces {
		readers[i] = bytes.NewReader(p.text)
		if p.file != nil {
			file := &reading{content: p.file}
			readers[i] = file
			all.files = append(all.files, file)
		}
	}
	all.Reader = io.MultiReader(readers...)
	return &all
}

// opened is a form that is being read.
type opened struct {
	io.Reader

	files []*reading
}

// Close closes the files that were opened.
func (o *opened) Close() error {
	for _, file := range o.files {
		file.Close() //nolint:errcheck // Nothing was written.
	}
	return nil
}

// escape writes a name as browsers do: in UTF-8, but for the three characters that
// would end it.
func escape(name string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(strings.ToValidUTF8(name, "\ufffd"))
}
