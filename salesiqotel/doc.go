// Package salesiqotel shows through OpenTelemetry what package salesiq does:
//
//	telemetry, err := salesiqotel.New()
//	client, err := salesiq.NewClient(auth, salesiq.WithTracer(telemetry.ClientTracer()))
//	receiver, err := webhook.NewReceiver(verifier, webhook.WithTracer(telemetry.WebhookTracer()))
//
// # Which function to use
//
//   - To show calls, attempts and waits of a client, use [Telemetry.ClientTracer].
//   - To show deliveries of events, use [Telemetry.WebhookTracer].
//   - To show the handling of events that a sink has kept, use [Telemetry.Handler].
//   - To send spans and metrics elsewhere than to the global providers, use
//     [WithTracerProvider] and [WithMeterProvider].
//   - To tell the service of traces, use [WithPropagator].
//   - To show what waits for a handler, use [Telemetry.ObserveBacklog]; whether a shared
//     quota is out of reach, [Telemetry.ObserveAlone].
//   - To leave requests to a transport that is instrumented, use [WithoutRequests].
//
// # Names
//
// Names follow the semantic conventions for HTTP, version 1.43.0; what is not in
// them begins with "salesiq.". Neither ids nor queries, bodies, messages of the
// service or anything else about visitors are among the values. This is why url.full
// is left out, which the conventions ask for: url.template is there instead. All
// values come from small sets, as far as the names of [salesiq.WithOperation] do.
//
// # Spans
//
// A call is a span of kind internal, with a child for each of its requests. Its name
// is the operation, such as Chats.SendMessage.
//
//	salesiq.operation           Chats.SendMessage
//	salesiq.attempts            how many there were
//	salesiq.cached              true if the answer was kept by the client
//	http.response.status_code   of the last answer
//	error.type                  of a failed call, see below
//	salesiq.error.code          the service's code for it, if it is a known one
//
// It has an event for each wait that has ended:
//
//	salesiq.wait
//	    salesiq.wait.reason     quota, slot, token, backoff or retry_after
//	    salesiq.duration        in seconds
//
// A request is a span of kind client. It begins after the waits. Its name is the
// method and the template, such as GET /api/v2/chats/{chat_id}.
//
//	http.request.method         GET; _OTHER if it is none of HTTP's
//	http.request.method_original   what it was then, if that consists of letters
//	server.address              salesiq.zoho.com
//	server.port                 443
//	url.template                /api/v2/chats/{chat_id}; see [salesiq.CallTrace]
//	network.protocol.version    1.1 or 2, of the answer
//	http.response.status_code   of the answer
//	http.request.resend_count   attempts before this one, if there are any
//	error.type                  of a failed request
//	salesiq.error.code          the service's code for it, if it is a known one
//
// A refresh of the access token is a span of kind internal, Token.Refresh, below the
// call that needed it first, with salesiq.token.source and error.type. Its requests
// to the OAuth server are spans of kind client, as above.
//
// The status of what has failed is Error, without a description.
//
// The error.type is the status of an answer, such as 404; or canceled, timeout,
// daily_limit, rate_limit (the client itself held the call back), auth, redirect,
// too_large, decode, transport; or the service's code where the status told of a
// success; or _OTHER.
//
// Deliveries of events have no span of their own: handlers go on with the one of
// the request, which an instrumented server begins. A sink takes that along, in
// [webhook.EventInfo.Trace]. An event that is handled later, maybe in another process,
// has a span of kind consumer, which links to the delivery; see [Telemetry.Handler].
//
//	process chat.rating
//	    salesiq.event, error.type
//
// # Metrics
//
//	salesiq.client.call.duration            s, histogram: calls, waits and retries included
//	    salesiq.operation, error.type, salesiq.cached
//	http.client.request.duration            s, histogram: requests, without waits
//	    http.request.method, server.address, server.port, url.template,
//	    http.response.status_code, error.type, network.protocol.version
//	salesiq.client.throttled                {request}, counter: attempts refused as too many (429)
//	    salesiq.operation
//	salesiq.client.wait.duration            s, histogram
//	    salesiq.operation, salesiq.wait.reason
//	salesiq.client.quota.remaining          {call}, gauge: calls left, as of the last attempt
//	    server.address, salesiq.quota.period (minute or day)
//	salesiq.client.quota.limit              {call}, gauge: calls of the whole quota
//	    server.address, salesiq.quota.period (minute or day)
//	salesiq.client.token.refresh.duration   s, histogram: refreshes of the access token
//	    salesiq.token.source (server or store), error.type
//	salesiq.webhook.delivery.duration       s, histogram: deliveries of events
//	    salesiq.event (_OTHER if it is not known, none if refused),
//	    salesiq.delivery.outcome (handled, duplicate, failed or refused),
//	    http.response.status_code
//	salesiq.client.alone                    {process}, gauge: 1 while the shared quota is out of reach
//	salesiq.webhook.backlog.events          {event}, gauge: events that are not handled yet
//	salesiq.webhook.backlog.age             s, gauge: for how long the oldest of them has waited
//	salesiq.webhook.backlog.dead_letters    {event}, gauge: events that have had all their tries
//	    salesiq.backlog.name
//
// Durations are recorded in the context of their spans, so that exemplars lead there.
//
// # With otelhttp
//
// A transport of package otelhttp makes the same span for each request, the same
// metric, and the header. Let one side do it:
//
//	client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}
//	telemetry, err := salesiqotel.New(salesiqotel.WithoutRequests())
//
// Its spans are children of the calls, and its propagator alone writes headers. But
// its url.full has ids and queries, which may identify people; the spans of this
// package do not. To have these instead, where the client is one that other code uses
// as well, let the transport leave the service out:
//
//	otelhttp.WithFilter(func(r *http.Request) bool { return r.URL.Host != "salesiq.zoho.com" })
//
// # Logs
//
// What [salesiq.WithLogger] writes, and what tracers write that come after this
// package's, has the context of the call's span. A handler of package slog that adds
// the ids of the span in the context leads from a line to its trace; see the example.
//
// # Price
//
// As long as the providers are unset, or do nothing, a call is not traced at all. A
// few allocations are spent on finding that out.
//
// # Propagation
//
// The service is not told of traces, unless [WithPropagator] asks for it.
package salesiqotel
