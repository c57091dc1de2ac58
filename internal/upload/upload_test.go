package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/upload"
)

// unseekable hides all of a reader but Read.
func unseekable(content string) io.Reader { return io.MultiReader(strings.NewReader(content)) }

// send reads a body as a request does.
func send(t *testing.T, body *transport.Upload) (string, error) {
	t.Helper()
	open := body.Open()
	sent, err := io.ReadAll(open)
	require.NoError(t, open.Close())
	return string(sent), err
}

func opener(content string, opened *int) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		*opened++
		return io.NopCloser(strings.NewReader(content)), nil
	}
}

var long = strings.Repeat("0123456789", 100)

func TestLengthAndRepetitionAreThoseOfTheSource(t *testing.T) {
	t.Parallel()
	opened := 0
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(long), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })
	for why, tt := range map[string]struct {
		source upload.Source
		want   string
		length int64
		once   bool
	}{
		"a seeker":                          {upload.Source{Content: strings.NewReader(long)}, long, 1000, false},
		"a file":                            {upload.Source{Content: file}, long, 1000, false},
		"one to open":                       {upload.Source{Open: opener(long, &opened)}, long, -1, false},
		"a short one to open":               {upload.Source{Open: opener("short", &opened)}, "short", 5, false},
		"one that tells its length":         {upload.Source{Content: bytes.NewBufferString(long)}, long, 1000, true},
		"one that tells nothing":            {upload.Source{Content: unseekable(long)}, long, -1, true},
		"one of a size that somebody tells": {upload.Source{Content: unseekable(long), Size: 1000}, long, 1000, true},
		"a short one":                       {upload.Source{Content: unseekable("short")}, "short", 5, false},
		"one that fills the look":           {upload.Source{Content: unseekable(long[:512])}, long[:512], -1, true},
		"an empty one":                      {upload.Source{Content: unseekable("")}, "", 0, false},
	} {
		kind, body, err := upload.Sniffed(t.Context(), tt.source)
		require.NoError(t, err, why)
		assert.Equal(t, "text/plain; charset=utf-8", kind, why)
		assert.Equal(t, tt.length, body.Length, why)
		assert.Equal(t, tt.once, body.Once, why)
		sent, err := send(t, body)
		require.NoError(t, err, why)
		assert.Equal(t, tt.want, sent, why)
		if !tt.once {
			sent, err = send(t, body)
			require.NoError(t, err, why)
			assert.Equal(t, tt.want, sent, "%s: the second time", why)
		}
	}
}

func TestSeekerIsReadFromWhereItStands(t *testing.T) {
	t.Parallel()
	content := strings.NewReader("skipped, sent")
	_, err := content.Seek(9, io.SeekStart)
	require.NoError(t, err)
	kind, body, err := upload.Sniffed(t.Context(), upload.Source{Content: content})
	require.NoError(t, err)
	assert.Equal(t, "text/plain; charset=utf-8", kind)
	assert.Equal(t, int64(4), body.Length)
	assert.Equal(t, 4, content.Len(), "it was left where it stood")
	for range 2 {
		sent, err := send(t, body)
		require.NoError(t, err)
		assert.Equal(t, "sent", sent)
	}
}

func TestNothingIsOpenedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	opened := 0
	body, err := upload.Raw(t.Context(), upload.Source{Open: opener(long, &opened)})
	require.NoError(t, err)
	assert.Equal(t, 1, opened, "once for its size")
	require.NoError(t, body.Open().Close())
	assert.Equal(t, 1, opened, "nothing was read of it")
	_, err = send(t, body)
	require.NoError(t, err)
	assert.Equal(t, 2, opened)

	read := 0
	counted := io.MultiReader(iotest.NewReadLogger("", strings.NewReader(long)), readerFunc(func([]byte) (int, error) { read++; return 0, io.EOF }))
	_, err = upload.Raw(t.Context(), upload.Source{Content: counted})
	require.NoError(t, err)
	assert.Zero(t, read, "a body of a known type is not looked at")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestSourceThatWillNotDoIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	disk := errors.New("disk on fire")
	broken := func() (io.ReadCloser, error) { return nil, disk }
	nothing := func() (io.ReadCloser, error) { return nil, nil }
	for reason, source := range map[string]upload.Source{
		"cannot be read: disk on fire":          {Open: broken},
		"cannot be read: open returned nothing": {Open: nothing},
		"cannot be read: disk on fire, and can be sought": {Content: struct {
			io.Reader
			io.Seeker
		}{iotest.ErrReader(fmt.Errorf("%w, and can be sought", disk)), strings.NewReader(long)}},
		"has 1000 bytes, not 999":                          {Content: strings.NewReader(long), Size: 999},
		"must not have a negative size":                    {Content: strings.NewReader(long), Size: -1},
		"must have at most 999 bytes (0 MB)":               {Content: strings.NewReader(long), Max: 999},
		"must have at most 999 bytes (0 MB), which is":     {Content: unseekable(long), Max: 999, Size: 1000},
		"cannot be read: disk on fire, in the first block": {Content: iotest.ErrReader(fmt.Errorf("%w, in the first block", disk))},
	} {
		_, _, err := upload.Sniffed(t.Context(), source)
		var refused upload.ReasonError
		require.ErrorAs(t, err, &refused, reason)
		require.ErrorContains(t, err, reason)
	}
	_, _, err := upload.Sniffed(t.Context(), upload.Source{Content: strings.NewReader(long), Max: 1000})
	require.NoError(t, err, "as much as there may be")
}

func TestSourceThatHangsEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	reader, writer := io.Pipe()
	t.Cleanup(func() { assert.NoError(t, writer.Close()) })
	cancel(cause)
	_, _, err := upload.Sniffed(ctx, upload.Source{Content: reader})
	require.ErrorIs(t, err, cause)
}

func TestSizeThatChangesMeanwhileIsAnErrorBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for why, tt := range map[string]struct {
		source upload.Source
		says   string
	}{
		"shorter than told":       {upload.Source{Content: unseekable(long), Size: 1001}, "it broke off after 1000 of its 1001 bytes"},
		"longer than told":        {upload.Source{Content: unseekable(long), Size: 999}, "there are more than its 999 bytes"},
		"larger than is possible": {upload.Source{Content: unseekable(long), Max: 999}, "must have at most 999 bytes"},
	} {
		body, err := upload.Raw(t.Context(), tt.source)
		require.NoError(t, err, why)
		_, err = send(t, body)
		require.ErrorContains(t, err, tt.says, why)
	}
}

func TestProgressBeginsAgainWithTheBody(t *testing.T) {
	t.Parallel()
	var told []string
	_, body, err := upload.Sniffed(t.Context(), upload.Source{
		Content: strings.NewReader(long), Progress: func(sent, total int64) { told = append(told, fmt.Sprint(sent, "/", total)) },
	})
	require.NoError(t, err)
	require.Empty(t, told, "nothing was sent")
	for range 2 {
		open := body.Open()
		for _, n := range []int{600, 600} {
			_, err := open.Read(make([]byte, n))
			require.NoError(t, err)
		}
		require.NoError(t, open.Close())
	}
	assert.Equal(t, []string{"600/1000", "1000/1000", "600/1000", "1000/1000"}, told)
}

