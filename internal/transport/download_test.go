package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// The tests of this file fetch files on real connections.

func downloadOf(url, method string, to io.Writer) *transport.Request {
	r := requestTo(url, method)
	r.Body = nil
	r.Download = &transport.Download{To: to, Limit: 1 << 20, Follow: nowhere}
	return r
}

func nowhere(*url.URL) bool { return false }

const attachment = "Content-Disposition: attachment; filename=report.json"

func TestFileIsWrittenWhateverIsInIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file   testkit.Behavior
		want   string
		refuse string // The code of a refusal.
		cause  error
	}{
		"JSON with an error and more":     {file: testkit.JSON(`{"error":{"code":1019,"message":"m"},"rows":[]}`), want: `{"error":{"code":1019,"message":"m"},"rows":[]}`},
		"JSON with a text as its error":   {file: testkit.JSON(`{"error":"disk full"}`), want: `{"error":"disk full"}`},
		"JSON that has failed":            {file: testkit.JSON(`{"status":"error","jobs":2}`), want: `{"status":"error","jobs":2}`},
		"an attachment that is an error":  {file: testkit.Answer(200, "application/json", `{"error":{"code":1019,"message":"m"}}`, attachment), want: `{"error":{"code":1019,"message":"m"}}`},
		"an attachment that is a page":    {file: testkit.Answer(200, "text/html", `<html>`, attachment), want: `<html>`},
		"half a JSON":                     {file: testkit.JSON(`{"a":`), want: `{"a":`},
		"nothing":                         {file: testkit.Empty(200), want: ""},
		"a deep one":                      {file: testkit.JSON(strings.Repeat("[", 100_000)), want: strings.Repeat("[", 100_000)},
		"a refusal of the live service":   {file: testkit.JSON(`{"error":{"code":1019,"message":"gone"}}`), refuse: "RESOURCE_NOT_FOUND"},
		"a refusal as specified":          {file: testkit.JSON(`{"status":"error","code":"PERMISSION_DENIED","message":"no","details":{}}`), refuse: "PERMISSION_DENIED"},
		"a refusal by status":             {file: testkit.Answer(404, "application/json", `{"status":"error","code":"RESOURCE_NOT_FOUND"}`), refuse: "RESOURCE_NOT_FOUND"},
		"a proxy's page":                  {file: testkit.HTML(200, "<html>sign in"), cause: transport.ErrDecode},
		"no file at all":                  {file: testkit.Empty(204), cause: transport.ErrDecode},
		"an answer that it is being made": {file: testkit.Answer(202, "application/json", `{"data":{"job":1}}`), cause: transport.ErrDecode},
		"a part that nobody asked for":    {file: testkit.Answer(206, "text/plain", `abc`), cause: transport.ErrDecode},
		"more than the limit":             {file: testkit.Huge(2 << 20), cause: transport.ErrTooLarge},
		"a bomb":                          {file: testkit.GzipBomb(3), cause: transport.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, tt.file)
			var to bytes.Buffer
			r := downloadOf(s.URL, "GET", &to)
			_, err := transport.New(config(metered(t, s))).Do(t.Context(), r)
			assert.LessOrEqual(t, int64(to.Len()), r.Download.Limit)
			assert.Equal(t, int64(to.Len()), r.Download.Written)
			assert.Equal(t, "*/*", s.Received()[0].Header.Get("Accept"))
			switch {
			case tt.refuse != "":
				assert.Equal(t, tt.refuse, failure(t, err).Said.Code)
				assert.Zero(t, to.Len())
			case tt.cause != nil:
				require.ErrorIs(t, err, tt.cause)
			default:
				require.NoError(t, err)
				assert.Equal(t, tt.want, to.String())
			}
			assert.Len(t, s.Received(), 1)
		})
	}
}

func TestFileOfExactlyTheCapIsWritten(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(200, "text/plain", strings.Repeat("x", 100_000)))
	for limit, fits := range map[int64]bool{100_000: true, 99_999: false} {
		var to bytes.Buffer
		r := downloadOf(s.URL, "GET", &to)
		r.Download.Limit = limit
		c := config(metered(t, s))
		c.MaxBody = 10 // Is not about files.
		_, err := transport.New(c).Do(t.Context(), r)
		assert.Equal(t, fits, err == nil, err)
	}
}

