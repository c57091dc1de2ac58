package salesiqtest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// part is a part of a form.
type part struct{ disposition, content string }

func filePart(name, content string) part {
	return part{`form-data; name="file"; filename="` + name + `"`, content}
}

// postParts sends a form.
func postParts(t *testing.T, s *salesiqtest.Server, token, path string, parts ...part) answer {
	t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for _, p := range parts {
		w, err := writer.CreatePart(textproto.MIMEHeader{"Content-Disposition": {p.disposition}, "Content-Type": {"image/png"}})
		require.NoError(t, err)
		_, err = io.WriteString(w, p.content)
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return request(t, s, token, http.MethodPost, path, body.String(), http.Header{"Content-Type": {writer.FormDataContentType()}})
}

// sentFile is a message that is a file.
type sentFile struct {
	Type    string `json:"type"`
	Message struct {
		Comment *string `json:"comment"`
		File    struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			Kind string `json:"content_type"`
			Size int    `json:"size"`
			URL  string `json:"url"`
		} `json:"file"`
	} `json:"message"`
	Sender struct {
		ID string `json:"id"`
	} `json:"sender"`
}

func TestAFileIsKeptAsItWasSent(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	const path = liveRoot + "/conversations/chat123"
	comment := part{`form-data; name="comment"`, "Look"}
	a := postParts(t, s, s.AccessToken(), path+"/messages", comment, filePart("a%22b%0D%0A.png", "pixels"))
	sent := into[sentFile](t, a)
	assert.Contains(t, a.body, `"object":"message"`)
	assert.Contains(t, a.body, `"url":"`+path+`/messages"`)
	assert.Equal(t, "file", sent.Type)
	assert.Equal(t, "Look", *sent.Message.Comment)
	file := sent.Message.File
	assert.Equal(t, "a\"b\r\n.png", file.Name)
	assert.Equal(t, "image/png", file.Kind)
	assert.Equal(t, 6, file.Size)

	a = get(t, s, file.URL)
	assert.Equal(t, "pixels", a.body)
	assert.Equal(t, "image/png", a.header.Get("Content-Type"))
	assert.Equal(t, liveRefusal{Code: notThere}, liveRefusalIn(t, get(t, s, liveRoot+"/conversations/chat1009/attachments/"+file.ID)), "it is of another conversation")
	assert.Equal(t, liveRefusal{Code: notThere}, liveRefusalIn(t, get(t, s, path+"/attachments/none")))

	waiting, err := s.StartChat("visitor1002", "Hello")
	require.NoError(t, err)
	of := into[sentFile](t, postParts(t, s, orgToken(t, s), "/api/visitor/v1/nordlicht/conversations/"+waiting.ID+"/messages", filePart("log.txt", "it broke")))
	assert.Equal(t, "$visitor1002", of.Sender.ID)
	assert.Nil(t, of.Message.Comment)
	messages := into[[]sentFile](t, get(t, s, liveRoot+"/conversations/"+waiting.ID+"/messages"))
	assert.Equal(t, of, messages[len(messages)-1])
	assert.Equal(t, "text", messages[0].Type)
}

