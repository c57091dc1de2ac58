package salesiq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/live"
)

// sentBody makes a call, and returns the content type and body of its request.
func sentBody(t *testing.T, in any, opts ...salesiq.CallOption) (contentType, body string, err error) {
	t.Helper()
	s := testkit.NewServer(t, testkit.OK())
	err = faultyClient(t, s).Do(t.Context(), "POST", "/things", in, nil, opts...)
	if err != nil {
		assert.Empty(t, s.Received(), "before any request")
		return "", "", err
	}
	received := s.Received()
	require.Len(t, received, 1)
	return received[0].Header.Get("Content-Type"), received[0].Body, nil
}

func TestABodyIsSentAsItsTypeSays(t *testing.T) {
	t.Parallel()
	csv := salesiq.WithHeader("Content-Type", "text/csv")
	for name, tt := range map[string]struct {
		in         any
		opts       []salesiq.CallOption
		kind, body string
	}{
		"a struct":           {struct{ A int }{1}, nil, "application/json", `{"A":1}`},
		"JSON of its own":    {json.RawMessage(`{"a":1}`), nil, "application/json", `{"a":1}`},
		"JSON of another":    {map[string]int{"a": 1}, []salesiq.CallOption{salesiq.WithHeader("Content-Type", "application/merge-patch+json")}, "application/merge-patch+json", `{"a":1}`},
		"a form":             {url.Values{"a": {"1", "2"}, "b": {"&"}}, nil, "application/x-www-form-urlencoded", "a=1&a=2&b=%26"},
		"bytes":              {[]byte("a,b"), []salesiq.CallOption{csv}, "text/csv", "a,b"},
		"a reader":           {strings.NewReader("a,b"), []salesiq.CallOption{csv}, "text/csv", "a,b"},
		"a buffer":           {bytes.NewBufferString("a,b"), []salesiq.CallOption{csv}, "text/csv", "a,b"},
		"a file":             {&salesiq.File{Content: strings.NewReader("%PDF-1.7 …")}, nil, "application/pdf", "%PDF-1.7 …"},
		"a file with a type": {&salesiq.File{Content: strings.NewReader("a,b"), ContentType: "text/csv"}, nil, "text/csv", "a,b"},
		"a file to open": {&salesiq.File{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("a,b")), nil }},
			nil, "text/plain; charset=utf-8", "a,b"},
		"a reader that cannot seek": {&salesiq.File{Content: io.MultiReader(strings.NewReader(strings.Repeat("a", 1000)))}, nil, "text/plain; charset=utf-8", strings.Repeat("a", 1000)},
		"a file by value":           {salesiq.File{Content: strings.NewReader("%PDF-1.7")}, nil, "application/pdf", "%PDF-1.7"},
		"a form by pointer":         {&url.Values{"a": {"1"}}, nil, "application/x-www-form-urlencoded", "a=1"},
		"bytes of a type of theirs": {ownBytes("a,b"), []salesiq.CallOption{csv}, "text/csv", "a,b"},
		"bytes that are JSON":       {[]byte(`{"a":1}`), []salesiq.CallOption{salesiq.WithHeader("content-type", "application/json")}, "application/json", `{"a":1}`},
		"no bytes":                  {[]byte{}, []salesiq.CallOption{csv}, "text/csv", ""},
		"an empty form":             {url.Values{}, nil, "application/x-www-form-urlencoded", ""},
		"an empty file":             {&salesiq.File{Content: strings.NewReader("")}, nil, "text/plain; charset=utf-8", ""},
	} {
		kind, body, err := sentBody(t, tt.in, tt.opts...)
		require.NoError(t, err, name)
		assert.Equal(t, tt.kind, kind, name)
		assert.Equal(t, tt.body, body, name)
	}
}

// ownBytes would become a text in base64 as JSON.
type ownBytes []byte

