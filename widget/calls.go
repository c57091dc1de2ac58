package widget

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Call is something that a page asks of its [Widget]. Functions of this package
// such as [SetVisitorName], [TrackEvent] and [OpenWindow] make one.
//
// In their comments, "officially" tells what becomes of the call with the field
// OfficialNames of the Widget.
type Call struct {
	specified []instruction
	official  []instruction
	err       error
}

// instruction is what the snippet reads: call a function of the widget, or follow
// other instructions later.
type instruction struct {
	Call     string    `json:"call,omitzero"` // Below $zoho.salesiq.
	Args     []any     `json:"args,omitzero"`
	Address  bool      `json:"address,omitzero"` // The page's own address is the last argument.
	Handlers []Handler `json:"handlers,omitzero"`
	Event    Event     `json:"event,omitzero"`   // What the handlers are for.
	Labeled  bool      `json:"labeled,omitzero"` // The event's first value is an id, fit for analytics.

	Click string        `json:"click,omitzero"` // The selector on whose clicks the steps are done.
	After int64         `json:"after,omitzero"` // Milliseconds after which the steps are done.
	Paths []string      `json:"paths,omitzero"` // The pages on which they are done then.
	Steps []instruction `json:"steps,omitzero"`
}

// encode returns the steps of the call. Values that JSON cannot hold are an
// error.
func (c Call) encode(official bool) ([]json.RawMessage, error) {
	if c.err != nil {
		return nil, c.err
	}
	encoded := []json.RawMessage{}
	for _, step := range c.steps(official) {
		data, err := wire.MarshalPublic(step)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.Call, err)
		}
		encoded = append(encoded, data)
	}
	return encoded, nil
}

func (c Call) steps(official bool) []instruction {
	if official {
		return c.official
	}
	return c.specified
}

func step(call string, args ...any) []instruction { return []instruction{{Call: call, Args: args}} }

// same returns a call whose specified and official functions are the same.
func same(call string, args ...any) Call {
	return Call{specified: step(call, args...), official: step(call, args...)}
}

// sameText returns such a call with a text, and an empty call for an empty text.
func sameText(call, text string) Call {
	if text == "" {
		return Call{}
	}
	return same(call, text)
}

// SetVisitorName tells who the visitor is. An empty name is left out.
//
// Source: specification, "Set Visitor Information".
func SetVisitorName(name string) Call { return sameText("visitor.name", name) }

// SetVisitorEmail tells the visitor's email address. An empty one is left out.
//
// Source: specification, "Set Visitor Information".
func SetVisitorEmail(email string) Call { return sameText("visitor.email", email) }

// SetVisitorPhone tells the visitor's phone number. An empty one is left out.
//
//   - Officially: visitor.contactnumber.
//   - Source: specification, "Set Visitor Information".
func SetVisitorPhone(phone string) Call {
	call := sameText("visitor.phone", phone)
	call.official = sameText("visitor.contactnumber", phone).official
	return call
}

// SetVisitorContactNumber tells a number at which the visitor can be reached. An
// empty one is left out.
//
// Source: specification, "Set Visitor Information".
func SetVisitorContactNumber(number string) Call {
	return sameText("visitor.contactnumber", number)
}

// SetVisitorInfo tells whatever else is known of the visitor. Numbers become
// those of JavaScript, which are exact up to 2⁵³, so an id should be a string. An
// empty map is left out.
//
// Source: specification, "Set Visitor Information".
func SetVisitorInfo(info map[string]any) Call {
	if len(info) == 0 {
		return Call{}
	}
	return same("visitor.info", info)
}

// TrackPageView records that the visitor sees a page. An empty address stands
// for the page with the widget.
//
//   - Officially: left out, since the live widget sees pages by itself.
//   - Source: specification, "Track Custom Events".
func TrackPageView(address string) Call {
	if address == "" {
		return Call{specified: []instruction{{Call: "tracking.pageview", Address: true}}}
	}
	return Call{specified: step("tracking.pageview", address)}
}

// TrackEvent records something that the visitor did. Without properties, only the
// name is sent.
//
//   - Officially: visitor.customaction with the name and the properties as one text,
//     cut at 250 characters.
//   - Errors: [salesiq.ErrInvalidInput] without a name.
//   - Source: specification, "Track Custom Events".
func TrackEvent(name string, properties map[string]any) Call {
	return track("tracking.event", name, properties)
}

