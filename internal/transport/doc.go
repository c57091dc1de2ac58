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
//	sender       one request, one whole answer in memory;   send.go
//	             a file streams, in up to four requests     download.go
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
// What that comes to:
//
//	reset before a byte of it left    unsent: sent again, a POST, too
//	reset after its header left       cutOff or sent: a GET is sent again, a POST is MaybeProcessed
//	REFUSED_STREAM, GOAWAY            turnedAway: sent again, a POST, too; but see cutOff for GOAWAY
//	3xx                               ErrRedirect: not followed, unless a Download may (Follow); a POST
//	                                  is MaybeProcessed, unless the body is an error
//	ctx is canceled                   context.Canceled and its cause, beside the failure of the last
//	                                  attempt, but none of an earlier one; not sent again, and a POST
//	                                  that had left is MaybeProcessed. If ctx ends too late to matter
//	                                  (isFinal), the failure stands alone
//
// # What is sent again
//
// The table of again in retry.go decides. Attempts that the rate limit refuses do not count as
// such. Once MaxAttempts requests were sent, these refusals together may take MaxWait. Any
// other repeat that comes after a pause is paid from a budget (budget.go), which calls that
// succeed refill, so that an outage does not multiply the requests.
//
// Beneath the Pipeline, two more loops can send a request. That of roundTripper.do looks for
// a connection that has not ended: no whole header has left, so it is no attempt. That of
// net/http is stopped as soon as one has: see the first comment of nethttp.go. A request for
// a file that the service redirects to is no attempt either, although it leaves: it carries no
// token, and takes no lease (fetch in download.go).
//
// # Reading order
//
//	call.go       of package salesiq: from a typed method to a Request, and from an Answer to a value
//	retry.go      the tables of again and tokenReplaced
//	failure.go    the tables of fate and mayHaveActed
//	pipeline.go   the request, the attempt, and how the links are put together
//	send.go       the request, its answer, and the failures in between
//	judge.go      which answers are failures
//	token.go      what becomes of a token that the service refuses
//	nethttp.go    what net/http would repeat by itself, and the tables of sending
//
// For the tables alone, in ninety lines, run go doc -u ./internal/transport X, where X is
// series.again, fate, Failure.mayHaveActed, sending.fate and sending.fateIfRepeated in turn.
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
// Where a question is answered that the tables leave open:
//
//	when the service wants to be asked again    retryAt in ratewindow.go: Retry-After (RetryAfter in
//	                                            http.go, by the answer's Date, up to 24 hours), or,
//	                                            after a 429 that leaves no call, the window's reset
//	which answers refuse the token              RefusesToken of package wire: INVALID_TOKEN, and a 401
//	                                            that is not about a scope or a permission
//	what would fail again                       IsPermanent in http.go
//	what a caller behind the cache gets who     Ended in cache.go: the error and cause of ctx, and no
//	cancels                                     failure; the request goes on if others wait for it
//	time limits, and how long they are          watchdog.go; defaultConfig in options.go of package
//	                                            salesiq, which has the other default numbers, too
package transport
