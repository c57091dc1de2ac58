package transport

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// CacheConfig bounds a cache. All fields are required and positive.
type CacheConfig struct {
	TTL        time.Duration
	MaxEntries int
	MaxBytes   int // Of all keys and bodies together.
}

// Cache stands above a pipeline and keeps answers for a while: the bytes, so
// that every caller decodes values of its own. Requests for the same thing that
// meet are sent once. It is safe for concurrent use.
type Cache struct {
	next   *Pipeline
	config CacheConfig

	mu      sync.Mutex // Guards what follows.
	entries *simplelru.LRU[string, cacheEntry]
	bytes   int
	flights map[string]*flight
}

type cacheEntry struct {
	answer  *Answer
	expires time.Time // By the wall clock: an answer ages while the machine sleeps.
}

// NewCache returns an empty cache of what next answers.
func NewCache(next *Pipeline, config CacheConfig) (*Cache, error) {
	c := &Cache{next: next, config: config, flights: map[string]*flight{}}
	var err error
	c.entries, err = simplelru.NewLRU(config.MaxEntries, func(key string, e cacheEntry) { c.bytes -= e.size(key) })
	return c, err
}

func (e cacheEntry) size(key string) int { return len(key) + len(e.answer.Body) }

// flight is a request under way, for whoever waits for its answer.
type flight struct {
	done    chan struct{} // Closed when the answer, or the error, is there.
	answer  *Answer
	err     error
	cancel  context.CancelFunc
	waiters int
}

// Do answers from the cache, from a request that is under way, or with a new
// one. A fresh answer is always that of a new one. Each caller waits on its own
// ctx; the request itself ends early only when nobody waits for it any more.
func (c *Cache) Do(ctx context.Context, r *Request, key string, fresh bool) (*Answer, error) {
	kept, f := c.find(ctx, r, key, fresh)
	if kept != nil {
		return kept, nil
	}
	defer c.leave(key, f)
	select {
	case <-f.done:
		return f.share()
	case <-ctx.Done():
		return &Answer{}, Ended(ctx)
	}
}

// find returns an answer, or a flight to wait for.
func (c *Cache) find(ctx context.Context, r *Request, key string, fresh bool) (*Answer, *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !fresh {
		if kept := c.look(key); kept != nil {
			return kept, nil
		}
	}
	f := c.flights[key]
	if f == nil || fresh {
		var flightContext context.Context
		f = &flight{done: make(chan struct{})}
		flightContext, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		c.flights[key] = f
		go c.run(flightContext, f, r, key)
	}
	f.waiters++
	return nil, f
}

func (c *Cache) look(key string) *Answer {
	e, ok := c.entries.Get(key)
	if !ok {
		return nil
	}
	if !time.Now().Before(e.expires) {
		c.entries.Remove(key)
		return nil
	}
	return e.answer.own()
}

// run makes the request of a flight. Its answer is kept unless the flight was
// forgotten meanwhile: the answer may then be older than a write.
func (c *Cache) run(ctx context.Context, f *flight, r *Request, key string) {
	defer close(f.done)
	f.answer, f.err = c.next.Do(ctx, r)
	if f.err == nil {
		f.answer.detach()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] != f {
		return
	}
	delete(c.flights, key)
	if f.err == nil {
		c.keep(key, f.answer)
	}
}

func (c *Cache) keep(key string, answer *Answer) {
	e := cacheEntry{answer: answer.remembered(), expires: time.Now().Add(c.config.TTL).Round(0)}
	c.entries.Remove(key) // Replacing it would not tell the size of the old one.
	if e.size(key) > c.config.MaxBytes {
		return
	}
	c.bytes += e.size(key)
	c.entries.Add(key, e)
	for c.bytes > c.config.MaxBytes {
		c.entries.RemoveOldest()
	}
}

// leave ends a caller's wait. The last one to leave takes the request along.
func (c *Cache) leave(key string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiters--
	if f.waiters > 0 {
		return
	}
	f.cancel()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
}

// Forget drops the answers whose keys match, and keeps those under way from
// being kept, and from being given to who asks from now on.
func (c *Cache) Forget(matches func(key string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.entries.Keys() {
		if matches(key) {
			c.entries.Remove(key)
		}
	}
	maps.DeleteFunc(c.flights, func(key string, _ *flight) bool { return matches(key) })
}

// share returns the outcome for one of several callers.
func (f *flight) share() (*Answer, error) {
	failure, ok := errors.AsType[*Failure](f.err)
	if !ok {
		return f.answer.own(), f.err
	}
	failure = new(*failure)
	failure.Header = failure.Header.Clone()
	failure.Said.Details, _ = cloneValue(failure.Said.Details).(map[string]any)
	return new(*f.answer), failure
}

// own is an answer that one caller has for itself.
func (a *Answer) own() *Answer {
	own := new(*a)
	own.Header, own.Body = a.Header.Clone(), bytes.Clone(a.Body)
	return own
}

// cloneValue copies what JSON was decoded to.
func cloneValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		value = maps.Clone(value)
		for name := range value {
			value[name] = cloneValue(value[name])
		}
		return value
	case []any:
		value = slices.Clone(value)
		for i := range value {
			value[i] = cloneValue(value[i])
		}
		return value
	}
	return value
}

// detach makes the body one that several callers can read and nobody releases.
func (a *Answer) detach() {
	own := append(make([]byte, 0, len(a.Body)), a.Body...)
	a.Release()
	a.Body = own
}

// remembered is the answer as it is told later: no attempt was made for it, and
// what it says about the rate limit no longer holds.
func (a *Answer) remembered() *Answer {
	kept, hide := new(*a), a.secrets()
	kept.hide = &hide // Without the exchange that a.hide is part of.
	kept.Attempts, kept.Waited = 0, 0
	kept.Header = a.Header.Clone()
	maps.DeleteFunc(kept.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "X-Ratelimit-") })
	return kept
}

// Ended is the error of a caller whose context is over, with its cause.
func Ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return errors.Join(cause, ctx.Err())
	}
	return ctx.Err()
}
