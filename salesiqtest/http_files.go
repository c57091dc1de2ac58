package salesiqtest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// Files come as a part of a form, and go as they are. That is beside JSON, so it is
// here, from the wire to the domain.

// maxFile is how large a file may be, which the vendor gives as 50 MB.
const maxFile = 50 << 20

// formOverhead is what a form may have beside its file.
const formOverhead = 64 << 10

// bodyLimit bounds the body of a request.
func bodyLimit(r *http.Request) int64 {
	if isForm(r) && isAPI(r) {
		return maxFile + formOverhead
	}
	return maxBody
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}

// storedFile is a file that was sent in a chat, or one made for an answer.
type storedFile struct {
	chatID    string
	messageID string
	name      string
	kind      string
	content   []byte
}

// write answers with a file.
func (f *storedFile) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	w.WriteHeader(http.StatusOK)
	w.Write(f.content)
}

// sending is who sends a file, and how the answer calls what came of it.
type sending struct {
	text   func(s *state, chatID, comment string) (*salesiq.Message, error)
	object string
}

// sendings are the calls of the live service that take a file, by their patterns. What
// they take as JSON is in liveRoutes.
var sendings = map[string]sending{
	"POST " + livePath + "/conversations/{id}/messages":               {fileFromOperator, "message"},
	"POST /api/visitor/v1/" + Portal + "/conversations/{id}/messages": {fileFromVisitor, "message"},
}

// carryOutFile carries out what is no JSON: a form with a file, or an export. It
// reports false for other calls.
func (s *Server) carryOutFile(r *http.Request, route route, body []byte) (answer *reply, taken bool, err error) {
	if _, ok := s.config.dialect.(live); !ok || route.open {
		return nil, false, nil
	}
	s.state.now = s.now()
	id := r.PathValue(route.wildcard())
	if sending, ok := sendings[route.pattern]; ok && isForm(r) {
		message, err := s.state.takeFile(sending, id, r.Header.Get("Content-Type"), body)
		if err != nil {
			return nil, true, err
		}
		return &reply{http.StatusOK, object{"url": r.URL.Path, "object": sending.object, "data": message}}, true, nil
	}
	if strings.HasSuffix(route.pattern, "/executions") && r.Method == http.MethodPost && r.Header.Get("Accept") == sheetType {
		answer, err = s.state.exportExecutions(id, body)
		return answer, true, err
	}
	return nil, false, nil
}

// takeFile lets somebody send the file of a form.
func (s *state) takeFile(by sending, chatID, contentType string, body []byte) (object, error) {
	chatID = unseal(chatID)
	file, comment, err := readForm(contentType, body)
	if err != nil {
		return nil, err
	}
	message, err := by.text(s, chatID, comment)
	if err != nil {
		return nil, err
	}
	s.keepFile(file, chatID, message)
	chat, _ := s.chats.get(chatID)
	return s.messages(chat)[len(chat.Transcript)-1], nil
}

// readForm reads a form with a file and a comment.
func readForm(contentType string, body []byte) (file *storedFile, comment string, err error) {
	_, params, _ := mime.ParseMediaType(contentType) //nolint:errcheck // It was read before.
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		if err != nil {
			return nil, "", invalid("body", "must be a whole form: "+err.Error())
		}
		switch part.FormName() {
		case "comment":
			comment = string(content)
		case "file":
			file = &storedFile{name: unescapeName(part.FileName()), kind: part.Header.Get("Content-Type"), content: content}
		default:
			return nil, "", invalid(part.FormName(), "is no part of this call")
		}
	}
	return file, comment, checkFile(file)
}

// unescapeName reads a name as browsers write it.
func unescapeName(name string) string {
	return strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n").Replace(name)
}

// checkFile refuses files by the vendor's numbers. Its pages do not tell which types it
// does not take: here those are programs for Windows.
func checkFile(file *storedFile) error {
	refused := refuse(salesiq.ErrInvalidRequest, "", details{"field": "file"})
	switch {
	case file == nil || file.name == "":
		return missing("file")
	case len(file.content) == 0:
		refused.number, refused.message = 1018, "The file is empty."
	case len(file.content) > maxFile:
		refused.number, refused.message = 1027, "The file is too large."
	case slices.Contains([]string{".exe", ".bat", ".cmd", ".msi"}, strings.ToLower(path.Ext(file.name))):
		refused.number, refused.message = 1028, "The file type is invalid."
	default:
		return nil
	}
	return refused
}