func TestFormHoldsItsPartsInTheirOrderAndItsLength(t *testing.T) {
	t.Parallel()
	kind, body, _, err := upload.Multipart(t.Context(), []upload.Part{
		{Field: "comment", Text: "Grüße"},
		{Field: "first", FileName: `a"b.csv`, ContentType: "text/csv", Source: upload.Source{Content: strings.NewReader(long)}},
		{Field: "second", FileName: "b.pdf", Source: upload.Source{Content: unseekable("%PDF-1.7")}},
	})
	require.NoError(t, err)
	_, params, err := mime.ParseMediaType(kind)
	require.NoError(t, err)
	assert.False(t, body.Once, "the second file is short")
	for range 2 {
		sent, err := send(t, body)
		require.NoError(t, err)
		assert.Equal(t, body.Length, int64(len(sent)))
		form := multipart.NewReader(strings.NewReader(sent), params["boundary"])
		for _, want := range []string{
			`form-data; name="comment"||Grüße`,
			`form-data; name="first"; filename="a%22b.csv"|text/csv|` + long,
			`form-data; name="second"; filename="b.pdf"|application/pdf|%PDF-1.7`,
		} {
			part, err := form.NextRawPart()
			require.NoError(t, err)
			content, err := io.ReadAll(part)
			require.NoError(t, err)
			assert.Equal(t, want, part.Header.Get("Content-Disposition")+"|"+part.Header.Get("Content-Type")+"|"+string(content))
		}
		_, err = form.NextRawPart()
		require.ErrorIs(t, err, io.EOF)
	}
}

func TestFormWithAFileThatIsReadOnceIsSentOnce(t *testing.T) {
	t.Parallel()
	for why, tt := range map[string]struct {
		source upload.Source
		known  bool
		once   bool
	}{
		"a seeker":                {upload.Source{Content: strings.NewReader(long)}, true, false},
		"a reader":                {upload.Source{Content: unseekable(long)}, false, true},
		"a reader, told its size": {upload.Source{Content: unseekable(long), Size: 1000}, true, true},
	} {
		for _, contentType := range []string{"", "text/plain"} {
			_, body, _, err := upload.Multipart(t.Context(), []upload.Part{
				{Field: "a", FileName: "a", Source: upload.Source{Content: strings.NewReader(long)}},
				{Field: "b", FileName: "b", ContentType: contentType, Source: tt.source},
			})
			require.NoError(t, err, why)
			assert.Equal(t, tt.once, body.Once, why)
			assert.Equal(t, tt.known, body.Length > 0, why)
			if !tt.known {
				assert.Equal(t, int64(-1), body.Length, why)
			}
			if tt.once {
				break // The source was looked at, and is the form's from then on.
			}
		}
	}
}

func TestEmptyFileOfAFormIsRefusedWhoeverTellsItsType(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", "text/plain"} {
		for why, content := range map[string]io.Reader{"a seeker": strings.NewReader(""), "a reader": unseekable("")} {
			_, _, field, err := upload.Multipart(t.Context(), []upload.Part{{Field: "file", FileName: "a", ContentType: contentType, Source: upload.Source{Content: content}}})
			require.ErrorContains(t, err, "is empty", "%s, %q", why, contentType)
			require.Equal(t, "file", field)
		}
	}
}

func TestFilesOfAFormAreClosedOnceEach(t *testing.T) {
	t.Parallel()
	opened, closed := 0, 0
	open := func() (io.ReadCloser, error) {
		opened++
		return &closer{strings.NewReader(long), &closed}, nil
	}
	_, body, _, err := upload.Multipart(t.Context(), []upload.Part{
		{Field: "a", FileName: "a", Source: upload.Source{Open: open}}, {Field: "b", FileName: "b", Source: upload.Source{Open: open}},
	})
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{opened, closed}, "once for a look")
	form := body.Open()
	_, err = form.Read(make([]byte, 1<<20)) // The head of the first part alone.
	require.NoError(t, err)
	require.NoError(t, form.Close())
	require.Equal(t, []int{2, 2}, []int{opened, closed}, "no file's turn had come")
	_, err = send(t, body)
	require.NoError(t, err)
	require.Equal(t, []int{4, 4}, []int{opened, closed})
}

type closer struct {
	io.Reader

	closed *int
}

func (c *closer) Close() error { *c.closed++; return nil }

func TestASourceThatGrowsFromNothingIsAnError(t *testing.T) {
	t.Parallel()
	content := new(bytes.Buffer)
	body, err := upload.Raw(t.Context(), upload.Source{Content: content})
	require.NoError(t, err)
	content.WriteString("late")
	_, err = send(t, body)
	require.ErrorContains(t, err, "there are more than its 0 bytes")
}

