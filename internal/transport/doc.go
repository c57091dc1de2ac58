// Package transport is the chain that every request goes through.
//
// A [Pipeline] makes attempts at a call until one succeeds or another is not
// worth making. An attempt goes down the links, and comes back as an [Answer] or as a
// [Failure], never as both:
//
//	Pipeline     a call: as many attempts as it is worth    retry.go
//	   │
//	logged       a line in the log                          log.go
//	observed     tells tracers of the attempt               observe.go
//	limited      a lease, the permission to send: there is  limit.go
//	             quota left, and a place under way is free
//	authorized   the token of the moment                    token.go
//	observed     tells tracers of the request               observe.go
//	sender       one request, one whole answer in memory    send.go
//	   │
//	http.RoundTripper
//
// Lease and token are below the retry, so that each attempt pays quota and
// carries the current token. The lease comes before the token, so that the token is
// not out of date when the turn comes. A call keeps its lease while it waits for a
// token that is being renewed.
//
// # Failures
//
// An answer with an error status is a failure. So is a 2xx that conceals an error, that says
// that parts were not done, or whose JSON breaks off: judge.go finds those. Each failure
// has a fate, which is how far the request got. The table of fate in failure.go lists them,
// and the table of sending.fate in nethttp.go tells those of a request without an answer.
//
// A request that is not idempotent, such as a POST or a PATCH without WithIdempotent, must
// not be carried out twice. If it fails, and the service may have acted on it (mayHaveActed
// in failure.go), the failure is MaybeProcessed. Then it is not sent again. The same is true
// of an answer that call.go of package salesiq cannot decode (Answer.Undecodable).
//
// # What is sent again
//
// The table of again in retry.go decides. In short:
//
//   - Once ctx has ended, nothing is sent. A POST that had left is MaybeProcessed.
//   - After a refused token, the call is sent again at once, if another token may be
//     accepted.
//   - After a refusal for the rate limit, it is sent again after a pause. Such attempts do
//     not count. Once MaxAttempts requests were sent, the refusals together may take MaxWait.
//     A caller who wants a single attempt gets no other.
//   - After another failure that may pass (IsTransient in retry.go: an outage, an internal
//     error, no whole answer) and is not MaybeProcessed, it is sent again until
//     MaxAttempts were counted: at once if the first attempt only lost its connection, and
//     otherwise after a pause. Calls that succeed earn those after a pause (budget.go), so
//     that an outage does not multiply the requests.
//   - Anything else is not sent again.
//
// No pause is begun that is longer than MaxWait, or that would outlast the deadline of ctx.
//
// Beneath the Pipeline, two more loops can send a request. That of roundTripper.do looks for
// a connection that has not ended: nothing was written, so it is no attempt. That of
// net/http is stopped as soon as anything was written: see the first comment of nethttp.go.
//
// # Reading order
//
//	retry.go      the tables of again and tokenReplaced
//	failure.go    the tables of fate and mayHaveActed
//	pipeline.go   the request, the attempt, and how the links are put together
//	send.go       the request, its answer, and the failures in between
//	judge.go      which answers are failures
//	token.go      what becomes of a token that the service refuses
//	nethttp.go    what net/http would repeat by itself, and the table of sending.fate
//
// The others can wait until their subject comes up:
//
//	limit.go, queue.go           waiting for quota and a free place
//	ratewindow.go                the headers of the rate limit
//	budget.go                    paying for retries
//	library.go                   the loop around retry.go, which is go-retryablehttp's
//	log.go, observe.go           log and tracers
//	answer.go                    reading answers into memory that is used again
//	cache.go                     keeping answers, above the Pipeline
//	upload.go, download.go       files
//	watchdog.go                  time limits
//	http.go                      what is true of any request over HTTP
//	dial.go, proxy.go            connecting
//
// Above the Pipeline, call.go of package salesiq makes the requests and decodes the answers.
package transport