func TestAnEmptyBodyHasALength(t *testing.T) {
	t.Parallel()
	for why, in := range map[string]any{"a form": url.Values{}, "no form": url.Values(nil), "bytes": []byte{}} {
		s := testkit.NewServer(t, testkit.OK())
		var opts []salesiq.CallOption
		if why == "bytes" {
			opts = append(opts, salesiq.WithHeader("Content-Type", "text/csv"))
		}
		require.NoError(t, faultyClient(t, s).Do(t.Context(), "POST", "/things", in, nil, opts...), why)
		received := s.Received()
		require.Len(t, received, 1)
		assert.Equal(t, "0", received[0].Header.Get("Content-Length"), "%s: servers refuse chunks of nothing", why)
		assert.NotEmpty(t, received[0].Header.Get("Content-Type"), why)
	}
}

func TestABodyThatWouldBeSentAsSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	form := salesiq.WithHeader("Content-Type", "multipart/form-data; boundary=b")
	file := func() *salesiq.File { return &salesiq.File{Name: "a", Content: strings.NewReader("a")} }
	for reason, tt := range map[string]struct {
		in  any
		opt salesiq.CallOption
	}{
		"body is sent as JSON, not as multipart/form-data":  {map[string]string{"a": "b"}, form},
		"body needs a content type":                         {[]byte("a"), salesiq.WithIdempotent()},
		"body needs a content type: WithHeader(":            {ownBytes("a"), salesiq.WithIdempotent()},
		"a must be a string or a *File":                     {&salesiq.Multipart{"a": 1}, salesiq.WithIdempotent()},
		"file is empty, which the service refuses (1018)":   {salesiq.Multipart{"file": &salesiq.File{Name: "a", ContentType: "text/plain", Content: io.MultiReader()}}, salesiq.WithIdempotent()},
		"is sent as JSON, not as multipart/form-data; b":    {"--b--", form},
		"body is sent as JSON, not as multipart/form-data;": {json.RawMessage(`{}`), form},
		"body needs a content type: WithHeader":             {strings.NewReader("a"), salesiq.WithIdempotent()},
		"Content-Type cannot be set":                        {salesiq.Multipart{"file": file()}, form},
		"Content-Type cannot be set: the body":              {url.Values{"a": {"b"}}, form},
		"Content-Type cannot be set: the body has its own":  {file(), form},
		"body needs at least one field":                     {salesiq.Multipart{}, salesiq.WithIdempotent()},
		"comment must be a string or a *File; it is a int":  {salesiq.Multipart{"comment": 1}, salesiq.WithIdempotent()},
		"file must not be a nil pointer":                    {salesiq.Multipart{"file": (*salesiq.File)(nil)}, salesiq.WithIdempotent()},
		"body must not be a nil pointer":                    {(*salesiq.File)(nil), salesiq.WithIdempotent()},
		"body needs Content or Open":                        {&salesiq.File{}, salesiq.WithIdempotent()},
		"content type must not hold control characters":     {salesiq.Multipart{"file": &salesiq.File{Name: "a", ContentType: "a\r\nb", Content: strings.NewReader("a")}}, salesiq.WithIdempotent()},
		"cannot be read: disk on fire":                      {salesiq.Multipart{"file": &salesiq.File{Name: "a", Open: func() (io.ReadCloser, error) { return nil, errors.New("disk on fire") }}}, salesiq.WithIdempotent()},
		"cannot be read: open returned nothing":             {&salesiq.File{Open: func() (io.ReadCloser, error) { return nil, nil }}, salesiq.WithIdempotent()},
	} {
		_, _, err := sentBody(t, tt.in, tt.opt)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, reason)
		require.ErrorContains(t, err, reason)
	}
}

func TestAFormIsWrittenAsBrowsersWriteIt(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"offer.pdf":              "offer.pdf",
		"Grüße, Fjäll.txt":       "Grüße, Fjäll.txt",
		"a\"b\r\nX-Evil: 1.txt":  "a%22b%0D%0AX-Evil: 1.txt",
		"/home/ada/offer.pdf":    "offer.pdf",
		`C:\Users\offer.pdf`:     "offer.pdf",
		"half an emoji \xf0\x9f": "half an emoji \ufffd",
	} {
		kind, body, err := sentBody(t, salesiq.Multipart{
			"file": &salesiq.File{Name: name, Content: strings.NewReader("content")}, "zeta": "last of the texts", "comment": "Zwölf\r\nBoxkämpfer",
		})
		require.NoError(t, err, name)
		_, params, err := mime.ParseMediaType(kind)
		require.NoError(t, err)
		assert.Equal(t, "--B\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nZwölf\r\nBoxkämpfer\r\n"+
			"--B\r\nContent-Disposition: form-data; name=\"zeta\"\r\n\r\nlast of the texts\r\n"+
			"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\""+want+"\"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ncontent\r\n--B--\r\n",
			strings.ReplaceAll(body, params["boundary"], "B"), name)
	}
}

