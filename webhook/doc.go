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
// [Receiver] says how far that goes. To subscribe to events, use the Webhooks service
// of a [salesiq.Client].
//
// # Which function to use
//
//   - To receive events, use [NewReceiver].
//   - To verify events, give it [HMAC] with the secret of [salesiq.WebhookCreate].
//     For the live service, use [RSA] with [ParseRSAKey], and for both, [AnyOf]. They say
//     in which header a signature is, and how it is written.
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
// # What is answered
//
// A delivery is checked from the top down:
//
//	what arrives                           answer
//	-------------------------------------  ------------------------------------------------
//	GET, HEAD                              200: the service probes with them
//	another method but POST                405
//	a compressed body                      415: nothing says which form of it is signed
//	a body over the limit, WithMaxBody     413, before all of it is read
//	a body that breaks off                 400
//	a signature that the Verifier refuses  401, whatever the body and its content type are
//	a body that is not a JSON object       400
//	an event that is too old, or too far
//	ahead, for WithTolerance               403
//	an event that was handled before       200 (with a time; otherwise see below)
//	an event that another delivery is      200 once that has succeeded. If it fails, this
//	handling                               delivery handles the event. If it takes more than
//	                                       half of this delivery's time for handlers, 503
//	                                       (with a time; otherwise see below)
//	any other event                        200 once its handlers have succeeded, or its sink
//	                                       has it; also if there is no handler for it
//
//	what fails                             answer
//	-------------------------------------  ------------------------------------------------
//	a handler                              500
//	handlers take longer than              500 at that time. If they succeed after that, the
//	WithHandlerTimeout (4.5 s)             event counts as handled
//	a Verifier of your own, which takes    503: another delivery may find it well
//	half of the time for handlers
//	the sink                               503
//	the store, before the handlers, or it  503 (the default), or as if there were no store:
//	takes three quarters of their time     see WithDedupFailure
//	the store, for a handler with Once     500 (the default), or as if there were no store
//	a handler, and then the store          500; the event stays claimed for now, see below
//	a handler with Once that another       500
//	delivery is running
//	the store, after the handlers          200, since a further delivery would run them again
//	the store, after the handlers, and     500 at that time. Nobody waits for the store for
//	their time is over                     more than two seconds after that, or after the
//	                                       handlers if they end later
//
// A panic of a handler, the sink, the store or the Verifier is like an error that it returns,
// and so is the end of its goroutine. A panic of the [slog.Handler] of a log changes nothing,
// and one of a tracer that is told of the end is logged. To the service, a 500 and a 503 are
// the same: it delivers the event again.
//
// The time for handlers, of [WithHandlerTimeout], begins for each delivery when its body has
// been read. How slowly that may come is for [http.Server.ReadTimeout] to say. When the time
// is over, a handler that goes on is waited for, and those after it run, in a context that
// has ended. Those with [Once] are looked up in the store and marked there all the same. Over
// HTTP/2, [http.Server.Shutdown] does not wait for handlers that take too long, but [Serve]
// does, for ten seconds in all.
//
// # The states of an event
//
// They are in the [DedupStore]:
//
//	state    what it means        what a delivery does
//	-------  -------------------  ---------------------------------------------------------
//	free     nobody handles it    claims it, and runs the handlers
//	claimed  a delivery does      waits for that, and is answered 503 if it takes too long
//	done     they have succeeded  runs no handler, and is answered 200
//
// With a [Sink], done means that the sink has the event. Deliveries are of one event if their
// bodies differ in the count of deliveries, in white space and in the order of members alone:
// [EventInfo.EventID] is a hash of the rest. That is exact where the body tells a time. The
// service delivers an event again up to three times, a minute apart, until it is answered
// with success.
//
//	from     to       when
//	-------  -------  ---------------------------------------------------------------------
//	free     claimed  a delivery begins
//	claimed  done     all its handlers have succeeded
//	claimed  free     one of them has failed
//	claimed  free     one has not returned 25 seconds after its time: the log of [WithLogger]
//	                  names it, and the next delivery runs them again beside it
//	free     done     such a handler succeeds after all
//	claimed  done     it does so while the next delivery has the event
//	claimed  free     the process has ended; in a store that several share, half a minute later
//	claimed  free     the store has failed when it was told of the end: when it ends the claim
//	                  by itself, as Redis does after half a minute. One of your own must, too
//	done     free     the store has forgotten the event, since it is old or there are too many
//
// When such a handler fails in the end, nothing changes: the claim of its delivery has ended.
// In Redis, a claim also ends when its process does not reach Redis for half a minute.
//
// A handler with [Once] has such a state of its own for each event. If the store has failed and
// handlers run all the same ([DedupProcess]), the log names one that does not return, too.
//
// The goroutine of a handler that does not return stays, and so does its connection over
// HTTP/1. Behind a [Sink], handlers are the sink's matter: a [WorkerPool] waits for one for
// ever, while the inboxes in a file and in Redis bound it.
//
// # Events without a time
//
// Some samples of the live service tell no time. When a state comes back, such as that
// of an operator who is disabled, enabled and disabled, two events have equal bodies. So
// the receiver numbers the events of a body. Each has an [EventInfo.EventID], here ID1
// and ID2, and two keys in the store. The key seen/ID is done once a delivery of the event
// has come. The key ID has the states above. For example, an operator is disabled twice,
// and a handler fails at the second event:
//
//	delivery   is of             seen/ID1  ID1   seen/ID2  ID2   answer
//	---------  ----------------  --------  ----  --------  ----  ----------------------------
//	attempt 1  the first event   done      done  free      free  200
//	attempt 1  the second event  done      done  done      free  500: a handler has failed
//	attempt 2  the second event  done      done  done      done  200: the handlers ran again
//
// The rule, where waiting means that seen/ID is done and ID is free:
//
//	attempt  the delivery is of
//	-------  --------------------------------------------------------------------------------
//	1        the next event
//	2, 3, …  the oldest event that is waiting; if there is none, the newest one that is being
//	         handled; or else the newest one that was handled; or else the next event
//	none     the oldest event that is waiting, or else the next event
//
// So a delivery with attempt 1, or without an attempt, always has the handlers run, even if
// an equal body was just handled: it may tell of another event. No event is lost that way.
// Without an attempt, one that the service delivers again after a success runs them again.
//
// The numbers begin anew every five minutes. A delivery is of an event of this period or
// the one before. So one that comes later, by five to ten minutes, counts as another
// event. And if an equal body was handled lately, and the first delivery of another such
// event is lost, its later ones are taken for those of the handled event, and dropped.
//
// The numbers are those of the store. The store in memory, which is the default, begins with
// other ones in each process, and when it has forgotten an event of these five minutes, since
// there were too many. So there, a delivery that comes again after a restart, or to another
// process, counts as another event: it is handled twice rather than lost. While a store fails
// and events are handled all the same ([DedupProcess]), each delivery counts as an event of
// its own.
//
// The number is in [EventInfo.Body] as the member occurrence, so that [Parse] finds the
// same EventID behind a [Sink].
//
// A body without the members event, data and entity is taken for an entity, and is numbered
// unless it tells a time. Any other that has neither a time, an attempt nor an entity is none
// of the live service's, and is not numbered: equal ones are deliveries of one event, as with
// a time.
//
// # Events
//
// An event is a pointer to one of the types of [EventType]. All of them have an
// [EventInfo]. An event without a type of its own is an [*UnknownEvent], not an
// error.
package webhook
