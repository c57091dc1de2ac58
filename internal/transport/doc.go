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
//	limited      a lease: quota, and a free place           limit.go
//	authorized   the token of the moment                    token.go
//	requested    tells tracers of the request               observe.go
//	sender       one request, one whole answer in memory    send.go
//	   │
//	http.RoundTripper
//
// Lease and token are below the retry, so that each attempt pays quota and
// carries the current token. The lease comes before the token, so that the token is
// not out of date when the turn comes. A call keeps its lease while it waits for a
// token that is being renewed.
//
// A request that is not idempotent, such as a POST, must not be carried out twice. It is
// sent again only if the service has not acted on it.
//
// # Reading order
//
// These five files tell how a call travels, and what is sent again:
//
//	pipeline.go   the request, the attempt, and how the links are put together
//	failure.go    how far a request got that failed (fate), and whether the service may
//	              have acted on it (mayHaveActed)
//	retry.go      whether there is another attempt (again), and after which pause
//	token.go      what becomes of a token that the service refuses
//	send.go       the request, its answer, and the failures in between
//
// The others can wait until their subject comes up:
//
//	nethttp.go                   the fate of a request without an answer, and what net/http
//	                             would repeat by itself
//	judge.go                     which answers are failures
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
//
// Three loops can send a request again. That of the Pipeline makes attempts. That of
// roundTripper.do looks for a connection that has not ended: nothing was written, so it is
// no attempt. That of net/http is stopped as soon as anything was written.
package transport