func TestAFileThatIsSentAgainIsReadFromWhereItStood(t *testing.T) {
	t.Parallel()
	tooMany := testkit.Answer(429, "application/json", `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`, "Retry-After: 0")
	path := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(path, []byte("skipped, sent"), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })
	_, err = file.Seek(int64(len("skipped, ")), io.SeekStart)
	require.NoError(t, err)
	s := testkit.NewServer(t, tooMany, testkit.OK())
	var told []string
	content := &salesiq.File{Content: file, Progress: func(sent, total int64) { told = append(told, fmt.Sprint(sent, "/", total)) }}
	require.NoError(t, faultyClient(t, s).Do(t.Context(), "POST", "/things", salesiq.Multipart{"file": content}, nil))
	received := s.Received()
	require.Len(t, received, 2)
	for _, r := range received {
		assert.Contains(t, r.Body, "\r\n\r\nsent\r\n")
		assert.Contains(t, r.Body, `filename="notes.txt"`)
		assert.NotEmpty(t, r.Header.Get("Content-Length"))
	}
	assert.Equal(t, []string{"4/4", "4/4"}, told, "from the beginning again")

	s = testkit.NewServer(t, tooMany, testkit.OK())
	once := &salesiq.File{Name: "a", Content: io.MultiReader(strings.NewReader(strings.Repeat("a", 1000)))}
	err = faultyClient(t, s).Do(t.Context(), "POST", "/things", salesiq.Multipart{"file": once}, nil)
	require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
	assert.Len(t, s.Received(), 1)
	assert.True(t, salesiq.IsRetryable(err), "with the file once more")
}

func TestAFileThatChangesWhileItIsSentIsAnError(t *testing.T) {
	t.Parallel()
	for why, later := range map[string]string{"shorter": "ab", "longer": "abcd"} {
		s := testkit.NewServer(t, testkit.OK())
		opens := 0
		file := &salesiq.File{Name: "a", Size: 3, ContentType: "text/plain", Open: func() (io.ReadCloser, error) {
			if opens++; opens == 1 {
				return io.NopCloser(strings.NewReader("abc")), nil
			}
			return io.NopCloser(strings.NewReader(later)), nil
		}}
		err := faultyClient(t, s).Do(t.Context(), "PUT", "/things", salesiq.Multipart{"file": file}, nil)
		require.ErrorContains(t, err, "the body could not be read", why)
		assert.Empty(t, s.Received(), why)
		assert.Equal(t, 2, opens, why)
	}
}

func TestAReaderThatHangsBeforeTheRequestEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	reader, writer := io.Pipe()
	t.Cleanup(func() { assert.NoError(t, writer.Close()) })
	go cancel(cause)
	err := faultyClient(t, s).Do(ctx, "POST", "/things", salesiq.Multipart{"file": &salesiq.File{Name: "a", Content: reader}}, nil)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, context.Canceled)
	var failed *salesiq.Error
	require.ErrorAs(t, err, &failed)
	assert.Empty(t, s.Received())
}

// unencodable is a body that cannot be encoded, and cancels its call meanwhile.
type unencodable struct{ cancel context.CancelFunc }

func (c unencodable) MarshalJSON() ([]byte, error) {
	c.cancel()
	return nil, errors.New("no such thing")
}

// interrupted is a file that cannot be read since its call is canceled.
type interrupted struct{ cancel context.CancelFunc }

func (f interrupted) Read([]byte) (int, error) {
	f.cancel()
	return 0, context.Canceled
}

