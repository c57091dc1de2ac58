// Package live has typed calls for the live SalesIQ service, where its vendor's
// pages differ from the specification that package salesiq follows: portals,
// conversations, operators, departments, apps, webhooks, visitors and tags.
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
// # Which function to use
//
//   - To make calls, use [New]. To find the name for [salesiq.WithPortal], use
//     [PortalsService.List].
//   - To go through conversations, use [ConversationsService.All], and
//     [ConversationsService.Messages] for what was said in one.
//   - To answer a visitor, use [ConversationsService.Send].
//   - To hand a conversation over, use [ConversationsService.Transfer].
//   - To go through visitors, use [VisitorsService.Since] or
//     [VisitorsService.Before].
//   - To subscribe to events, use [WebhooksService.Create], and package webhook to
//     receive them. To have lost events delivered again, use
//     [WebhooksService.FailedExecutions] and [WebhooksService.Retry].
//   - To make a call that has no method, use [Get], [Post], [Put], [Patch] or
//     [Delete].
//   - To go through a list that has no method, use [All] or [Pages] with a
//     [PageStyle].
//   - To see what stands around the data of an answer, use [ReadEnvelope].
//
// # Where it comes from
//
// Each type and each method names the page that it was made after, all of them
// below https://www.zoho.com/salesiq/help/developer-section/, and how it is
// known:
//
//   - [V]: the vendor's page says so.
//   - [T]: somebody else's published code does so.
//   - [I]: it follows from other pages.
//
// None of it could be tried on the live service. Fields that a page does not
// show are in Extra.
package live
