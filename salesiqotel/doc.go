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
//   - To send spans and metrics elsewhere than to the global providers, use
//     [WithTracerProvider] and [WithMeterProvider].
//   - To tell the service of traces, use [WithPropagator].
//
// # Names
//
// Names follow the semantic conventions for HTTP, version 1.43.0; what is not in
// them begins with "salesiq.". Neither ids nor queries, bodies, messages of the
// service or anything else about visitors are among the values, which is why
// there is no url.full. All values come from small sets, as far as the names of
// [salesiq.WithOperation] do.
//
// # Spans
//
// A call is one span of kind client, with all of its attempts. Its name is the
// operation, such as Chats.SendMessage. Its status is Error if the call fails.
//
//	http.request.method         GET; _OTHER if it is none of HTTP's
//	server.address              salesiq.zoho.com
//	server.port                 443
//	url.template                /api/v2/chats/{chat_id}; see [salesiq.CallTrace]
//	http.response.status_code   of the last answer
//	http.request.resend_count   attempts after the first, if there are any
//	error.type                  of a failed call, see below
//	salesiq.error.code          the service's code for it, if it is a known one
//	salesiq.cached              true if the answer was kept by the client
//
// Its events:
//
//	salesiq.attempt             when an attempt ends
//	    http.request.resend_count, http.response.status_code, error.type
//	    salesiq.duration        in seconds, without waits
//	salesiq.wait                when a wait ends
//	    salesiq.wait.reason     quota, slot, token, backoff or retry_after
//	    salesiq.duration        in seconds
//
// The error.type is the status of an answer, such as 404; or canceled, timeout,
// daily_limit, rate_limit (the client itself held the call back), auth, redirect,
// too_large, decode, transport; or the service's code where the status told of a
// success; or _OTHER.
//
// Deliveries of events have no span of their own: handlers go on with the one of
// the request, which an instrumented server begins.
//
// # Metrics
//
//	salesiq.client.call.duration            s, histogram: calls, waits and retries included
//	    salesiq.operation, error.type, salesiq.cached
//	http.client.request.duration            s, histogram: attempts, without waits
//	    http.request.method, server.address, server.port, url.template,
//	    http.response.status_code, error.type
//	salesiq.client.throttled                {request}, counter: attempts refused as too many (429)
//	    salesiq.operation
//	salesiq.client.wait.duration            s, histogram
//	    salesiq.operation, salesiq.wait.reason
//	salesiq.client.quota.remaining          {call}, gauge: calls left, as of the last attempt
//	    server.address, salesiq.quota.period (minute or day)
//	salesiq.client.token.refresh.duration   s, histogram: refreshes of the access token
//	    salesiq.token.source (server or store), error.type
//	salesiq.webhook.delivery.duration       s, histogram: deliveries of events
//	    salesiq.event (_OTHER if it is not known, none if refused),
//	    salesiq.delivery.outcome (handled, duplicate, failed or refused),
//	    http.response.status_code
//
// # Propagation
//
// The service is not told of traces, unless [WithPropagator] asks for it.
package salesiqotel