func TestContextMayBeWhyAFileCannotBeReadButNotWhyABodyCannotBeEncoded(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	ctx, cancel := context.WithCancel(t.Context())
	err := faultyClient(t, s).Do(ctx, "POST", "/things", unencodable{cancel}, nil)
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input)
	assert.Contains(t, input.Reason, "no such thing")
	assert.NotErrorIs(t, err, context.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	err = faultyClient(t, s).Do(ctx, "POST", "/things", &salesiq.File{Name: "a", Content: interrupted{cancel}}, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.Received())
}

func TestADownloadTellsWhatItIs(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		`attachment; filename="report.csv"`:                "report.csv",
		`attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.csv`: "Grüße.csv",
		`attachment; filename="../../etc/passwd"`:          "passwd",
		`attachment; filename="..\\..\\evil.exe"`:          "evil.exe",
		`attachment; filename=".."`:                        "",
		`attachment`:                                       "",
	} {
		s := testkit.NewServer(t, testkit.Answer(200, "text/csv", "a,b", "Content-Disposition: "+header))
		var to bytes.Buffer
		file := salesiq.Download{To: &to}
		require.NoError(t, faultyClient(t, s).Do(t.Context(), "GET", "/things", nil, &file))
		assert.Equal(t, want, file.Name, header)
		assert.Equal(t, "text/csv", file.ContentType)
		assert.Equal(t, int64(3), file.Size)
		assert.Equal(t, "a,b", to.String())
	}
}

func TestADownloadNeedsAWriterAndAWriterADownload(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	for reason, out := range map[string]any{
		"to must not be nil":                 &salesiq.Download{},
		"max bytes must not be negative":     &salesiq.Download{To: io.Discard, MaxBytes: -1},
		"out must be a pointer":              (*salesiq.Download)(nil),
		"give a *Download":                   new(bytes.Buffer),
		"out must be a pointer that is not ": salesiq.Download{},
	} {
		err := faultyClient(t, s).Do(t.Context(), "GET", "/things", nil, out)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, reason)
		require.ErrorContains(t, err, reason)
	}
	assert.Empty(t, s.Received())
}

func TestADownloadIsNotCachedAndHasACapOfItsOwn(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(200, "text/plain", strings.Repeat("x", 5000)))
	client := faultyClient(t, s, salesiq.WithCache(salesiq.Cache{}), salesiq.WithMaxBody(1024))
	for range 2 {
		var to bytes.Buffer
		require.NoError(t, client.Do(t.Context(), "GET", "/brands/b1", nil, &salesiq.Download{To: &to}))
		assert.Equal(t, 5000, to.Len())
	}
	assert.Len(t, s.Received(), 2)
	require.ErrorIs(t, client.Do(t.Context(), "GET", "/brands/b1", nil, &salesiq.Download{To: io.Discard, MaxBytes: 4999}), salesiq.ErrTooLarge)
}

func TestADownloadIsRedirectedToTheOwnHostAndNoOther(t *testing.T) {
	t.Parallel()
	elsewhere := testkit.NewServer(t, testkit.OK())
	s := testkit.NewServer(t, testkit.Redirect(302, "/files/1"), testkit.Answer(200, "text/plain", "a file"), testkit.Redirect(302, elsewhere.URL))
	var to bytes.Buffer
	client := faultyClient(t, s)
	require.NoError(t, client.Do(t.Context(), "GET", "/f", nil, &salesiq.Download{To: &to}))
	assert.Equal(t, "a file", to.String())
	assert.NotEmpty(t, s.Received()[0].Header.Get("Authorization"))
	assert.Empty(t, s.Received()[1].Header.Get("Authorization"))

	require.ErrorIs(t, client.Do(t.Context(), "GET", "/f", nil, &salesiq.Download{To: &to}), salesiq.ErrRedirect)
	assert.Zero(t, elsewhere.Connections())
}

func TestAnEmptyListMayHaveNoBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
	require.NoError(t, err)
	specified, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL))
	require.NoError(t, err)

	page, err := specified.Chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.NotNil(t, page.Items)
	assert.Empty(t, page.Items)
	for range specified.Operators.All(t.Context(), nil) {
		t.Error("there is none")
	}
	transcript, err := specified.Chats.Transcript(t.Context(), "c1")
	require.NoError(t, err)
	assert.Empty(t, transcript)
	for range live.New(client).Conversations.All(t.Context(), nil) {
		t.Error("there is none")
	}
	_, err = specified.Chats.Get(t.Context(), "c1")
	require.ErrorIs(t, err, salesiq.ErrDecode, "an object is due")
}

