package salesiq

import (
	"bytes"
	"cmp"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/upload"
	"github.com/salesiq-go/salesiq/internal/usercode"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CallOption adjusts a single call. If an option refuses its argument, the call
// fails with an [InputError] before any request.
type CallOption func(*callOptions) error

type callOptions struct {
	header      http.Header
	idempotent  bool
	maxAttempts int
	response    *responseTaker // Nil for none.
	operation   string
	ids         []string
	query       url.Values
	fresh       bool
}

// Response is the answer of a call, for [WithResponse].
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte // As it arrived, after inflation.
	Attempts   int    // 0 for an answer that was kept; see WithCache.
	Total      int    // Items on all pages of a list; 0 where the service does not tell.
	RateWindow RateWindow
}

// WithResponse fills r with the answer of a call. If the call makes several requests,
// r has the answer of the last one. Header and Body are the caller's own and may be
// changed.
//
// After a call that fails, r has the answer that says so, if there was one, but no
// Body; see [Error]. Beside an iterator, r belongs to the page that the loop is at, so
// that a progress bar knows the Total from the first item on.
func WithResponse(r *Response) CallOption {
	taker := &responseTaker{response: r}
	return func(o *callOptions) error {
		o.response = taker
		if r == nil {
			return inputError("response", "must not be nil")
		}
		return nil
	}
}

// withoutResponse takes back a WithResponse before it.
func withoutResponse(o *callOptions) error { o.response = nil; return nil }

// responseTaker fills a Response, by one call at a time.
type responseTaker struct {
	mu       sync.Mutex
	response *Response
}

func (t *responseTaker) take(r Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.response = r
}

// WithIdempotent declares that the call may be carried out twice without harm,
// so that it is retried like a GET.
func WithIdempotent() CallOption {
	return func(o *callOptions) error { o.idempotent = true; return nil }
}

// WithCallAttempts is [WithMaxAttempts] for one call.
func WithCallAttempts(n int) CallOption {
	return func(o *callOptions) error {
		o.maxAttempts = n
		return between("max attempts", n, 1, mostAttempts)
	}
}

// WithOperation names a call of [Client.Do], which has no name of its own, in
// errors and logs. Other calls refuse it.
func WithOperation(name string) CallOption {
	return func(o *callOptions) error {
		o.operation = name
		return cmp.Or(required("operation", name), printable("operation", name))
	}
}

// WithIDs fills the names in braces in the path of [Client.Do], each as one
// escaped segment: "/conversations/{id}". Other calls refuse it.
func WithIDs(ids ...string) CallOption {
	ids = slices.Clone(ids)
	return func(o *callOptions) error { o.ids = ids; return nil }
}

// WithQuery adds params to the query of a call: a struct with json tags, a map, or
// [url.Values]. What is null is left out. Parameters that the call sets itself are not
// replaced.
func WithQuery(params any) CallOption {
	query, err := queryOf(params)
	return func(o *callOptions) error { o.query = query; return err }
}

func queryOf(params any) (url.Values, error) {
	if query, ok := params.(url.Values); ok {
		return url.Values(http.Header(query).Clone()), nil
	}
	if err := given("params", params); err != nil {
		return nil, err
	}
	query, err := wire.Query(params)
	if err != nil {
		return nil, inputError("params", "cannot be a query: "+err.Error())
	}
	return query, nil
}

// WithHeader sets a header of the request. Authorization and User-Agent are the
// client's own and cannot be set. Neither can Idempotency-Key, which makes net/http
// repeat a POST by itself. For these, and for a name or value that no header can
// have, the call fails with an [InputError].
func WithHeader(name, value string) CallOption {
	return func(o *callOptions) error {
		name := http.CanonicalHeaderKey(name)
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Set(name, value)
		return checkHeader(name, value)
	}
}

