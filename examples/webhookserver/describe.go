package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/webhook"
)

// describe puts an event into a line, or more where a terminal needs them.
func describe(event webhook.Event) string {
	info := event.Info()
	at := "--:--:--"
	if !info.EventTime.IsZero() {
		at = info.EventTime.Format(time.TimeOnly)
	}
	return account.Wrapped(at+"  "+account.Column(string(info.EventName), 23)+"  ", details(event))
}

// lowRating is what a manager should hear of.
const lowRating = 2

func details(event webhook.Event) string {
	switch e := event.(type) {
	case *webhook.ChatStarted:
		return fmt.Sprintf("%s began %s", who(e.VisitorName, e.VisitorID), chat(e.ChatID))
	case *webhook.ChatEnded:
		return fmt.Sprintf("%s, %s in %s", chat(e.ChatID), account.Count(e.MessageCount, "message"), account.Duration(e.Duration.Duration()))
	case *webhook.ChatMissed:
		return fmt.Sprintf("nobody answered %s in %s", who(e.VisitorName, e.VisitorID), chat(e.ChatID))
	case *webhook.ChatRated:
		text := fmt.Sprintf("%s: %d of 5, %q", chat(e.ChatID), e.Rating, e.Feedback)
		if e.Rating <= lowRating {
			text += ": tell a manager"
		}
		return text
	case *webhook.MessageReceived:
		return fmt.Sprintf("%s in %s: %q", e.SenderType, chat(e.ChatID), e.Text)
	case *webhook.VisitorIdentified:
		return fmt.Sprintf("%s is %s <%s>", who("", e.VisitorID), e.Name, e.Email)
	case *webhook.VisitorOnline:
		return fmt.Sprintf("%s looks at %s", who(e.Name, e.VisitorID), e.CurrentPage)
	case *webhook.VisitorOffline:
		return who(e.Name, e.VisitorID) + " has left"
	case *webhook.OperatorStatusChanged:
		return fmt.Sprintf("%s was %s and is %s", e.OperatorName, e.PreviousStatus, e.Status)
	case *webhook.LeadCreated:
		return fmt.Sprintf("%s <%s> became %s", e.Name, e.Email, account.Named("lead", e.LeadID))
	case *webhook.TriggerExecuted:
		return fmt.Sprintf("%s, for %s", cmp.Or(e.TriggerName, e.TriggerID), who("", e.VisitorID))
	default:
		return string(event.Info().Data)
	}
}

func who(name, id string) string { return cmp.Or(name, account.Named("visitor", id)) }

func chat(id string) string { return account.Named("chat", id) }
