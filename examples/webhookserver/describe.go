package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/webhook"
)

// describe puts an event into one line.
func describe(event webhook.Event) string {
	info := event.Info()
	at := "--:--:--"
	if !info.EventTime.IsZero() {
		at = info.EventTime.Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s  %-23s  %s", at, info.EventName, account.Plain(details(event)))
}

func details(event webhook.Event) string {
	switch e := event.(type) {
	case *webhook.ChatStarted:
		return fmt.Sprintf("%s began chat %s", who(e.VisitorName, e.VisitorID), e.ChatID)
	case *webhook.ChatEnded:
		return fmt.Sprintf("chat %s, %d messages in %s", e.ChatID, e.MessageCount, e.Duration.Duration())
	case *webhook.ChatMissed:
		return fmt.Sprintf("nobody answered %s in chat %s", who(e.VisitorName, e.VisitorID), e.ChatID)
	case *webhook.ChatRated:
		return fmt.Sprintf("chat %s: %d of 5, %q", e.ChatID, e.Rating, e.Feedback)
	case *webhook.MessageReceived:
		return fmt.Sprintf("%s in chat %s: %q", e.SenderType, e.ChatID, e.Text)
	case *webhook.VisitorIdentified:
		return fmt.Sprintf("%s is %s <%s>", e.VisitorID, e.Name, e.Email)
	case *webhook.VisitorOnline:
		return fmt.Sprintf("%s looks at %s", who(e.Name, e.VisitorID), e.CurrentPage)
	case *webhook.VisitorOffline:
		return who(e.Name, e.VisitorID) + " has left"
	case *webhook.OperatorStatusChanged:
		return fmt.Sprintf("%s was %s and is %s", e.OperatorName, e.PreviousStatus, e.Status)
	case *webhook.LeadCreated:
		return fmt.Sprintf("%s <%s> became lead %s", e.Name, e.Email, e.LeadID)
	case *webhook.TriggerExecuted:
		return fmt.Sprintf("%s, for %s", cmp.Or(e.TriggerName, e.TriggerID), e.VisitorID)
	default:
		return string(event.Info().Data)
	}
}

func who(name, id string) string { return cmp.Or(name, "visitor "+id) }