// TrackConversion records that the visitor did what the website is for. Without
// properties, only the name is sent.
//
//   - Officially: as [TrackEvent].
//   - Errors: [salesiq.ErrInvalidInput] without a name.
//   - Source: specification, "Track Custom Events".
func TrackConversion(name string, properties map[string]any) Call {
	return track("tracking.conversion", name, properties)
}

func track(call, name string, properties map[string]any) Call {
	args, text := []any{name}, name
	if len(properties) > 0 {
		data, err := wire.MarshalPublic(properties)
		if err != nil {
			return Call{err: fmt.Errorf("%s: %w", call, err)}
		}
		args, text = append(args, properties), name+" "+string(data)
	}
	return Call{
		specified: step(call, args...),
		official:  step("visitor.customaction", cut(text, maxCustomAction)),
		err:       required("name", name),
	}
}

// maxCustomAction is how long the live widget lets a custom action be.
const maxCustomAction = 250

// cut shortens a text to a number of characters as JavaScript counts them.
func cut(text string, limit int) string {
	length := 0
	for i, r := range text {
		if length += utf16.RuneLen(r); length > limit {
			return text[:i]
		}
	}
	return text
}

// Show makes the widget visible.
//
//   - Officially: the same, which opens the chat window, too.
//   - Source: specification, "Show/Hide Chat Widget".
func Show() Call { return same("floatwindow.visible", "show") }

// Hide makes the widget invisible.
//
//   - Officially: the same, which may leave the button; floatbutton.visible with
//     "hide" takes that away, see [Invoke].
//   - Source: specification, "Show/Hide Chat Widget".
func Hide() Call { return same("floatwindow.visible", "hide") }

// Toggle shows a widget that is hidden and hides one that is not.
//
//   - Officially: left out, since the live widget cannot.
//   - Source: specification, "Show/Hide Chat Widget".
func Toggle() Call {
	return Call{specified: step("floatwindow.visible", "toggle")}
}

// OpenWindow opens the chat window.
//
//   - Officially: floatwindow.visible with "show".
//   - Source: specification, "Show/Hide Chat Widget".
func OpenWindow() Call {
	return Call{specified: step("floatwindow.open"), official: step("floatwindow.visible", "show")}
}

// OpenWindowWith opens the chat window and begins a chat with a message of the
// visitor's.
//
//   - Officially: visitor.question, then chat.start, which the live widget permits
//     only from a click; see [OnClick].
//   - Errors: [salesiq.ErrInvalidInput] without a message.
//   - Source: specification, "Trigger Chat".
func OpenWindowWith(message string) Call {
	return Call{
		specified: step("floatwindow.open", map[string]any{"message": message}),
		official:  append(step("visitor.question", message), step("chat.start")...),
		err:       required("message", message),
	}
}

// CloseWindow closes the chat window.
//
//   - Officially: floatwindow.visible with "hide".
//   - Source: specification, "Show/Hide Chat Widget".
func CloseWindow() Call {
	return Call{specified: step("floatwindow.close"), official: step("floatwindow.visible", "hide")}
}

// MinimizeWindow folds the chat window up; the chat goes on.
//
//   - Officially: left out, since the live widget can only be hidden.
//   - Source: specification, "Show/Hide Chat Widget".
func MinimizeWindow() Call { return Call{specified: step("floatwindow.minimize")} }

// SetChatDepartment chooses the department that is to answer.
//
//   - Errors: [salesiq.ErrInvalidInput] without a name.
//   - Source: specification, "Set Chat Department".
func SetChatDepartment(name string) Call {
	call := same("chat.department", name)
	call.err = required("department", name)
	return call
}

// StartChat begins a chat with a department.
//
//   - Officially: chat.department, then chat.start, which the live widget permits
//     only from a click; see [OnClick].
//   - Errors: [salesiq.ErrInvalidInput] without a name.
//   - Source: specification, "Trigger Chat".
func StartChat(department string) Call {
	return Call{
		specified: step("chat.start", department),
		official:  append(step("chat.department", department), step("chat.start")...),
		err:       required("department", department),
	}
}

