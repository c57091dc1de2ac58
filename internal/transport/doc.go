// Package transport is the chain that every request goes through.
//
// A [Pipeline] makes attempts at a call until one succeeds or another is not
// worth making. An attempt goes down the links, each of which is one file, and
// comes back as an [Answer] or as a [Failure], never as both:
//
//	Pipeline     a call: as many attempts as it is worth    retry.go, library.go
//	   │
//	logged       a line in the log                          log.go
//	observed     tells tracers of the attempt               observe.go
//	limited      a lease: quota, and a free place           limit.go, queue.go
//	authorized   the token of the moment                    token.go
//	requested    tells tracers of the request               observe.go
//	sender       one request, one whole answer in memory    send.go, judge.go
//	   │
//	http.RoundTripper                                       nethttp.go, dial.go
//
// The decisions are in retry.go and failure.go. What nethttp.go, dial.go, watchdog.go,
// upload.go and download.go do is below them: they tell whether a request was sent, and
// end it in time.
//
// Lease and token are below the retry, so that each attempt pays quota and
// carries the current token. The lease comes before the token, so that the token is
// not out of date when the turn comes. A call keeps its lease while it waits for a
// token that is being renewed.
//
// Three loops can send a request again. The first is that of the Pipeline, and makes
// attempts. The second, in roundTripper.do, looks for a connection that has not ended:
// nothing was written, so it is no attempt. The third is net/http's own, which is stopped
// as soon as anything was written: see nethttp.go.
//
// # What the service may have done
//
// A request that is not idempotent, such as a POST, must not be carried out
// twice. So a failure says what the service can have done with the request. The
// first line that fits decides:
//
//	some parts of it were done, others not              may have acted
//	nothing of it was written to a connection           has not acted
//	a 408 at once, on a connection that was idle        has not acted
//	refused unread: rate limit, token, HTTP/2 stream    has not acted
//	no answer, or half of one                           may have acted
//	an error with the code of an internal error         may have acted
//	an error with another code, and no 5xx              has not acted
//	a 2xx or 3xx whose body is an error with a message  has not acted
//	any other 2xx or 3xx, 408, 5xx                      may have acted
//	any other 4xx                                       has not acted
//
// Codes are those of the service's own error bodies: a gateway in front of it has
// none. A 2xx is a failure if its body is an error, or not what it should be.
//
// If the service has not acted, the request may be sent again. If it may have acted, the
// request is sent again only if it is idempotent. The two together are
// Failure.MaybeProcessed: the service may have acted, and the request is not idempotent.
//
// # Another attempt
//
// After a failure, the first line that fits decides whether there is another attempt:
//
//	ctx has ended, or the body cannot be read again     no
//	the limiter held the request                        no
//	the token was refused                               if there is another: see tokenReplaced
//	as many attempts were made as there may be          no
//	the rate limit refused it                           yes
//	it is MaybeProcessed                                no
//	it is transient: an outage, or no whole answer      yes, if the budget pays for it
//	any other                                           no
//
// Attempts that the rate limit refused are not among those that were made, unless there
// may be one only: then no failure but a refused token is followed by another.
//
// The pause before it is random. If the service says when to come again, the pause lasts
// until then and for a random time more. There is none after a refused token, nor after a
// first attempt whose connection ended under it or whose stream was refused, which costs
// no budget either. A pause that is longer than the caller accepts, or than ctx lasts, is
// not begun.
package transport