func TestFileThatBreaksOffIsFetchedAgainIfTheWriterCanBeginAnew(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("line\n", 20_000)
	for _, tt := range []struct {
		method, to string
		first      testkit.Behavior
		received   int
		maybe      bool
	}{
		{"GET", "file", testkit.ShortBody(long), 2, false},
		{"GET", "append", testkit.ShortBody(long), 2, false},
		{"GET", "buffer", testkit.ShortBody(long), 1, false},
		{"GET", "buffer", testkit.ResetAfter(), 2, false}, // Nothing was written.
		{"GET", "file", testkit.BrokenChunk(long), 2, false},
		{"POST", "file", testkit.ShortBody(long), 1, true},
	} {
		s := testkit.NewServer(t, tt.first, testkit.Answer(200, "text/plain", "whole"))
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, []byte("before "), 0o600))
		flags := os.O_RDWR
		if tt.to == "append" {
			flags |= os.O_APPEND
		}
		file, err := os.OpenFile(path, flags, 0)
		require.NoError(t, err)
		if tt.to == "file" {
			_, err = file.Seek(0, io.SeekEnd)
			require.NoError(t, err)
		}
		var to io.Writer = file
		var buffer bytes.Buffer
		if tt.to == "buffer" {
			to = &buffer
		}
		r := downloadOf(s.URL, tt.method, to)
		_, err = transport.New(config(metered(t, s))).Do(t.Context(), r)
		require.NoError(t, file.Close())
		assert.Len(t, s.Received(), tt.received, tt)
		if tt.received == 1 {
			require.ErrorIs(t, err, transport.ErrTransport, tt)
			assert.Equal(t, tt.maybe, failure(t, err).MaybeProcessed)
			assert.Equal(t, int64(len(long)), r.Download.Written)
			continue
		}
		require.NoError(t, err, tt)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		if tt.to == "buffer" {
			content = append([]byte("before "), buffer.Bytes()...)
		}
		assert.Equal(t, "before whole", string(content), "%s: what was there before stays", tt.to)
	}
}