// SetThemeColor colors the widget, in a notation of CSS such as #007bff.
//
//   - Officially: left out; the brand's settings tell the color.
//   - Errors: [salesiq.ErrInvalidInput] without a color.
//   - Source: specification, "Customize Widget Appearance".
func SetThemeColor(color string) Call {
	return Call{specified: step("theme.color", color), err: required("color", color)}
}

// SetButtonPosition places the button that opens the chat window. Beyond the
// corners of the specification, the live widget knows top-right, top-left, right
// and left.
//
//   - Errors: [salesiq.ErrInvalidInput] without a position.
//   - Source: specification, "Customize Widget Appearance".
func SetButtonPosition(position salesiq.WidgetPosition) Call {
	// The widget's functions write without a hyphen what brands write with one.
	call := same("floatbutton.position", strings.ReplaceAll(string(position), "-", ""))
	call.err = required("position", string(position))
	return call
}

// SetGreeting changes the words with which the widget meets a visitor.
//
//   - Officially: left out; the brand's settings hold them.
//   - Source: specification, "Customize Widget Appearance".
func SetGreeting(text string) Call {
	return Call{specified: step("greeting.message", text)}
}

// ShowOfflineMessage tells whether the widget shows a message when nobody is there.
//
//   - Officially: left out; the brand's settings tell.
//   - Source: specification, "Customize Widget Appearance".
func ShowOfflineMessage(visible bool) Call {
	return Call{specified: step("offlinemessage.visibility", visible)}
}

// Invoke calls any other function of the widget, such as
// "floatbutton.visible", with arguments that JSON can hold.
//
// Errors: [salesiq.ErrInvalidInput] for a function that is not a name.
func Invoke(function string, args ...any) Call {
	call := same(function, args...)
	call.err = checkFunction(function)
	return call
}

// OpenAfter opens the chat window some time after the widget is ready, on the
// pages with the given paths, such as /pricing. A path that ends in * stands for
// all paths that begin with what is before it. A slash at the end counts, as in
// /pricing/. The query and fragment of the page do not. The page must have been
// loaded with such a path, and must still have it when the time comes.
//
//   - Officially: as [OpenWindow].
//   - Errors: [salesiq.ErrInvalidInput] for a delay that is negative or beyond 24
//     days, without a path, and for a path that does not begin with a slash, or has
//     a query or fragment.
//   - Source: specification, "Complete JavaScript Example".
func OpenAfter(delay time.Duration, paths ...string) Call {
	call := OpenWindow().within(instruction{After: delay.Milliseconds(), Paths: paths})
	call.err = requiredList("paths", paths)
	if delay < 0 || delay > maxDelay {
		call.err = inputError("delay", fmt.Sprintf("must be from 0 to %v", maxDelay))
	}
	for _, path := range paths {
		call.err = cmp.Or(call.err, checkPagePath(path))
		if strings.ContainsAny(path, "?#") {
			call.err = cmp.Or(call.err, inputError("path", fmt.Sprintf("%q is more than a path", path)))
		}
	}
	return call
}

// maxDelay is the longest delay of a browser's timer. Beyond it, the timer fires at
// once.
const maxDelay = 24 * 24 * time.Hour

// OnClick makes calls whenever an element of the page that matches a CSS selector,
// such as #help, is clicked. It works once the widget is ready, and needs no script
// in the page.
//
// Errors: [salesiq.ErrInvalidInput] without a selector or a call, and those of the
// calls.
func OnClick(selector string, calls ...Call) Call {
	var all Call
	all.err = cmp.Or(required("selector", selector), requiredList("calls", calls))
	for _, call := range calls {
		all.specified = append(all.specified, call.specified...)
		all.official = append(all.official, call.official...)
		all.err = cmp.Or(all.err, call.err)
	}
	return all.within(instruction{Click: selector})
}

// within puts the steps of a call into an instruction to do them later.
func (c Call) within(later instruction) Call {
	wrap := func(steps []instruction) []instruction {
		wrapped := later
		wrapped.Steps = append([]instruction{}, steps...)
		return []instruction{wrapped}
	}
	return Call{specified: wrap(c.specified), official: wrap(c.official), err: c.err}
}

// Event is something that a widget tells its page. The service may add others.
type Event string

