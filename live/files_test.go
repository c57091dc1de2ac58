package live_test

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestAFileThatWasSentIsFetchedAgain(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	content := "\x89PNG\r\n\x1a\n" + strings.Repeat("pixel", 100_000)
	path := filepath.Join(t.TempDir(), `Angebot "Fjäll".png`)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })

	id := server.Chats()[0].ID
	sent, err := service.Messages.SendFile(t.Context(), id, &salesiq.File{Content: file}, "Our offer")
	require.NoError(t, err)
	assert.Equal(t, "file", sent.Type)
	assert.Equal(t, "Our offer", sent.Comment())
	require.NotNil(t, sent.File())
	assert.Equal(t, `Angebot "Fjäll".png`, sent.File().Name)
	assert.Equal(t, "image/png", sent.File().ContentType)
	assert.Equal(t, int64(len(content)), sent.File().Size)

	var messages []*live.Message
	for message, err := range service.Messages.All(t.Context(), id) {
		require.NoError(t, err)
		messages = append(messages, message)
	}
	assert.Equal(t, sent.Body, messages[len(messages)-1].Body)

	var got bytes.Buffer
	download := salesiq.Download{To: &got}
	require.NoError(t, service.Conversations.Attachment(t.Context(), id, sent.File().ID, &download))
	assert.Equal(t, content, got.String())
	assert.Equal(t, `Angebot "Fjäll".png`, download.Name)
	assert.Equal(t, "image/png", download.ContentType)
	assert.Equal(t, int64(len(content)), download.Size)

	got.Reset()
	download = salesiq.Download{To: &got, MaxBytes: 100}
	require.ErrorIs(t, service.Conversations.Attachment(t.Context(), id, sent.File().ID, &download), salesiq.ErrTooLarge)
	assert.Zero(t, got.Len(), "it announces its length")
	err = service.Conversations.Attachment(t.Context(), id, "file0", &download)
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound, "a refusal has status 200, too")
}

func TestAVisitorSendsAFile(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	client, err := salesiq.NewClient(salesiq.RefreshToken(server.OrgCredentials(), salesiq.NewMemoryTokenStore()), server.Options()...)
	require.NoError(t, err)
	service := live.New(client)
	id := server.Chats()[0].ID
	sent, err := service.VisitorSide.SendFile(t.Context(), id, &salesiq.File{Name: "log.txt", Content: strings.NewReader("it broke")}, "")
	require.NoError(t, err)
	assert.Equal(t, "text/plain; charset=utf-8", sent.File().ContentType)
	assert.Empty(t, sent.Comment())
	assert.True(t, strings.HasPrefix(sent.Sender.ID, "$"), "a visitor's id")
}

func TestAFileThatTheServiceDoesNotTakeIsRefusedByItsNumber(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	id := server.Chats()[0].ID
	_, err := service.Messages.SendFile(t.Context(), id, &salesiq.File{Name: "setup.exe", Content: strings.NewReader("MZ")}, "")
	var refused *salesiq.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 1028, refused.VendorCode)
	assert.False(t, refused.MaybeProcessed)

	for reason, file := range map[string]*salesiq.File{
		"is empty":           {Name: "a.txt", Content: strings.NewReader("")},
		"at most 52428800":   {Name: "a.txt", Size: 50<<20 + 1, Content: bytes.NewReader(make([]byte, 50<<20+1))},
		"needs Content":      {Name: "a.txt"},
		"name is required":   {Content: strings.NewReader("a")},
		"not both":           {Name: "a.txt", Content: strings.NewReader("a"), Open: func() (io.ReadCloser, error) { return nil, nil }},
		"has 1 bytes, not 2": {Name: "a.txt", Content: strings.NewReader("a"), Size: 2},
	} {
		calls := server.Stats()
		_, err := service.Messages.SendFile(t.Context(), id, file, "")
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, reason)
		require.ErrorContains(t, err, reason)
		require.ErrorContains(t, err, "live.Messages.SendFile: file ")
		assert.Equal(t, calls, server.Stats(), "before a request")
	}
	_, err = service.Messages.SendFile(t.Context(), id, nil, "")
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorIs(t, service.Conversations.Attachment(t.Context(), id, "f", nil), salesiq.ErrInvalidInput)
}

func TestAFileOfUnknownLengthIsSentInChunksUpToTheLimit(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	id := server.Chats()[0].ID
	sent, err := service.Messages.SendFile(t.Context(), id, &salesiq.File{Name: "a.bin", Content: io.MultiReader(strings.NewReader(strings.Repeat("a", 100_000)))}, "")
	require.NoError(t, err)
	assert.Equal(t, int64(100_000), sent.File().Size)

	endless := io.LimitReader(zeros{}, 51<<20)
	_, err = service.Messages.SendFile(t.Context(), id, &salesiq.File{Name: "a.bin", Content: endless}, "")
	require.ErrorContains(t, err, "at most 52428800 bytes (50 MB)")
	var messages []*live.Message
	for message, err := range service.Messages.All(t.Context(), id) {
		require.NoError(t, err)
		messages = append(messages, message)
	}
	assert.Equal(t, sent.File(), messages[len(messages)-1].File(), "nothing came of it")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFailedExecutionsAreExportedAsASheetAndNotRetried(t *testing.T) {
	t.Parallel()
	server, service := start(t, salesiqtest.WithWebhookRetryPause(time.Millisecond))
	address, bodies, _ := receiver(t, 4)
	hook, err := service.Webhooks.Create(t.Context(), &live.WebhookCreate{
		Type: live.DataWebhook, URL: address, Events: []salesiq.EventName{"conversation.created"}, Version: "1",
	})
	require.NoError(t, err)
	_, err = server.StartChat("visitor123", "Anybody there?")
	require.NoError(t, err)
	for range 4 {
		<-bodies
	}
	var failed *live.Execution
	require.Eventually(t, func() bool {
		for execution, err := range service.Webhooks.FailedExecutions(t.Context(), hook.ID, nil) {
			failed = execution
			return assert.NoError(t, err)
		}
		return false
	}, 10*time.Second, 5*time.Millisecond)

	var sheet bytes.Buffer
	download := salesiq.Download{To: &sheet}
	require.NoError(t, service.Webhooks.ExportFailedExecutions(t.Context(), hook.ID, []string{failed.ID}, &download))
	assert.Equal(t, "failed-executions.xlsx", download.Name)
	book, err := zip.NewReader(bytes.NewReader(sheet.Bytes()), int64(sheet.Len()))
	require.NoError(t, err)
	content, err := fs.ReadFile(book, "xl/worksheets/sheet1.xml")
	require.NoError(t, err)
	assert.Contains(t, string(content), failed.ID)
	for execution, err := range service.Webhooks.FailedExecutions(t.Context(), hook.ID, nil) {
		require.NoError(t, err)
		assert.Equal(t, failed.ID, execution.ID, "it was not retried")
	}

	err = service.Webhooks.ExportFailedExecutions(t.Context(), hook.ID, []string{"none"}, &download)
	require.ErrorIs(t, err, salesiq.ErrInvalidRequest)
	require.ErrorIs(t, service.Webhooks.ExportFailedExecutions(t.Context(), hook.ID, nil, &download), salesiq.ErrInvalidInput)
}
