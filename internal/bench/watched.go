package main

import (
	"context"
	"net/http"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/usage"
)

// Those who watch a call, besides nobody.
const (
	watchedByUsage = "salesiq, counted by package usage"
	watchedByUnset = "salesiq, with OpenTelemetry that is not set up"
	watchedByNoop  = "salesiq, with OpenTelemetry that does nothing"
)

// measureWatched races a call that nobody watches against those that somebody does.
func measureWatched(ctx context.Context, p plan, _ string, r *report) error {
	unset, err := salesiqotel.New()
	if err != nil {
		return err
	}
	noop, err := salesiqotel.New(
		salesiqotel.WithTracerProvider(tracenoop.NewTracerProvider()), salesiqotel.WithMeterProvider(metricnoop.NewMeterProvider()))
	if err != nil {
		return err
	}
	wire := &http.Client{Transport: canned(objectsJSON())}
	var contestants []contestant
	for _, c := range []struct {
		name    string
		tracers []*salesiq.Tracer
	}{
		{ours, nil},
		{watchedByUsage, []*salesiq.Tracer{usage.NewMonitor().Tracer()}},
		{watchedByUnset, []*salesiq.Tracer{unset.ClientTracer()}},
		{watchedByNoop, []*salesiq.Tracer{noop.ClientTracer()}},
	} {
		sdk, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(cannedBase), salesiq.WithHTTPClient(wire), salesiq.WithTracer(c.tracers...))
		if err != nil {
			return err
		}
		contestants = append(contestants, contestant{name: c.name, op: func(ctx context.Context) error {
			_, err := sdk.Chats.Get(ctx, chatID)
			return err
		}})
	}
	return r.race(ctx, watchedRace, "One chat, 1.5 kB, watched or not, without a network", contestants, p.goals)
}

// watchedGoals are about what a call costs more when it is watched.
func (r *report) watchedGoals() (goals []goal) {
	race := r.find(watchedRace)
	alone := race.of(ours)
	for _, name := range []string{watchedByUsage, watchedByUnset, watchedByNoop} {
		c := race.of(name)
		goals = append(goals, goal{what: name + ": allocations more", limit: 5, got: c.Memory.Allocations - alone.Memory.Allocations})
		if name != watchedByUsage {
			goals = append(goals, goal{
				what: name + ": µs more", limit: 1, room: roomOfWaits,
				got: 1e6 * alone.CPU.Median * (c.Load.Median - 1), low: 1e6 * alone.CPU.Median * (c.Load.Low - 1),
			})
		}
	}
	return goals
}