func checkHeader(name, value string) error {
	if ownHeader(name) {
		return inputError("header "+name, "cannot be set: it is the client's own")
	}
	return cmp.Or(token("header name", name), printable("header "+name, value))
}

// ownHeader reports whether only the client itself may set a header.
func ownHeader(name string) bool {
	switch name {
	case "Authorization", "User-Agent", "Idempotency-Key", "X-Idempotency-Key":
		return true
	case "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade": // net/http leaves these out, or refuses them.
		return true
	}
	return false
}

func newCallOptions(opts []CallOption) (callOptions, error) {
	if len(opts) == 0 {
		return callOptions{}, nil // It stays off the heap.
	}
	options := new(callOptions)
	for _, option := range opts {
		if option == nil {
			return callOptions{}, inputError("call option", "must not be nil")
		}
		if err := option(options); err != nil {
			return callOptions{}, err
		}
	}
	return *options, nil
}

// checkFor refuses the options that a call has no use for.
func (o *callOptions) checkFor(c *call) error {
	switch {
	case c.free:
	case o.operation != "":
		return inputError("operation", "is this call's own: WithOperation is for Do")
	case len(o.ids) > 0:
		return inputError("ids", "are this call's arguments: WithIDs is for Do")
	}
	return nil
}

// addTo returns query with the parameters of WithQuery that are not in it.
func (o *callOptions) addTo(query url.Values) url.Values {
	if o.query == nil {
		return query
	}
	all := maps.Clone(o.query)
	maps.Copy(all, query)
	return all
}

// keepFailure hands an answer that is a failure to WithResponse.
func (o *callOptions) keepFailure(answer *transport.Answer, err error) {
	failure, ok := errors.AsType[*transport.Failure](err)
	if o.response == nil || !ok || failure.Status == 0 {
		return
	}
	o.response.take(Response{
		StatusCode: failure.Status,
		Header:     failure.Header.Clone(),
		Attempts:   answer.Attempts,
		RateWindow: rateWindow(failure.Header),
	})
}

// keepTotal hands the number of items of a list to WithResponse.
func (o *callOptions) keepTotal(n int) {
	if o.response != nil && n > 0 {
		o.response.mu.Lock()
		defer o.response.mu.Unlock()
		o.response.response.Total = n
	}
}

// keep hands the answer to WithResponse.
func (o *callOptions) keep(answer *transport.Answer) {
	if o.response == nil {
		return
	}
	o.response.take(Response{
		StatusCode: answer.Status,
		Header:     answer.Header.Clone(),
		Body:       bytes.Clone(answer.Body),
		Attempts:   answer.Attempts,
		RateWindow: rateWindow(answer.Header),
	})
}

// File is a file to send: a value of a [Multipart], or the whole body of
// [Client.Do].
//
// It is read while it is sent, and never held in memory as a whole. A call is
// repeated only if its file can be read again: with Open, or if Content is an
// [io.Seeker], from where it stands. Otherwise the call fails where others are
// repeated. What has been sent in part counts as sent, so that a POST may have been
// processed. Nothing reads the file after the call has returned, unless a read was
// still waiting when its context ended.
type File struct {
	// Name is what the recipient sees. Folders are left out. The default is the
	// Name of Content, if it has that method, as an [os.File] does.
	Name string

	// ContentType is found out from the file's beginning by default.
	ContentType string

	Content io.Reader                     // Either this
	Open    func() (io.ReadCloser, error) // or this is required. Each attempt opens, reads and closes.

	// Size is needed only for a reader that is neither an [io.Seeker] nor tells its
	// Len. Without it, the file is sent in chunks.
	Size int64

	// Progress is told how many bytes the connection has taken, and how many there
	// are, or -1 if that is not known. A call that is repeated begins at the first
	// byte again. Progress runs in a goroutine of the call's.
	Progress func(sent, total int64)
}

func (f *File) source(limit int64) upload.Source {
	return upload.Source{Content: f.Content, Open: f.Open, Size: f.Size, Max: limit, Progress: f.Progress}
}

