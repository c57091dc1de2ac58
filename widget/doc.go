// Package widget puts the SalesIQ chat widget on web pages that a Go program
// serves. A page is a template with the action {{.Widget.HTML .Nonce}}, and gets:
//
//	chat := widget.Widget{Code: "siq-your-code", DataCenter: salesiq.EU, Calls: []widget.Call{
//		widget.SetVisitorName(name),
//		widget.OpenAfter(3*time.Second, "/pricing"),
//	}}
//	err := page.Execute(w, map[string]any{"Widget": chat, "Nonce": nonce})
//
// # Which function to use
//
//   - To install the widget on a page of html/template, use [Widget.HTML].
//     Elsewhere, use [Widget.WriteTo].
//   - To permit the widget in a Content-Security-Policy, use
//     [ContentSecurityPolicy].
//   - To tell who the visitor is, use [SetVisitorName], [SetVisitorEmail],
//     [SetVisitorPhone], [SetVisitorContactNumber] and [SetVisitorInfo].
//   - To record what the visitor does, use [TrackEvent], [TrackConversion] and
//     [TrackPageView].
//   - To choose who answers, use [SetChatDepartment].
//   - To begin a chat, use [StartChat] or [OpenWindowWith].
//   - To open or close the chat window, use [OpenWindow], [OpenAfter],
//     [CloseWindow] and [MinimizeWindow].
//   - To show or hide the widget, use [Show], [Hide] and [Toggle].
//   - To change its looks, use [SetThemeColor], [SetButtonPosition], [SetGreeting]
//     and [ShowOfflineMessage].
//   - To make calls when something on the page is clicked, use [OnClick].
//   - To react to what happens in the widget, use [On] with [CallFunction],
//     [PushDataLayer], [SendToGtag] or [PostTo].
//   - To call another function of the widget, use [Invoke].
package widget