// The events of the specification, "Listen to Widget Events".
const (
	ChatStarted     Event = "chat.start"       // With the chat's id.
	ChatEnded       Event = "chat.end"         // With the chat's id.
	MessageReceived Event = "message.received" // With the message.
	OperatorTyping  Event = "operator.typing"  // With the operator's name.
	Opened          Event = "widget.opened"
	Closed          Event = "widget.closed"
)

// officialEvents names the function of the live widget that takes the handler of an
// event.
var officialEvents = map[Event]string{
	ChatStarted: "visitor.chat",
	ChatEnded:   "chat.complete",
	Opened:      "floatwindow.open",
	Closed:      "floatwindow.close",
}

// On calls handlers whenever an event happens.
//
//   - Officially: visitor.chat, chat.complete, floatwindow.open and
//     floatwindow.close, with the values that the live widget gives. The other events
//     are left out, since the live widget does not tell them.
//   - Errors: [salesiq.ErrInvalidInput] without an event or a handler, and for a
//     handler with a bad argument.
//   - Source: specification, "Listen to Widget Events".
func On(event Event, handlers ...Handler) Call {
	on := instruction{
		Call: "on", Args: []any{event}, Event: event, Handlers: handlers,
		Labeled: event == ChatStarted || event == ChatEnded,
	}
	call := Call{specified: []instruction{on}}
	if function, ok := officialEvents[event]; ok {
		on.Call, on.Args = function, nil
		call.official = []instruction{on}
	}
	call.err = cmp.Or(required("event", string(event)), requiredList("handlers", handlers))
	for _, handler := range handlers {
		call.err = cmp.Or(call.err, handler.err)
	}
	return call
}

// Handler is what a page does on an [Event]. [CallFunction], [PushDataLayer],
// [SendToGtag] and [PostTo] make one.
type Handler struct {
	function string
	push     string
	gtag     string
	fields   map[string]any
	post     string
	err      error
}

// MarshalJSON writes the handler as the snippet reads it.
func (h Handler) MarshalJSON() ([]byte, error) {
	return wire.MarshalPublic(struct {
		Function string         `json:"function,omitzero"`
		Push     string         `json:"push,omitzero"`
		Gtag     string         `json:"gtag,omitzero"`
		Fields   map[string]any `json:"fields,omitzero"`
		Post     string         `json:"post,omitzero"`
	}{h.function, h.push, h.gtag, h.fields, h.post})
}

// CallFunction calls a function of the page with the values of the event. The
// name is that of a member of window, or a path below one, such as
// app.chatStarted. It is looked up when the event happens. What a page declares
// with const, let or class is not a member of window.
func CallFunction(name string) Handler {
	return Handler{function: name, err: checkFunction(name)}
}

// PushDataLayer pushes an object with a member "event", and with the fields, to
// window.dataLayer, which is made if it is not there. With [ChatStarted] and
// [ChatEnded], event_label is the chat's id unless the fields have an event_label.
// What people write in a chat is not sent.
func PushDataLayer(name string, fields map[string]any) Handler {
	return Handler{push: name, fields: fields, err: required("name", name)}
}

// SendToGtag calls gtag("event", name, fields), if window has gtag. The fields
// are as with [PushDataLayer].
func SendToGtag(name string, fields map[string]any) Handler {
	return Handler{gtag: name, fields: fields, err: required("name", name)}
}

// PostTo sends a POST request to the page's own server, with the page's cookies,
// also while the page is being left. Its body is JSON:
//
//	{"event": "chat.start", "data": ["chat123"]}
//
// The data is what the widget gave with the event. Anyone can send such a request:
// it is a hint, not a proof. The path begins with one slash. The answer is ignored.
// The page's Content-Security-Policy needs 'self' in connect-src.
func PostTo(path string) Handler {
	return Handler{post: path, err: checkPagePath(path)}
}

// functionName matches names of JavaScript, separated by dots.
var functionName = regexp.MustCompile(`^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$`)

func checkFunction(name string) error {
	if !functionName.MatchString(name) {
		return inputError("function", fmt.Sprintf("%q is no name of a function", name))
	}
	return nil
}

// checkPagePath accepts what stays on the server of the page.
func checkPagePath(path string) error {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.Contains(path, `\`) || strings.ContainsFunc(path, unicode.IsControl) {
		return inputError("path", fmt.Sprintf("%q is no path of this website", path))
	}
	return nil
}