func (f *File) check(field string) error {
	switch {
	case f.Open != nil && f.Content != nil:
		return inputError(field, "must have Content or Open, not both")
	case f.Open == nil && usercode.IsNil(f.Content):
		return inputError(field, "needs Content or Open")
	}
	return printable(field+" content type", f.ContentType)
}

// name returns the name of the file without folders, of either kind.
func (f *File) name() string {
	name := f.Name
	if named, ok := f.Content.(interface{ Name() string }); ok && name == "" {
		name = named.Name()
	}
	return baseName(name)
}

func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == ".." || name == "/" {
		return ""
	}
	return name
}

// Multipart is a body of [Client.Do] that is a form with files, by the names of its
// fields. Values are texts and files: string, *[File]. Texts are sent first.
//
//	salesiq.Multipart{"comment": "Our offer", "file": &salesiq.File{Content: file}}
//
// A file has at most 50 MB, as the service wants it, and is not empty.
type Multipart map[string]any

// maxFile is how large a file the service takes, which its vendor gives as 50 MB.
const maxFile = 50 << 20

// parts returns the parts of the form, texts first, each kind by name.
func (m Multipart) parts() ([]upload.Part, error) {
	var texts, files []upload.Part
	for _, field := range slices.Sorted(maps.Keys(m)) {
		switch value := m[field].(type) {
		case string:
			texts = append(texts, upload.Part{Field: field, Text: value})
		case *File:
			if value == nil {
				return nil, inputError(field, "must not be a nil pointer")
			}
			name := value.name()
			if err := cmp.Or(value.check(field), required(field+" name", name)); err != nil {
				return nil, err
			}
			files = append(files, upload.Part{Field: field, FileName: name, ContentType: value.ContentType, Source: value.source(maxFile)})
		default:
			return nil, inputError(field, fmt.Sprintf("must be a string or a *File; it is a %T", value))
		}
	}
	if len(texts)+len(files) == 0 {
		return nil, inputError("body", "needs at least one field")
	}
	return append(texts, files...), nil
}

// Download is an out of [Client.Do] that takes the answer as a file and writes it as
// it arrives, whatever is in it.
//
// An answer that breaks off is asked for again if the method allows it, and if To has
// not been written to or can be cut back, as an [os.File] can. After an error, To
// may have some of the file.
//
// A redirect is followed to a file host of Zoho's, and to the API's own host, without
// the token. A file host has the name of zoho, zohopublic, zohocdn, zohocloud or
// zohousercontent under an ending of Zoho's, and is reached by https. Others are
// refused with [ErrRedirect], and so is the host where people sign in.
//
// Under status 200, an answer that does not call itself a file by the header
// Content-Disposition may be the service's refusal: a JSON object that holds nothing
// but an error. It is one, then, and a page of HTML is an [ErrDecode].
type Download struct {
	To io.Writer // Required.

	// MaxBytes bounds the file in place of [WithMaxBody]; 100 MiB by default. A file
	// that is larger fails with [ErrTooLarge].
	MaxBytes int64

	// These are set by the call.
	Name        string // That the service gives the file, without folders; empty if it gives none.
	ContentType string
	Size        int64 // Bytes that To has taken.
}

// defaultMaxDownload leaves room for twice what an upload may have.
const defaultMaxDownload = 100 << 20

func (d *Download) check() error {
	if usercode.IsNil(d.To) {
		return inputError("to", "must not be nil")
	}
	if d.MaxBytes < 0 {
		return inputError("max bytes", "must not be negative")
	}
	return nil
}

// fill takes over what a call has found out.
func (d *Download) fill(from *transport.Download) {
	_, params, _ := mime.ParseMediaType(from.Header.Get("Content-Disposition")) //nolint:errcheck // As good as absent.
	d.Name, d.ContentType, d.Size = "", from.Header.Get("Content-Type"), from.Written
	if name := baseName(params["filename"]); printable("name", name) == nil {
		d.Name = name
	}
}

