// Package transport is the chain that every request goes through.
//
// A [Pipeline] makes attempts at a call until one succeeds or another is not
// worth making. An attempt goes down the links, each of which is one file, and
// comes back as an [Answer] or as a [Failure], never as both:
//
//	Pipeline     a call: as many attempts as it is worth    retry.go, library.go
//	   │
//	logged       a line in the log                          log.go
//	observed     what tracers hear                          observe.go
//	limited      a lease: quota, and a free place           limit.go, queue.go
//	authorized   the token of the moment                    token.go
//	sender       one request, one whole answer in memory    send.go, judge.go
//	   │
//	http.RoundTripper                                       nethttp.go
//
// Lease and token are below the retry, so that each attempt pays quota and
// carries the current token.
//
// # Maybe processed
//
// A request that is not idempotent, such as a POST, must not be carried out
// twice. So a failure says what the service can have done with the request:
//
//	nothing of it was written to a connection    not processed
//	refused: 429, its token, its HTTP/2 stream   not processed
//	refused with a code of the service's own     not processed
//	written, but no answer, or half of one       maybe processed
//	3xx, 408, 5xx                                maybe processed
//
// What was not processed may be sent again. What was maybe processed is sent again
// only if the request is idempotent; otherwise the caller is told.
package transport
