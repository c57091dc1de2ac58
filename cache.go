package salesiq

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// Cache says what [WithCache] keeps, and for how long. Zero fields have the
// defaults.
type Cache struct {
	TTL        time.Duration // How old an answer may be; 5 minutes by default.
	MaxEntries int           // Answers kept at most; 1,000 by default.
	MaxBytes   int           // Their size at most, all together; 16 MiB by default.

	// Chats and visitors change by the minute. They are kept only if these fields
	// are true.
	Chats    bool
	Visitors bool
}

// WithCache keeps the answers about operators, brands, departments and routing
// rules for a while, since they rarely change: lists, their pages, and single
// objects, but not statistics. An answer that is kept costs no call. When there are
// too many, the least recently used goes first.
//
// A write of this client drops what it may have changed, whether it succeeds or
// not. Operators.Update drops the lists of operators, and that operator. A transfer,
// end or rating of a chat drops all operators, whose numbers it changes. What others
// change is seen when an answer has expired, or with [WithFresh].
//
// Calls for the same thing at the same time become one request. Each call waits no
// longer than its own context, and the request ends early only when nobody waits
// for it any more. Errors are never kept. Each caller gets values of its own. A call
// with [WithHeader] is not answered from the cache, nor is its answer kept.
func WithCache(cache Cache) Option {
	return func(c *config) error {
		cache.TTL = cmp.Or(cache.TTL, 5*time.Minute)
		cache.MaxEntries = cmp.Or(cache.MaxEntries, 1000)
		cache.MaxBytes = cmp.Or(cache.MaxBytes, 16<<20)
		c.cache = &cache
		return cmp.Or(
			positive("cache TTL", cache.TTL),
			between("cache entries", cache.MaxEntries, 1, 1_000_000),
			between("cache bytes", cache.MaxBytes, 1, 1<<30))
	}
}

// WithFresh asks the service even if the answer is kept, and replaces the kept one;
// see [WithCache].
func WithFresh() CallOption {
	return func(o *callOptions) error { o.fresh = true; return nil }
}

// answerCache knows which answers are worth keeping and which writes end them.
// A nil one keeps nothing.
type answerCache struct {
	root     string // The address below which the resources are.
	config   Cache
	pipeline *transport.Pipeline
	answers  *transport.Cache
}

func newAnswerCache(client *Client, config Cache) (*answerCache, error) {
	answers, err := transport.NewCache(client.pipeline, transport.CacheConfig{
		TTL: config.TTL, MaxEntries: config.MaxEntries, MaxBytes: config.MaxBytes,
	})
	if err != nil {
		return nil, err
	}
	return &answerCache{root: client.resolve(""), config: config, pipeline: client.pipeline, answers: answers}, nil
}

// ask sends a request, unless its answer is kept. It drops what a write may
// have changed.
func (a *answerCache) ask(ctx context.Context, r *transport.Request, fresh bool) (*transport.Answer, error) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		defer a.written(r)
		return a.pipeline.Do(ctx, r)
	case len(r.Header) > 0 || r.Download != nil || !a.keeps(r):
		return a.pipeline.Do(ctx, r)
	}
	return a.answers.Do(ctx, r, r.URL, fresh)
}

// resource returns the segments of the path below the API's root, without the
// query: "operators", "operator456". A foreign address has none.
func (a *answerCache) resource(address string) []string {
	path, _, _ := strings.Cut(address, "?")
	path, ok := strings.CutPrefix(path, a.root)
	if path = strings.Trim(path, "/"); !ok || path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// keeps reports whether the answer to a request is worth keeping.
func (a *answerCache) keeps(r *transport.Request) bool {
	path := a.resource(r.URL)
	if r.Method != http.MethodGet || len(path) == 0 {
		return false
	}
	switch path[0] {
	case "operators":
		return len(path) <= 2 // Not their statistics.
	case "brands", "departments", "routing": // The live service has departments beside brands.
		return true
	case "chats":
		return a.config.Chats
	case "visitors":
		return a.config.Visitors
	}
	return false
}

// written drops what a write may have changed, as soon as it is over. It may
// have been carried out even if it failed.
func (a *answerCache) written(r *transport.Request) {
	write := a.resource(r.URL)
	a.answers.Forget(func(key string) bool { return concerns(write, a.resource(key)) })
}

// forget drops an answer that cannot be decoded.
func (a *answerCache) forget(r *transport.Request) {
	if a != nil {
		a.answers.Forget(func(key string) bool { return key == r.URL })
	}
}

// concerns reports whether a write to one path may change what is read at
// another. An unknown write may change anything.
func concerns(write, kept []string) bool {
	if len(write) == 0 {
		return true
	}
	switch write[0] {
	case "webhooks", "devices", "notifications":
		return false
	case "operators", "brands", "departments", "routing":
		return kept[0] == write[0] && (len(kept) == 1 || len(write) > 1 && kept[1] == write[1])
	case "visitors":
		return kept[0] == "visitors"
	case "chats":
		message := write[len(write)-1] == "messages"
		return slices.Contains([]string{"chats", "visitors"}, kept[0]) || kept[0] == "operators" && !message
	}
	return true
}