// encode puts what is sent into a request, and its content type into header.
func (c *call) encode(ctx context.Context, r *transport.Request) error {
	given := r.Header.Get("Content-Type")
	own := ""
	var err error
	switch content := bodyOf(c.content).(type) {
	case nil:
		return nil
	case Multipart:
		own, r.Upload, err = content.encode(ctx)
	case *File:
		own, r.Upload, err = content.encode(ctx)
	case url.Values:
		own, r.Body = "application/x-www-form-urlencoded", noneIfEmpty([]byte(content.Encode()))
	case []byte:
		r.Body = noneIfEmpty(content)
		return needsType(given)
	case json.Marshaler:
		return c.encodeJSON(r, given)
	case io.Reader:
		if err := needsType(given); err != nil {
			return err
		}
		r.Upload, err = upload.Raw(ctx, upload.Source{Content: content})
	default:
		return c.encodeJSON(r, given)
	}
	if own != "" && given != "" {
		return inputError("header Content-Type", "cannot be set: the body has its own")
	}
	if own != "" {
		r.Header = r.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Content-Type", own)
	}
	if err != nil && ctx.Err() != nil { // That may be why a file could not be read.
		return newError(c, &transport.Answer{}, transport.Ended(ctx))
	}
	return refusedFile("body", err)
}

// bodyOf returns what is to be sent in place of a value that would become JSON by
// mistake: a pointer to a form, a file that is none, bytes of a type of their own.
func bodyOf(content any) any {
	switch content := content.(type) {
	case *Multipart:
		return *content
	case *url.Values:
		return *content
	case File:
		return &content
	case json.Marshaler, encoding.TextMarshaler:
		return content
	}
	if v := reflect.ValueOf(content); v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return v.Bytes()
	}
	return content
}

// noneIfEmpty returns nil for an empty body, which is then sent as one of length 0
// instead of in chunks.
func noneIfEmpty(body []byte) []byte {
	if len(body) == 0 {
		return nil
	}
	return body
}

func (m Multipart) encode(ctx context.Context) (kind string, body *transport.Upload, err error) {
	parts, err := m.parts()
	if err != nil {
		return "", nil, err
	}
	kind, body, field, err := upload.Multipart(ctx, parts)
	return kind, body, refusedFile(field, err)
}

func (f *File) encode(ctx context.Context) (kind string, body *transport.Upload, err error) {
	if err := f.check("body"); err != nil {
		return "", nil, err
	}
	if f.ContentType != "" {
		body, err = upload.Raw(ctx, f.source(0))
		return f.ContentType, body, err
	}
	return upload.Sniffed(ctx, f.source(0))
}

// refusedFile names the field of a file that is refused.
func refusedFile(field string, err error) error {
	if reason, ok := errors.AsType[upload.ReasonError](err); ok {
		return inputError(field, string(reason))
	}
	return err
}

// needsType refuses bytes of which nobody says what they are. As JSON they would be a
// text.
func needsType(contentType string) error {
	if contentType == "" {
		return inputError("body", `needs a content type: WithHeader("Content-Type", …), or a *File`)
	}
	return nil
}

// encodeJSON sends the content as JSON, unless the caller calls it something else.
func (c *call) encodeJSON(r *transport.Request, contentType string) (err error) {
	if contentType != "" && !strings.Contains(strings.ToLower(contentType), "json") {
		return inputError("body", fmt.Sprintf("is sent as JSON, not as %s: see Multipart, url.Values, []byte and io.Reader", contentType))
	}
	if r.Body, r.Secrets, err = wire.MarshalRequest(c.content); err != nil {
		return inputError("body", "cannot be encoded: "+err.Error())
	}
	if c.changes && string(r.Body) == "{}" {
		return inputError("update", "changes nothing: set a field")
	}
	return nil
}