func TestFailureOfTheCallersWriterEndsTheCall(t *testing.T) {
	t.Parallel()
	errFull := errors.New("disk full")
	for why, write := range map[string]func([]byte) (int, error){
		"an error":    func([]byte) (int, error) { return 0, errFull },
		"a panic":     func([]byte) (int, error) { panic(errFull) },
		"too little":  func(b []byte) (int, error) { return len(b) / 2, nil },
		"none of it":  func([]byte) (int, error) { return 0, nil },
		"impossible":  func([]byte) (int, error) { return -1, nil },
		"half, error": func(b []byte) (int, error) { return len(b) / 2, errFull },
	} {
		s := testkit.NewServer(t, testkit.Answer(200, "text/plain", "a file"))
		_, err := transport.New(config(metered(t, s))).Do(t.Context(), downloadOf(s.URL, "GET", writerFunc(write)))
		require.Error(t, err, why)
		require.NotErrorIs(t, err, transport.ErrTransport, why)
		assert.Len(t, s.Received(), 1, why)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestSlowWriterIsNoStalledAnswerAndATrickleIs(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(200, "text/plain", strings.Repeat("x", 500_000)))
	c := config(metered(t, s))
	c.AttemptTimeout, c.StallTimeout = 200*time.Millisecond, 100*time.Millisecond
	var to bytes.Buffer
	_, err := transport.New(c).Do(t.Context(), downloadOf(s.URL, "GET", writerFunc(func(b []byte) (int, error) {
		time.Sleep(40 * time.Millisecond) // Real connections have no virtual time.
		return to.Write(b)
	})))
	require.NoError(t, err)
	assert.Equal(t, 500_000, to.Len())

	s = testkit.NewServer(t, testkit.Trickle(20*time.Millisecond))
	c.Base, c.MaxAttempts = metered(t, s), 1
	start := time.Now()
	_, err = transport.New(c).Do(t.Context(), downloadOf(s.URL, "GET", io.Discard))
	require.Error(t, err)
	assert.Less(t, time.Since(start), 10*time.Second, "it moves, but not fast enough")
}

func TestRedirectToAFileHostIsFollowedWithoutTheToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method   string
		status   int
		files    []testkit.Behavior
		follow   bool
		want     string
		received int // By the file host.
		api      int
		cause    error
	}{
		"followed":                   {"GET", 302, []testkit.Behavior{testkit.Answer(200, "text/plain", "a file")}, true, "a file", 1, 1, nil},
		"followed by all":            {"GET", 308, []testkit.Behavior{testkit.Answer(200, "text/plain", "a file")}, true, "a file", 1, 1, nil},
		"a POST becomes a GET":       {"POST", 303, []testkit.Behavior{testkit.Answer(200, "text/plain", "a file")}, true, "a file", 1, 1, nil},
		"a POST is not made again":   {"POST", 307, nil, true, "", 0, 1, transport.ErrRedirect},
		"another host":               {"GET", 302, nil, false, "", 0, 1, transport.ErrRedirect},
		"a file host that refuses":   {"GET", 302, []testkit.Behavior{testkit.Answer(401, "application/json", `{"status":"error","code":"INVALID_TOKEN"}`)}, true, "", 1, 1, nil},
		"a file host out of order":   {"GET", 302, []testkit.Behavior{testkit.HTML(503, "<html>"), testkit.Answer(200, "text/plain", "a file")}, true, "a file", 2, 2, nil},
		"a file host with a limit":   {"GET", 302, []testkit.Behavior{testkit.HTML(429, "<html>"), testkit.Answer(200, "text/plain", "a file")}, true, "a file", 2, 2, nil},
		"a file host that breaks":    {"GET", 302, []testkit.Behavior{testkit.ResetAfter(), testkit.Answer(200, "text/plain", "a file")}, true, "a file", 2, 2, nil},
		"redirects without end":      {"GET", 302, []testkit.Behavior{testkit.Redirect(302, "/again")}, true, "", 3, 1, transport.ErrRedirect},
		"a file host's own redirect": {"GET", 302, []testkit.Behavior{testkit.Redirect(302, "/there"), testkit.Answer(200, "text/plain", "a file")}, true, "a file", 2, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.files == nil {
				tt.files = []testkit.Behavior{testkit.OK()}
			}
			files := testkit.NewServer(t, tt.files...)
			api := testkit.NewServer(t, testkit.Redirect(tt.status, files.URL+"/f?sig=s3cret"))
			tokens := &tokens{current: "Zoho-oauthtoken t0ken"}
			c := config(metered(t, api))
			c.Tokens = tokens
			var to bytes.Buffer
			r := downloadOf(api.URL, tt.method, &to)
			r.Header = http.Header{"X-Own": {"mine"}}
			r.Download.Follow = func(u *url.URL) bool { return tt.follow && u.Host == strings.TrimPrefix(files.URL, "http://") }
			_, err := transport.New(c).Do(t.Context(), r)
			assert.Equal(t, tt.want, to.String())
			assert.Len(t, api.Received(), tt.api)
			require.Len(t, files.Received(), tt.received)
			for _, r := range files.Received() {
				assert.Equal(t, "GET", r.Method)
				assert.NotContains(t, fmt.Sprint(r.Header), "t0ken")
				assert.Empty(t, r.Header.Get("X-Own"))
			}
			assert.Equal(t, "Zoho-oauthtoken t0ken", tokens.current, "what a file host says is not about the token")
			if tt.want == "" {
				require.Error(t, err)
				assert.NotContains(t, err.Error(), "s3cret")
				assert.Equal(t, tt.method == "POST", failure(t, err).MaybeProcessed)
			}
			if tt.cause != nil {
				require.ErrorIs(t, err, tt.cause)
			}
		})
	}
}

func TestPartsOfWhichOneFailedAreNoSuccess(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		ok   bool
		code string
	}{
		`{"data":[{"status":"success","code":"SUCCESS"},{"status":200}]}`:                           {ok: true},
		`[{"status":"success"},{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"slow"}]`:   {code: "RATE_LIMIT_EXCEEDED"},
		`{"data":[{"status":"success"},{"status":"error","code":"INVALID_TOKEN","message":"old"}]}`: {code: "INVALID_TOKEN"},
		`{"data":[{"status":404},{"status":200}]}`:                                                  {},
		`{"data":[{"id":"1"},{"id":"2"}]}`:                                                          {},
		`{"data":[{"code":"SUCCESS"},{"error":{"code":1019,"message":"gone"},"status":"success"}]}`: {code: "RESOURCE_NOT_FOUND"},
		`{"data":{"id":"1"}}`: {},
		`{}`:                  {},
		``:                    {},
	} {
		for _, method := range []string{"POST", "PUT"} {
			s := testkit.NewServer(t, testkit.Answer(207, "application/json", body), testkit.OK())
			_, err := transport.New(config(metered(t, s))).Do(t.Context(), requestTo(s.URL, method))
			if want.ok {
				require.NoError(t, err, body)
				continue
			}
			if method == "PUT" && err == nil {
				assert.Len(t, s.Received(), 2, "%s: a PUT may be repeated", body)
				continue
			}
			f := failure(t, err)
			assert.Equal(t, want.code, f.Said.Code, body)
			assert.Equal(t, method == "POST", f.MaybeProcessed, body)
			assert.Len(t, s.Received(), 1, "some of it was done: %s", body)
		}
	}
}
