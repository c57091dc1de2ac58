package main

import (
	"context"
	"net/http"
)

// measureCalls races everybody over a page of a list and over one object:
// without a network, which leaves the client's own work, and over loopback.
func measureCalls(ctx context.Context, p plan, base string, r *report) error {
	list, object := canned(pagesJSON()), canned(objectsJSON())
	for _, race := range []struct {
		id, title string
		base      string
		wire      http.RoundTripper
		op        func(client) func(context.Context) error
		rounds    int
	}{
		{listCanned, "A page of 100 chats, 147 kB: the client's own work, without a network", cannedBase, list, listOp, p.goals},
		{chatCanned, "One chat, 1.5 kB: the client's own work, without a network", cannedBase, object, chatOp, p.goals},
		{listLoopback, "A page of 100 chats, 147 kB, over loopback", base, nil, listOp, p.others},
		{chatLoopback, "One chat, 1.5 kB, over loopback", base, nil, chatOp, p.others},
	} {
		contestants, err := callers(race.base, race.wire, race.op)
		if err != nil {
			return err
		}
		if err := r.race(ctx, race.id, race.title, contestants, race.rounds); err != nil {
			return err
		}
	}
	return nil
}

func callers(base string, wire http.RoundTripper, op func(client) func(context.Context) error) (all []contestant, err error) {
	for _, c := range contenders {
		dialed, err := c.dial(base, wire)
		if err != nil {
			return nil, err
		}
		all = append(all, contestant{name: c.name, peer: c.peer, op: op(dialed)})
	}
	return all, nil
}

func listOp(c client) func(context.Context) error {
	return func(ctx context.Context) error {
		chats, err := c.list(ctx)
		if err != nil {
			return err
		}
		return expect(len(chats), chatsPerPage)
	}
}

func chatOp(c client) func(context.Context) error {
	return func(ctx context.Context) error {
		chat, err := c.chat(ctx, chatID)
		if err != nil {
			return err
		}
		return expect(len(chat.Transcript), len(lines))
	}
}

func measureStripe(ctx context.Context, p plan, _ string, r *report) error {
	return r.race(ctx, "stripe", "stripe-go on a list of its own customers, 147 kB, without a network", stripeContestants(), p.others)
}
