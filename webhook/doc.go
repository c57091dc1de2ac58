// Package webhook receives the events that SalesIQ sends to a webhook:
//
//	receiver, err := webhook.NewReceiver(webhook.HMAC(secret))
//	if err != nil {
//		return err
//	}
//	webhook.On(receiver, func(ctx context.Context, e *webhook.ChatRated) error {
//		return ratings.Save(ctx, e.ChatID, e.Rating)
//	})
//	http.Handle("/webhook/salesiq", receiver)
//
// Each event is verified, and not handled again after its handlers have succeeded.
// [Receiver] says how far that goes, and how each delivery is answered. To subscribe to events, use the Webhooks service
// of a [salesiq.Client].
//
// # Which function to use
//
//   - To receive events, use [NewReceiver].
//   - To verify events, give it [HMAC] with the secret of [salesiq.WebhookCreate].
//     For the live service, use [RSA] with [ParseRSAKey], and for both, [AnyOf].
//     [Unsigned] is for a webhook of the live service that is not secured.
//   - To handle the events of one type, use [On]. To handle all, use [OnAny].
//   - To handle the events of the live service by type, use On of package live.
//   - To receive entities without an envelope, use [WithEventName].
//   - To tell another service, such as a Slack channel, use [Forward].
//   - To have several effects, each of which must not be repeated, use [Once].
//   - To serve several accounts, make a receiver for each, at a path of its own, with the
//     account's secret; the example "Tenants" does so.
//   - To subscribe to the events that there are handlers for, use [Receiver.Events].
//   - To refuse deliveries that somebody has captured and plays again, use
//     [WithTolerance].
//   - To know after a restart which events were handled, use [WithDedupStore] with
//     the DedupStore of package salesiqbolt, which is a file. To share that among
//     processes, use that of package salesiqredis or one of your own.
//   - To answer the service before events are handled, use [WithSink] with
//     [NewWorkerPool], the Inbox of package salesiqbolt, the Sink of package
//     salesiqredis, or a queue of your own. [Receiver.Dispatch] handles what comes
//     out of a queue.
//   - To serve until a signal, and to end without losing a delivery, use [Serve], or
//     Serve of the Inbox of package salesiqbolt, whose example is a whole service.
//   - To receive events without net/http, such as in a cloud function, use
//     [ParseSigned]. To read an event that is verified elsewhere, use [Parse].
//   - To watch what a receiver does, use [WithLogger] or [WithTracer].
//   - To test handlers, use Subscribe of a server of package salesiqtest. To sign events
//     in a test, use [SignHMAC] or [SignRSA]. To test a store or a
//     sink of your own, use package webhooktest.
//
// # Events
//
// An event is a pointer to one of the types of [EventType]. All of them have an
// [EventInfo]. An event without a type of its own is an [*UnknownEvent], not an
// error.
package webhook