func TestSomeOfWhatWasAskedForIsNotAll(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(207, "application/json", `{"data":[{"status":"success"},{"status":"error","code":"DUPLICATE_RESOURCE","message":"there is one"}]}`))
	err := faultyClient(t, s).Do(t.Context(), "POST", "/things", []int{1, 2}, nil)
	require.ErrorIs(t, err, salesiq.ErrDuplicateResource)
	require.ErrorIs(t, err, salesiq.ErrMaybeProcessed)
	require.ErrorContains(t, err, "1 of 2 failed")
	assert.False(t, salesiq.IsRetryable(err))
}

func TestTwoFilesAreSentAgainWithTheirProgress(t *testing.T) {
	t.Parallel()
	tooMany := testkit.Answer(429, "application/json", `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`, "Retry-After: 0")
	s := testkit.NewServer(t, tooMany, testkit.OK())
	var told []string
	file := func(name string, content io.Reader) *salesiq.File {
		return &salesiq.File{Name: name, Content: content, Progress: func(sent, total int64) {
			if sent == total {
				told = append(told, fmt.Sprint(name, " ", total))
			}
		}}
	}
	require.NoError(t, faultyClient(t, s).Do(t.Context(), "POST", "/things", salesiq.Multipart{
		"a": file("a", strings.NewReader(strings.Repeat("a", 100_000))), "b": file("b", io.MultiReader(strings.NewReader("short"))),
	}, nil))
	assert.Equal(t, []string{"a 100000", "b 5", "a 100000", "b 5"}, told)
	for _, r := range s.Received() {
		assert.Contains(t, r.Body, "\r\n\r\nshort\r\n")
	}
}

func TestAnEmptyListMayHaveNoBodyOnALaterPage(t *testing.T) {
	t.Parallel()
	operators := make([]string, 100)
	for i := range operators {
		operators[i] = fmt.Sprintf(`{"id":"o%d"}`, i)
	}
	full := `{"status":"success","data":[` + strings.Join(operators, ",") + `]}`
	s := testkit.NewServer(t, testkit.JSON(full), testkit.Empty(204))
	count := 0
	for _, err := range faultyClient(t, s).Operators.All(t.Context(), nil) {
		require.NoError(t, err)
		count++
	}
	assert.Equal(t, 100, count)
	assert.Len(t, s.Received(), 2)
}

func TestADownloadTakesAsMuchAsItsCapAndNoMore(t *testing.T) {
	t.Parallel()
	for size, fits := range map[int]bool{999: true, 1000: true, 1001: false} {
		for why, opts := range map[string][]string{"told": nil, "in chunks": {"Transfer-Encoding: chunked"}} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/octet-stream")
				if opts != nil {
					w.WriteHeader(http.StatusOK)
					w.(http.Flusher).Flush()
				}
				_, err := w.Write(make([]byte, size))
				assert.NoError(t, err)
			}))
			client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL))
			require.NoError(t, err)
			var to bytes.Buffer
			err = client.Do(t.Context(), "GET", "/f", nil, &salesiq.Download{To: &to, MaxBytes: 1000})
			server.Close()
			assert.LessOrEqual(t, to.Len(), 1000)
			if !fits {
				require.ErrorIs(t, err, salesiq.ErrTooLarge, "%d, %s", size, why)
				continue
			}
			require.NoError(t, err, "%d, %s", size, why)
			assert.Equal(t, size, to.Len())
		}
	}
}

func TestSomeOfWhatWasAskedForFailsUnderTheVendorsName(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(207, "application/json", `{"data":[{"status":"success"},{"status":"error","code":"OAUTH_SCOPE_MISMATCH","message":"m"}]}`))
	err := faultyClient(t, s).Do(t.Context(), "POST", "/chats", []int{1, 2}, nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
	require.ErrorContains(t, err, "1 of 2 failed")
	assert.Len(t, s.Received(), 1)
}
