package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq"
)

const (
	atOnce     = 10 // What the specification allows.
	latency    = 50 * time.Millisecond
	burstDelay = 5 * time.Millisecond
)

// measureSync goes through 10,000 chats, page after page, over loopback.
func measureSync(ctx context.Context, p plan, base string, r *report) error {
	const pages = 100
	base += lab(0, pages)
	sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(base))
	if err != nil {
		return err
	}
	contestants := []contestant{
		{name: handWritten, op: pageByPage(with(base, httpClient(nil).Do, true, readAll), pages)},
		{name: handTuned, op: pageByPage(with(base, httpClient(nil).Do, true, tuned), pages)},
		{name: ours, op: func(ctx context.Context) error { return everyChat(ctx, sdk, pages) }},
	}
	return r.race(ctx, "sync", "10,000 chats in 100 pages, over loopback", contestants, max(1, p.others/3))
}

func everyChat(ctx context.Context, sdk *salesiq.Client, pages int) error {
	count := 0
	for _, err := range sdk.Chats.All(ctx, nil) {
		if err != nil {
			return err
		}
		count++
	}
	return expect(count, pages*chatsPerPage)
}

// pageByPage is the loop that one writes by hand.
func pageByPage(get getter, pages int) func(context.Context) error {
	return func(ctx context.Context) error {
		count := 0
		for number := 1; ; number++ {
			var out listAnswer
			if err := get(ctx, pagePath(number), &out); err != nil {
				return err
			}
			count += len(out.Data)
			if len(out.Data) == 0 || count >= out.Pagination.Total {
				return expect(count, pages*chatsPerPage)
			}
		}
	}
}

func pagePath(number int) string {
	return "/api/v2/chats?page=" + strconv.Itoa(number) + "&per_page=" + strconv.Itoa(chatsPerPage)
}

// latencyRow is a job whose time the latency of the service dictates.
type latencyRow struct {
	Name, Job   string
	Trip        spread // Of one call alone, in seconds.
	Closed      bool   // Ten calls are under way all the time.
	Ratio       spread // Of the time to that of the round trips.
	Connections int64  // Opened in a round, at most.
}

// latencyJob is one way to do such a job.
type latencyJob struct {
	name, job string
	calls     int
	trips     float64 // Round trips that cannot but come one after the other, ten calls at once.
	closed    bool
	lone      func(ctx context.Context) error // A round trip, of which nothing is decoded.
	warm, run func(ctx context.Context) error
}

// measureLatency fetches pages and transcripts from a service that takes 50 ms
// for each call, and compares the time with that of the round trips alone, as
// they are in the same round: no clock of a machine wakes in time. Warm means
// that connections are open.
func measureLatency(ctx context.Context, p plan, base string, r *report) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU())) // It is all about waiting.
	slow, quick := base+lab(latency, p.pages), base+lab(burstDelay, p.pages)
	var jobs []latencyJob
	for _, add := range []func() ([]latencyJob, error){
		func() ([]latencyJob, error) { return pageJobs(slow, p) },
		func() ([]latencyJob, error) { return transcriptJobs(slow, p) },
		func() ([]latencyJob, error) { return burstJobs(quick, p) },
	} {
		some, err := add()
		if err != nil {
			return err
		}
		jobs = append(jobs, some...)
	}
	rows := make([]latencyRow, len(jobs))
	ratios, trips := make([][]float64, len(jobs)), make([][]float64, len(jobs))
	for i, job := range jobs {
		rows[i] = latencyRow{Name: job.name, Job: job.job, Closed: job.closed}
	}
	for range p.jobRounds {
		for i, job := range jobs {
			trip, took, opened, err := job.timed(ctx)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", job.job, job.name, err)
			}
			trips[i] = append(trips[i], trip)
			ratios[i] = append(ratios[i], took/(trip*job.trips))
			rows[i].Connections = max(rows[i].Connections, opened)
		}
	}
	for i := range rows {
		rows[i].Ratio, rows[i].Trip = spreadOf(ratios[i]), spreadOf(trips[i])
	}
	r.Latency = rows
	return nil
}

// timed does the job once, after some round trips, in seconds. It counts the
// connections that were opened for it, those of the warming included: between
// the rounds, idle ones are closed.
func (job latencyJob) timed(ctx context.Context) (trip, took float64, opened int64, err error) {
	const enough = 11
	alone := make([]float64, enough)
	for i := range alone {
		if alone[i], err = seconds(ctx, job.lone); err != nil {
			return 0, 0, 0, err
		}
	}
	ctx = counting(ctx, &opened)
	if err := job.warm(ctx); err != nil {
		return 0, 0, 0, err
	}
	took, err = seconds(ctx, job.run)
	return spreadOf(alone).Median, took, opened, err
}

func seconds(ctx context.Context, do func(context.Context) error) (float64, error) {
	began := time.Now()
	err := do(ctx)
	return time.Since(began).Seconds(), err
}

// loneCall makes a call of which nothing is decoded.
func loneCall(base, path string) func(context.Context) error {
	get := with(base, httpClient(nil).Do, true, func(response *http.Response, _ any) error {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	})
	return func(ctx context.Context) error { return get(ctx, path, nil) }
}

