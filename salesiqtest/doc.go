// Package salesiqtest is a SalesIQ that runs in memory: for tests of programs
// that use package salesiq, and, by way of cmd/salesiq-emulator, for programs in
// any language.
//
//	client := salesiqtest.NewClient(t)
//	chat, err := client.Chats.Get(ctx, "chat123")
//
// It remembers what is written, filters and pages what is listed, enforces
// tokens, scopes and rate limits, and can be told to fail.
//
// # Which function to use
//
//   - To test code that takes a client, use [NewClient].
//   - To choose data, plan, scopes or clock in a test, use [Start] with options
//     such as [WithData], [WithPlan], [WithScopes] and [WithClockOffset], and
//     [Server.Client]. Outside of a test, use [NewServer].
//   - To make a client with options of your own, use [Server.Options] and
//     [Server.Credentials]. To configure another program, use
//     [Server.Environment].
//   - To make calls fail, use [Server.Inject], [Server.RevokeTokens] and
//     [Server.RevokeRefreshToken].
//   - To test a bot, use [Converse], or [Server.Converse] for one that verifies its
//     requests or answers by callback; see [Bot] for its options.
//   - To act as a visitor, use [Server.VisitorComes], [Server.StartChat],
//     [Server.VisitorSays], [Server.MissChat] and [Server.VisitorLeaves].
//   - To deliver any event to the webhooks, use [Server.Emit]. To deliver events to a
//     handler under test, use [Server.Subscribe], and [Server.Settle] to wait for them.
//   - To deliver some of them again, use [Server.Redeliver].
//   - To list chats without transcripts, use [WithoutListedTranscripts].
//   - To see what is stored, use methods such as [Server.Chat] and
//     [Server.Operators].
//   - To see what happened, use [Server.Stats], [Server.Journal],
//     [Server.Deliveries], [Server.BotTurns] and [Server.WidgetCalls].
//   - To test against the live service's dialect, use [Live].
//   - To test a token store of your own, use [TestTokenStore].
//
// # The life of a chat
//
// A waiting chat becomes active when it is transferred to an operator. Messages
// and the end need an active chat, a transfer an active or a waiting one; all
// else is CHAT_NOT_ACTIVE. An operator who is offline cannot take a chat over,
// one who is away or busy can, and max_chats is not enforced, since the
// specification does not say that it is. Ending sets ended_at and duration and
// frees operator and visitor. An ended chat can be rated, once. Messages are
// signed by the operator of the chat.
//
// # Updates
//
// PATCH is a JSON merge patch (RFC 7396): what is not named stays, null clears,
// objects inside merge too, and fields that the specification does not know are
// kept. What is not named is not checked either, such as data of [WithData] that
// have few fields. Fields that the service itself keeps, such as id or
// total_chats, may be sent back unchanged; changing them is INVALID_REQUEST.
//
// # Lists and dates
//
// Lists are in the order in which the objects were created, 50 to a page unless
// per_page says otherwise. Dates may be RFC 3339, the same without a zone (then
// UTC), or a day, which as to_date includes all of that day. Chats are selected
// by started_at, visitors by last_visit, with both bounds included. Values that a
// filter does not know are INVALID_REQUEST, as are lists in a query.
//
// # What is refused
//
// What the specification does not have is refused, so that a wrong client does
// not look right: the scheme Bearer is INVALID_TOKEN; a body that is sent as
// anything but application/json, a parameter of another call, and a name that
// differs from that of a parameter or a field in case, hyphens or underscores
// are INVALID_REQUEST. A body without a Content-Type is taken, parameters that the
// specification does not have anywhere are ignored, and such fields are kept.
//
// # Errors
//
// The details of an error name the field. Each code can be provoked:
//
//	INVALID_TOKEN           no token, a made-up one, one that expired or was revoked
//	INVALID_OAUTH_SCOPE     AccessToken("SalesIQ.chats.READ") and a write; WithScopes
//	INVALID_REQUEST         per_page=101, a status that there is not, a body that is no JSON
//	REQUIRED_FIELD_MISSING  an operator without email, a message without text
//	RESOURCE_NOT_FOUND      any id that there is not
//	DUPLICATE_RESOURCE      an operator's email, a device token, a webhook's name and URL, a rating, twice
//	RATE_LIMIT_EXCEEDED     WithPlan(Free) and eleven calls; eleven calls at once
//	INTERNAL_ERROR          Inject(Fault{Path: "/api", Status: 500, Times: 4}): a client tries again
//	PERMISSION_DENIED       deleting the account's owner, operator1; WithRole(salesiq.RoleAgent)
//	INVALID_VISITOR_ID      a visitor id that does not begin with "visitor"
//	CHAT_NOT_ACTIVE         a message to a chat that has ended
//	OPERATOR_OFFLINE        a transfer to operator203
//	INVALID_DEPARTMENT      an operator or a routing rule for a department that there is not
//
// A method that a path does not take is INVALID_REQUEST with status 405.
//
// # Rate limit
//
// Each API answer, refusals included, carries the three X-RateLimit headers,
// which speak of the minute's window. Over the minute's or the day's calls, or
// over ten at once, the answer is 429, and its details say which limit it was.
// Refused calls cost nothing, nor do calls without a valid token. Calls to the
// OAuth server and to the CRM do not count.
//
// # OAuth
//
// The consent page agrees at once and redirects, to loopback hosts and to what
// [WithRedirectURIs] registers. Codes live two minutes and work
// once. A refresh token gives ten access tokens in ten minutes and keeps fifteen
// alive. Errors of the token endpoint have status 200.
//
// /oauth/v2/org/auth consents for an organization in the same way. A self client signs
// in with the grant type client_credentials and the soid [SOID]. A device gets its code
// at /oauth/v3/device/code; a GET of /oauth/v3/device?user_code=… consents, with
// &answer=deny refuses, and with &location=eu belongs to another data center: until the
// device asks under another host than the server's, it is told other_dc. A device that
// asks twice in 30 seconds is told slow_down. In the live dialect, an answer with a
// token names its scopes.
//
// # Webhooks
//
// What happens is delivered to the webhooks that are enabled for it: all that the
// API and visitors change, with [Server.StartChat] and the like for the latter,
// and whatever [Server.Emit] is given. The body is written as JavaScript's
// JSON.stringify would write it, and signed with the webhook's secret, if it has
// one. A status other than 2xx, also a redirect, and five seconds without one
// mean three more tries, a minute apart. First tries are made in order for each
// webhook. [Server.Deliveries] tells what became of them. Nothing but this
// machine is contacted, whatever the name of a host means, unless with
// [WithWebhookTransport].
//
// # Faults
//
// [Server.Inject] makes calls fail in ways that need a network otherwise; see
// [Fault]. [Server.Stats] and [Server.Journal] tell what was processed all the
// same, so that a test can say "exactly once".
//
// # Widget
//
// /widget serves a stand-in for the website widget, a chat window with all the
// functions of the specification below $zoho.salesiq:
//
//	page := widget.Widget{Code: "any", DataCenter: salesiq.Hosts{API: server.URL}.DataCenter()}
//
// It needs nothing but the server, and runs under a strict
// Content-Security-Policy. A browser becomes a visitor, what it writes begins a
// chat that waits for an operator, and what Chats.SendMessage answers appears in
// the window. [Server.WidgetCalls] tells each call. The stand-in gives
// chat.start, chat.end, operator.typing and message.received the chat's id, the
// operator's name, and a message as in a transcript. With
// /widget?surface=official it has the functions that the vendor publishes for
// the live widget instead, and lacks the others. Pages may send 256 KiB at once, and
// 32 MiB until a [Server.Reset].
//
// # The live service
//
// A server that is [Live] speaks as the live service's vendor publishes, and not
// as specified, over the same state:
//
//	server := salesiqtest.Start(t, salesiqtest.Live())
//	service := live.New(server.Client(t))
//
// The calls of the visitor's side need the token of an organization's client: from
// [Server.OrgCredentials], from the consent page /oauth/v2/org/auth, or, in other
// languages, with the refresh token 1000.emulator.org-refresh-token. A list refuses
// parameters that it does not know, so that none is ignored. Visitors with the tag
// "returning" are contacts, all others are leads.
//
// # Bots
//
// A server that is [Live] speaks the service's side of the protocol of Zobots. A test of a
// bot reads like a conversation, and needs no network:
//
//	server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
//	bot, err := live.NewBot(server.Verifier(), live.WithCallbacks(server.Client(t)), …)
//	…
//	c := server.Converse(t, bot)
//	c.Opens()
//	c.Expects("Hello! …")
//	c.ExpectsCard("suggestions", "My order", "Something else")
//	c.Chooses("Something else")
//	c.ExpectsForward("Support")
//
// The bot has conversations from their beginning until it forwards or ends them, an
// operator picks them up, or it fails. It is their attender meanwhile, and what it says is
// a message with the sender type "bot", of which events tell as of an operator's. A
// conversation that was forwarded waits, without an attender, until it is picked up. Then
// operators answer by calls.
//
// An answer is checked by the published rules, such as the limits of cards. One that breaks
// a rule fails the test of a [Conversation], with the field, the answer and all that was
// said; it is logged, is in [Server.BotTurns], and shows on the page. Five seconds without
// an answer count as a failure, and so do three minutes without a callback after "pending".
//
// What the pages leave open is as follows. A drop-down answers with its label, a choice of
// several with commas between, a range as "2 - 5", a calendar as 31/12/2026 09:30,
// timeslots with the time, date-timeslots with day and time, a location as "59.9,10.7".
// Answers of a context are objects with a text, by the names of the questions. Files are
// told by id, name, size, content_type and url. A forward for which nobody is there leaves
// the conversation missed.
//
// /widget/page is a page to try a bot in a browser. A program is connected with [WithBot],
// or with -bot of salesiq-emulator:
//
//	go run ./cmd/salesiq-emulator -dialect live -addr 127.0.0.1:8080 -bot http://127.0.0.1:8090/
//
// # Control calls
//
// The same for other languages, in JSON, without a token:
//
//	POST   /_emulator/faults         a Fault, or an array of them; latency_ms, pause_ms, date_offset_ms
//	DELETE /_emulator/faults         forget them
//	POST   /_emulator/tokens         {"scopes": […]}: an access token
//	POST   /_emulator/tokens/revoke  end all access tokens
//	POST   /_emulator/codes          {"scopes": […]}: a self-client's code
//	POST   /_emulator/reset          back to the start; tokens stay
//	POST   /_emulator/events         {"event": …, "data": {…}}: deliver it
//	POST   /_emulator/bot            {"url": …}: connect a bot; name, handles_failures, redelivers, delay_ms
//	GET    /_emulator/bot/turns      what bots were told and have answered
//	POST   /_emulator/chats          {"visitor_id": …, "text": …}: begin a chat, which waits; both may be left out
//	POST   /_emulator/chats/miss     {"chat_id": …}: nobody has picked it up
//	POST   /_emulator/webhooks       {"url": …, "events": […], "secret": …}: subscribe; the url alone will do
//	GET    /_emulator/deliveries     the attempts to deliver events
//	GET    /_emulator/stats          what was processed and refused
//	GET    /_emulator/journal        the calls that changed something
//	GET    /_emulator/widget/calls   what pages asked of the widget
//
// Requests that a browser sends for a web page are refused there. Here and everywhere
// else, so are requests whose Host is neither loopback nor what the server listens on,
// since a page may have sent them (DNS rebinding); see [WithHosts].
//
// # Default data
//
// It is the same at every start, except that its dates count from the start:
// 286 chats over all statuses, 60 of them active and some for longer than half an
// hour; 130 visitors, 14 operators, 2 brands with 5 departments, 3 routing rules,
// and the ids that the specification's samples use. chat123 is active, between
// visitor123 and operator456; operator789 is online and available; operator203 is
// offline; operator1 owns the account. Transcripts are conversations from the day
// of a shop for outdoor equipment and of a travel agency; seed.json has it all.
package salesiqtest
