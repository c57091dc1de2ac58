// Package live has the calls of the live SalesIQ service, where its vendor's
// pages differ from the specification that package salesiq follows. Of the 202
// calls that the pages name, 174 are methods here; calls.tsv lists them all.
//
//	client, err := salesiq.NewClient(auth, salesiq.WithPortal("nordlicht"))
//	service := live.New(client)
//	for conversation, err := range service.Conversations.All(ctx, &live.ConversationListParams{Status: live.Connected}) {
//		…
//	}
//
// The calls go through the whole pipeline of the client: token, quota, retries,
// errors.
//
// # Which service to use
//
// By the word of the path that the vendor's pages have, with the field of [Service].
// The command go doc live.TagsService lists what Tags does, and go doc
// live.TagsService.AddTo says more about one method.
//
// What people talk about:
//
//	conversations            Conversations: pick up, transfer, close, delete, export
//	…/messages               Messages: texts and files, also by a visitor's email
//	…/notes                  Notes: what operators note down
//	…/threads                Threads: how it went, with its metrics
//	calls, …/calls           Calls: what was spoken
//	feedbacks, …/feedback    Feedback: what visitors think of it
//	tags, …/tags             Tags: tags, and those of any record
//	visitors, visits,
//	  visitorevents          Visitors: who was on the website, when and where
//	visitorsview, chats      LegacyV1: the visitors of a view, and transcripts by the
//	                         number that operators see
//	visitor/v1               VisitorSide: what visitors do: open, send, rate, reopen
//	visitor/v2               VisitorSideV2: likewise, and leave a message
//	callbacks                Callbacks: late answers of a bot, which [Bot] makes by itself
//
// How an organization is set up:
//
//	portals                  Portals: the name for salesiq.WithPortal
//	operators                Operators: who answers, and in which departments
//	departments              Departments: groups of operators
//	apps                     Apps: what newer pages call brands: widgets, websites
//	…/channels/android       Android: the channel of an app, access keys
//	…/channels/ios           IOS: likewise, and push notifications
//	articles                 Articles: what visitors can look up
//	articlecategories        ArticleCategories
//	cannedresponses          CannedResponses: what operators have ready
//	cannedresponsecategories CannedCategories
//	visitorroutingrules      VisitorRouting: who is told of a visitor, the common rule
//	chatroutingrules         ChatRouting: who gets a conversation
//	callroutingrules         CallRouting: who gets a call
//	criteriafields           Criteria: the fields that rules and views may name
//	triggerrules             Triggers: what happens on the website
//	leadscorerules,
//	  leadscoreconfigs       LeadScoring: the points of a visitor, and how they fade
//	trackingpresets          TrackingPresets: the rings of visitors
//	visitorhistoryviews,
//	  userpreferences        HistoryViews: views of the visitor history, the chosen ones
//	chatmonitors             Monitors: whose conversations are watched
//	blockedips               BlockedIPs: who is kept out
//	webhooks                 Webhooks: events, keys, what could not be delivered
//	encryptions              Encryptions: addresses in links of campaigns
//
// A call that has no method is made with [Get], [Post], [Put], [Patch] or [Delete],
// a list with [All] or [Pages] and a [PageStyle]. [ReadEnvelope] tells what stands
// around the data of an answer.
//
// # Events
//
// A [webhook.Receiver] receives them. [On] and [OnAny] handle them with the types of
// this package; [ParseEvent] and [EventOf] read one that came another way:
//
//	receiver, err := webhook.NewReceiver(webhook.RSA(key))
//	…
//	live.On(receiver, func(ctx context.Context, e *live.ConversationRated) error {
//		return ratings.Save(ctx, e.Conversation.ID, e.Rating)
//	})
//
// # Bots
//
// A [Bot] serves the URL of a Zobot: it verifies the requests, has handlers answer them,
// checks the answers, and keeps the time limits.
//
//	bot, err := live.NewBot(webhook.RSA(key), live.WithCallbacks(client),
//		live.OnMessage(func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
//			return live.Reply("Which size?").Ask(live.SelectCard{Options: sizes}), nil
//		}))
//	http.Handle("/bot", bot)
//
// docs/bots.md has all requests, answers, cards and limits.
//
// # Where it comes from
//
// Each type and each method names the page that it was made after, all of them
// below https://www.zoho.com/salesiq/help/developer-section/, and how it is
// known:
//
//   - [V]: the vendor's page says so.
//   - [S]: it follows from the scope on the vendor's page: CREATE is POST, READ is
//     GET, UPDATE is PUT, DELETE is DELETE. A PUT is the least certain.
//   - [T]: somebody else's published code does so.
//   - [I]: it follows from other pages.
//
// None of it could be tried on the live service. Fields that a page does not
// show are in Extra.
//
// # What has no method
//
// Of these the pages give a name and no path. Once a path is known, the free calls
// make them.
//
//   - Portals: create, update the company's details, change the owner.
//   - Conversations: whisper, add an operator, assign a missed one, add a note to a
//     message.
//   - Operators: set the availability, delete the image. Tags: update, unarchive.
//   - Article categories: delete. Apps: the Android channel and its access keys, add
//     and delete access keys for iOS.
//   - Chat routing: delete, order, common rule. Fields of criteria for lead scoring
//     and triggers. Blocked IPs: add a comment. Counts. A visitor's own list of
//     conversations.
//
// A visitor session can be set and read from scripts within SalesIQ alone.
//
// Two have a path, but no page tells what to send: the categories of small talk, and
// visitors by email in version 1, where the method is not known either. Who has seen
// what they want can send it:
//
//	category := map[string]any{…}
//	path := "/smalltalkpacks/{id}/categories/{category_id}" // SalesIQ.faqs.UPDATE
//	_, err := live.Put[any](ctx, client, path, category, salesiq.WithIDs(packID, categoryID))
package live
