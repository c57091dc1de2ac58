package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// liveChats is how many chats of the specification are as large as a page of
// conversations of the live service.
const (
	livePage  = 99
	liveChats = 58
)

// measureLive races a page of the live service, where true is "true" and a time a
// text of milliseconds, against a page of the specification of the same size.
func measureLive(ctx context.Context, p plan, _ string, r *report) error {
	specified, err := dialSDK(cannedBase, canned(specifiedPages()))
	if err != nil {
		return err
	}
	client, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(cannedBase), salesiq.WithPortal("p"),
		salesiq.WithHTTPClient(&http.Client{Transport: canned(livePages())}))
	if err != nil {
		return err
	}
	conversations := live.New(client).Conversations
	return r.race(ctx, liveCanned, "A page of the live service, 85 kB, beside one of the specification, without a network", []contestant{
		{name: fmt.Sprintf("salesiq, %d chats of the specification", liveChats), op: func(ctx context.Context) error {
			chats, err := specified.list(ctx)
			if err != nil {
				return err
			}
			return expect(len(chats), liveChats)
		}},
		{name: ours, op: func(ctx context.Context) error {
			page, err := conversations.List(ctx, &live.ConversationListParams{Limit: livePage})
			if err != nil {
				return err
			}
			return expect(len(page), livePage)
		}},
	}, p.goals)
}

func specifiedPages() (pages [][]byte) {
	for page := range rotation {
		pages = append(pages, listOf(liveChats, page*liveChats, liveChats))
	}
	return pages
}

func livePages() (pages [][]byte) {
	for page := range rotation {
		var b strings.Builder
		b.WriteString(`{"url":"/api/v2/p/conversations","object":"list","sync_time":"1775725953123","data":[`)
		for i := range livePage {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(conversationJSON(page*livePage + i))
		}
		b.WriteString(`]}`)
		pages = append(pages, []byte(b.String()))
	}
	return pages
}

// conversationJSON returns a conversation that has the parts of the vendor's sample.
func conversationJSON(n int) string {
	at := 1_775_725_000_000 + int64(n)*60_000
	return fmt.Sprintf(`{"id":"3228900000%07d","reference_id":"%d","chat_id":"LD_3228900000%07d_%d","type":"chat",`, n, n, n, at) +
		fmt.Sprintf(`"question":%q,"status":"Attended Online","status_code":"4","unread_chats":"false","notes":"false",`, lines[0][:96]) +
		`"chat_status":{"state":4,"state_key":"closed","status_code":"4","status_key":"end","label":"Attended Online"},` +
		fmt.Sprintf(`"visitor":{"id":"$34032216798%08d","name":"Noor van Dijk %d","email":"noor.%d@mail.test","country_code":"NL"},`, n, n, n) +
		fmt.Sprintf(`"department":{"id":"3228900000000%03d","name":"Sales"},"app_id":32289000000002048,"app_name":"Shop",`, n%5) +
		fmt.Sprintf(`"attender":{"id":"322890000000%04d","name":"Edda Ipsen","email":"edda@firm.test","is_bot":false},`, n%17) +
		fmt.Sprintf(`"start_time":"%d","attended_time":"%d","missed_time":"","end_time":"%d","last_modified_time":"%d"}`, at, at+5000, at+90_000, at+95_000)
}