// counting counts the connections that are opened under a context.
func counting(ctx context.Context, opened *int64) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				atomic.AddInt64(opened, 1)
			}
		},
	})
}

func pageJobs(base string, p plan) ([]latencyJob, error) {
	sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(base))
	if err != nil {
		return nil, err
	}
	get := with(base, httpClient(nil).Do, true, readAll)
	pages := func(ctx context.Context, from, to int) error {
		return tenAtOnce(to-from, func(n int) error {
			var out listAnswer
			return get(ctx, pagePath(from+n), &out)
		})
	}
	job := latencyJob{
		job: fmt.Sprintf("%d pages of 100 chats", p.pages), calls: p.pages, closed: true,
		// Nobody knows how many pages there are before the first one is here.
		trips: 1 + float64(p.pages-1)/atOnce, lone: loneCall(base, pagePath(1)),
	}
	theirs, own := job, job
	theirs.name = "hand-written, ten goroutines"
	theirs.warm = func(ctx context.Context) error { return pages(ctx, 1, 1+atOnce) }
	theirs.run = func(ctx context.Context) error {
		return errors.Join(pages(ctx, 1, 2), pages(ctx, 2, 1+p.pages))
	}
	own.name = ours
	own.warm = func(ctx context.Context) error { return transcripts(ctx, sdk, atOnce) }
	own.run = func(ctx context.Context) error { return everyChat(ctx, sdk, p.pages) }
	return []latencyJob{theirs, own}, nil
}

func transcriptJobs(base string, p plan) ([]latencyJob, error) {
	sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(base))
	if err != nil {
		return nil, err
	}
	job := latencyJob{
		job: fmt.Sprintf("%d transcripts", p.transcripts), calls: p.transcripts, closed: true,
		trips: float64(p.transcripts) / atOnce, lone: loneCall(base, transcriptPath),
	}
	own := job
	own.name = ours
	own.warm = func(ctx context.Context) error { return transcripts(ctx, sdk, atOnce) }
	own.run = func(ctx context.Context) error { return transcripts(ctx, sdk, p.transcripts) }
	return []latencyJob{
		job.by("hand-written, ten goroutines", with(base, httpClient(nil).Do, true, readAll), 1),
		job.by("go-retryablehttp, ten goroutines", with(base, retryable(pooled()).StandardClient().Do, true, readAll), 1),
		own,
	}, nil
}

// burstJobs make calls in bursts of ten, with nothing in between: whoever keeps
// fewer connections opens new ones in each burst.
func burstJobs(base string, p plan) ([]latencyJob, error) {
	sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(base))
	if err != nil {
		return nil, err
	}
	job := latencyJob{
		job: fmt.Sprintf("%d bursts of ten transcripts", p.bursts), calls: p.bursts * atOnce,
		trips: float64(p.bursts), lone: loneCall(base, transcriptPath),
	}
	own := job
	own.name = ours
	own.warm = func(ctx context.Context) error { return transcripts(ctx, sdk, atOnce) }
	own.run = func(ctx context.Context) error {
		for range p.bursts {
			if err := transcripts(ctx, sdk, atOnce); err != nil {
				return err
			}
		}
		return nil
	}
	return []latencyJob{
		job.by("hand-written, ten goroutines", with(base, httpClient(nil).Do, true, readAll), p.bursts),
		job.by("go-retryablehttp, ten goroutines", with(base, retryable(pooled()).StandardClient().Do, true, readAll), p.bursts),
		own,
	}, nil
}

// pooled is the transport that go-retryablehttp comes with.
func pooled() http.RoundTripper { return newRetryable().HTTPClient.Transport }

// by is the job done by hand: ten goroutines, in so many bursts.
func (job latencyJob) by(name string, get getter, bursts int) latencyJob {
	job.name = name
	once := func(ctx context.Context, calls int) error {
		return tenAtOnce(calls, func(int) error {
			var out struct {
				Data []salesiq.Message `json:"data"`
			}
			err := get(ctx, transcriptPath, &out)
			return errors.Join(err, expect(len(out.Data), len(lines)))
		})
	}
	job.warm = func(ctx context.Context) error { return once(ctx, atOnce) }
	job.run = func(ctx context.Context) error {
		for range bursts {
			if err := once(ctx, job.calls/bursts); err != nil {
				return err
			}
		}
		return nil
	}
	return job
}

func transcripts(ctx context.Context, sdk *salesiq.Client, count int) error {
	chats := func(yield func(*salesiq.Chat, error) bool) {
		for range count {
			if !yield(&salesiq.Chat{ID: chatID}, nil) {
				return
			}
		}
	}
	for result := range sdk.Chats.Transcripts(ctx, chats) {
		if result.Err != nil {
			return result.Err
		}
		if err := expect(len(result.Chat.Transcript), len(lines)); err != nil {
			return err
		}
	}
	return nil
}

// tenAtOnce has ten goroutines do a number of things.
func tenAtOnce(count int, do func(n int) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, atOnce)
	for worker := range atOnce {
		workers.Go(func() {
			for errs[worker] == nil {
				n := int(next.Add(1)) - 1
				if n >= count {
					return
				}
				errs[worker] = do(n)
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}