func fileFromOperator(s *state, chatID, comment string) (*salesiq.Message, error) {
	return s.sendMessage(chatID, salesiq.Message{Text: comment, Type: salesiq.MessageAttachment})
}

func fileFromVisitor(s *state, chatID, comment string) (*salesiq.Message, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatActive, salesiq.ChatWaiting)
	if err != nil {
		return nil, err
	}
	return s.writeFile(chat, comment), nil
}

// writeFile writes the message of a file that a visitor sends.
func (s *state) writeFile(chat *salesiq.Chat, comment string) *salesiq.Message {
	return s.write(chat, salesiq.Message{
		SenderType: salesiq.SenderVisitor, SenderID: chat.VisitorID, Text: comment, Type: salesiq.MessageAttachment,
	})
}

// keepFile keeps the file of a message.
func (s *state) keepFile(file *storedFile, chatID string, message *salesiq.Message) {
	file.chatID, file.messageID = chatID, message.ID
	s.files[s.newID("file")] = file
}

// attachAsVisitor lets the visitor of a chat that goes on send a file.
func (s *state) attachAsVisitor(chat *salesiq.Chat, file *storedFile) error {
	if err := checkFile(file); err != nil {
		return err
	}
	s.keepFile(file, chat.ID, s.writeFile(chat, ""))
	return nil
}

// showFile makes what was sent as a file look so.
func (s *state) showFile(chatID string, message salesiq.Message, shown object) {
	for id, file := range s.files {
		if file.messageID != message.ID {
			continue
		}
		shown["type"] = "file"
		shown["message"] = object{"comment": message.Text, "file": object{
			"id": id, "name": file.name, "size": len(file.content), "content_type": file.kind,
			"url": livePath + "/conversations/" + chatID + "/attachments/" + id,
		}}.without("comment")
	}
}

func getAttachment(c *call) (any, error) {
	id := c.path("attachment_id")
	file, ok := c.files[id]
	if !ok || file.chatID != c.id {
		return nil, notFound("attachment", id)
	}
	return &reply{http.StatusOK, file}, nil
}

// sheetType is asked for by who wants executions exported, not retried.
const sheetType = "application/vnd.sealed.xlsx"

// exportExecutions answers with a sheet of what was given up.
func (s *state) exportExecutions(webhookID string, body []byte) (*reply, error) {
	in := idList{}
	from, err := parseObject(body)
	if err == nil {
		err = patch(&in, from)
	}
	if err == nil && len(in.IDs) == 0 {
		err = missing("ids")
	}
	if err != nil {
		return nil, err
	}
	failed, err := s.executions(webhookID, in.IDs)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"id", "event", "remote_server_status", "number_of_retries"}}
	for i, d := range failed {
		rows = append(rows, []string{in.IDs[i], string(d.Event), strconv.Itoa(d.Status), strconv.Itoa(d.Attempt - 1)})
	}
	return &reply{http.StatusOK, &storedFile{name: "failed-executions.xlsx", kind: sheetType, content: sheet(rows)}}, nil
}

// sheetFiles are what a workbook of one sheet consists of beside the sheet.
var sheetFiles = map[string]string{
	"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
	"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
		`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Executions" sheetId="1" r:id="r1"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
}

// sheet is a workbook of one sheet with texts.
func sheet(rows [][]string) []byte {
	var out bytes.Buffer
	book := zip.NewWriter(&out)
	put := func(name, content string) {
		file, _ := book.Create(name)             //nolint:errcheck // A buffer takes everything.
		io.WriteString(file, xml.Header+content) //nolint:errcheck // A buffer takes everything.
	}
	var cells bytes.Buffer
	cells.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for _, row := range rows {
		cells.WriteString("<row>")
		for _, text := range row {
			cells.WriteString(`<c t="inlineStr"><is><t>`)
			xml.EscapeText(&cells, []byte(text)) //nolint:errcheck // A buffer takes everything.
			cells.WriteString("</t></is></c>")
		}
		cells.WriteString("</row>")
	}
	cells.WriteString("</sheetData></worksheet>")
	put("xl/worksheets/sheet1.xml", cells.String())
	for name, content := range sheetFiles {
		put(name, content)
	}
	book.Close() //nolint:errcheck // A buffer takes everything.
	return out.Bytes()
}