func TestOneByteCounts(t *testing.T) {
	t.Parallel()
	var told []int64
	body, err := upload.Raw(t.Context(), upload.Source{
		Content: iotest.OneByteReader(strings.NewReader("ab")), Size: 2, Progress: func(sent, _ int64) { told = append(told, sent) },
	})
	require.NoError(t, err)
	_, err = send(t, body)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, told)
	body, err = upload.Raw(t.Context(), upload.Source{Content: unseekable("a"), Size: 1})
	require.NoError(t, err)
	assert.Equal(t, int64(1), body.Length)
	_, err = upload.Raw(t.Context(), upload.Source{Content: strings.NewReader("ab"), Size: 1})
	require.ErrorContains(t, err, "has 2 bytes, not 1")
}

// tiredSeeker can be sought so many times.
type tiredSeeker struct {
	*strings.Reader

	left int
}

func (s *tiredSeeker) Seek(offset int64, whence int) (int64, error) {
	if s.left--; s.left < 0 {
		return 0, errors.New("cannot be sought any more")
	}
	return s.Reader.Seek(offset, whence)
}

func TestAReaderThatOnlyLooksLikeASeekerIsReadOnce(t *testing.T) {
	t.Parallel()
	for seeks := range 2 {
		_, body, err := upload.Sniffed(t.Context(), upload.Source{Content: &tiredSeeker{strings.NewReader(long), seeks}})
		require.NoError(t, err)
		assert.True(t, body.Once)
		sent, err := send(t, body)
		require.NoError(t, err)
		assert.Equal(t, long, sent)
	}
}

func TestAMaximumMayBeReached(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]string{1: "must have at most 1 bytes", 999: "must have at most 999 bytes", 1000: ""} {
		body, err := upload.Raw(t.Context(), upload.Source{Content: unseekable(long), Max: limit})
		require.NoError(t, err)
		_, err = send(t, body)
		assert.Equal(t, want == "", err == nil)
		if want != "" {
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestASeekerThatFailsLaterIsRefused(t *testing.T) {
	t.Parallel()
	for _, seeks := range []int{3, 4} { // It takes three to see that it can be sought.
		_, _, err := upload.Sniffed(t.Context(), upload.Source{Content: &tiredSeeker{strings.NewReader(long), seeks}})
		require.ErrorContains(t, err, "cannot be read: cannot be sought any more", seeks)
	}
	_, body, err := upload.Sniffed(t.Context(), upload.Source{Content: &tiredSeeker{strings.NewReader(long), 5}})
	require.NoError(t, err)
	_, err = send(t, body)
	require.ErrorContains(t, err, "cannot be sought any more")
}

func TestAReadThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	secondTime := func(content io.ReadCloser, err error) upload.Source {
		opened := 0
		return upload.Source{Open: func() (io.ReadCloser, error) {
			if opened++; opened == 1 {
				return io.NopCloser(strings.NewReader(long)), nil
			}
			return content, err
		}}
	}
	for why, source := range map[string]upload.Source{
		"disk on fire":                 secondTime(nil, errors.New("disk on fire")),
		"open returned nothing":        secondTime(nil, nil),
		"more than its 999 bytes":      {Content: unseekable(long), Size: 999},
		"must have at most 999 bytes":  {Content: unseekable(long), Max: 999},
		"returned an impossible count": {Content: readerFunc(func([]byte) (int, error) { return -1, nil })},
	} {
		body, err := upload.Raw(t.Context(), source)
		require.NoError(t, err, why)
		n, err := body.Open().Read(make([]byte, 2000))
		require.ErrorContains(t, err, why)
		assert.Zero(t, n, why)
	}
}

func TestReaderThatMiscountsIsAnError(t *testing.T) {
	t.Parallel()
	for why, count := range map[string]int{"too much": 1 << 20, "less than nothing": -1} {
		body, err := upload.Raw(t.Context(), upload.Source{Content: readerFunc(func([]byte) (int, error) { return count, nil })})
		require.NoError(t, err, why)
		_, err = body.Open().Read(make([]byte, 8))
		require.ErrorContains(t, err, "impossible count", why)
	}
}
