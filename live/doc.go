// Package live has the calls of the live SalesIQ service, where its vendor's pages
// differ from the specification that package salesiq follows. Of the 202 calls that
// the pages name, 174 are methods here; calls.tsv lists them all.
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
// What people talk about:
//
//   - [ConversationsService]: conversations, and who has them; [ThreadsService]: how
//     they went; [CallsService]: what was spoken.
//   - [MessagesService]: what is said in them; [NotesService]: what operators note
//     down; [FeedbackService]: what visitors think of them.
//   - [VisitorsService]: who was on the website. [VisitorSideService] and
//     [VisitorSideV2Service]: what a visitor does in a chat window of one's own.
//   - [CallbacksService]: late answers of a bot; [Bot] makes them by itself.
//
// How an organization is set up:
//
//   - [PortalsService]: the name for [salesiq.WithPortal].
//   - [OperatorsService], [DepartmentsService]; [AppsService] for what the
//     specification calls brands, [AndroidService] and [IOSService] for their
//     channels.
//   - [TagsService], [ArticlesService], [ArticleCategoriesService],
//     [CannedResponsesService], [CannedCategoriesService].
//   - [VisitorRoutingService], [ChatRoutingService], [CallRoutingService],
//     [TriggersService], [LeadScoringService], [TrackingPresetsService],
//     [HistoryViewsService]; [CriteriaService] for what their criteria may name.
//   - [MonitorsService], [BlockedIPsService], [EncryptionsService].
//   - [WebhooksService]: events to subscribe to, and those that could not be
//     delivered.
//   - [LegacyV1Service]: what is in version 1 alone.
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
// A visitor session can be set and read from scripts within SalesIQ alone. Visitors
// by email, in version 1, and the categories of small talk have a path, but no page
// tells what to send.
package live