func TestAFileThatIsNotTakenIsRefusedByTheVendorsNumber(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	org, before := orgToken(t, s), s.Stats().Processed
	for _, tt := range []struct {
		why, path string
		parts     []part
		want      liveRefusal
	}{
		{"no file", "chat123/messages", []part{{`form-data; name="comment"`, "Look"}}, liveRefusal{Code: wrongValue, Key: "file"}},
		{"no name", "chat123/messages", []part{filePart("", "x")}, liveRefusal{Code: wrongValue, Key: "file"}},
		{"nothing in it", "chat123/messages", []part{filePart("a.png", "")}, liveRefusal{Code: 1018, Key: "file"}},
		{"a byte too many", "chat123/messages", []part{filePart("a.png", strings.Repeat("x", 50<<20+1))}, liveRefusal{Code: 1027, Key: "file"}},
		{"a program", "chat123/messages", []part{filePart("setup.EXE", "MZ")}, liveRefusal{Code: 1028, Key: "file"}},
		{"a script", "chat123/messages", []part{filePart("a.tar.bat", "x")}, liveRefusal{Code: 1028, Key: "file"}},
		{"another part", "chat123/messages", []part{{`form-data; name="text"`, "Hi"}, filePart("a.png", "x")}, liveRefusal{Code: wrongValue, Key: "text"}},
		{"no conversation", "nobody/messages", []part{filePart("a.png", "x")}, liveRefusal{Code: notThere}},
		{"a conversation that is over", "chat1200/messages", []part{filePart("a.png", "x")}, liveRefusal{Code: wrongValue}},
		{"notes take no form", "chat123/notes", []part{filePart("a.png", "x")}, liveRefusal{Code: 1054}},
	} {
		for root, token := range map[string]string{liveRoot: s.AccessToken(), "/api/visitor/v1/nordlicht": org} {
			if token == org && (tt.path == "chat123/notes" || len(tt.parts[0].content) > 1<<20) {
				continue // There is no such call, or it takes long.
			}
			a := postParts(t, s, token, root+"/conversations/"+tt.path, tt.parts...)
			assert.Equal(t, tt.want, liveRefusalIn(t, a), "%s: %s", tt.why, a.body)
		}
	}
	cut := request(t, s, s.AccessToken(), http.MethodPost, liveRoot+"/conversations/chat123/messages", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhal",
		http.Header{"Content-Type": {"multipart/form-data; boundary=x"}})
	assert.Equal(t, liveRefusal{Code: wrongBody}, liveRefusalIn(t, cut))
	large := request(t, s, s.AccessToken(), http.MethodPost, liveRoot+"/conversations/chat123/messages", strings.Repeat("x", 51<<20), http.Header{"Content-Type": {"multipart/form-data; boundary=x"}})
	assert.Contains(t, large.body, `"code":1015,"message":"body must be at most 52494336 bytes"`, "the file's, and 64 KiB for the form")
	assert.Equal(t, before, s.Stats().Processed, "what is refused changes nothing")
	whole := postParts(t, s, s.AccessToken(), liveRoot+"/conversations/chat123/messages", filePart("a.png", strings.Repeat("x", 50<<20)))
	assert.Contains(t, whole.body, `"size":52428800`)
}

func TestFailedExecutionsComeAsASheet(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithWebhookRetryPause(time.Millisecond))
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(receiver.Close)
	hook := newLiveHook(t, s, receiver.URL, "")
	for range 2 {
		_, err := s.StartChat("visitor123", "Hello")
		require.NoError(t, err)
	}
	require.NoError(t, s.Settle(t.Context()))
	var ids []string
	for _, execution := range into[[]struct {
		ID string `json:"id"`
	}](t, get(t, s, liveRoot+"/webhooks/"+hook.ID+"/executions")) {
		ids = append(ids, execution.ID)
	}
	require.Len(t, ids, 2)
	slices.Reverse(ids)
	export := func(hookID, body string) answer {
		header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/vnd.sealed.xlsx"}}
		return request(t, s, s.AccessToken(), http.MethodPost, liveRoot+"/webhooks/"+hookID+"/executions", body, header)
	}
	list, err := json.Marshal(map[string]any{"ids": ids})
	require.NoError(t, err)
	a := export(hook.ID, string(list))
	assert.Equal(t, "application/vnd.sealed.xlsx", a.header.Get("Content-Type"))
	assert.Equal(t, "attachment; filename=failed-executions.xlsx", a.header.Get("Content-Disposition"))
	book, err := zip.NewReader(strings.NewReader(a.body), int64(len(a.body)))
	require.NoError(t, err)
	row := func(texts ...string) string {
		return `<row><c t="inlineStr"><is><t>` + strings.Join(texts, `</t></is></c><c t="inlineStr"><is><t>`) + `</t></is></c></row>`
	}
	cells, err := fs.ReadFile(book, "xl/worksheets/sheet1.xml")
	require.NoError(t, err)
	assert.Contains(t, string(cells), "<sheetData>"+row("id", "event", "remote_server_status", "number_of_retries")+
		row(ids[0], "conversation.created", "418", "3")+row(ids[1], "conversation.created", "418", "3")+"</sheetData>")
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"} {
		content, err := fs.ReadFile(book, name)
		require.NoError(t, err, name)
		assert.True(t, strings.HasPrefix(string(content), `<?xml version="1.0" encoding="UTF-8"?>`), name)
	}
	for _, tt := range []struct {
		hook, body string
		want       liveRefusal
	}{
		{hook.ID, `{`, liveRefusal{Code: wrongBody}},
		{hook.ID, `{}`, liveRefusal{Code: wrongValue, Key: "ids"}},
		{hook.ID, `{"ids":7}`, liveRefusal{Code: wrongTypeNumber, Key: "ids"}},
		{hook.ID, `{"ids":["` + ids[0] + `","none"]}`, liveRefusal{Code: wrongValue, Key: "ids[1]"}},
		{"none", string(list), liveRefusal{Code: notThere}},
	} {
		a := export(tt.hook, tt.body)
		assert.Equal(t, tt.want, liveRefusalIn(t, a), a.body)
	}
}
