package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// describe puts an event into one line.
func describe(event salesiq.Event) string {
	info := event.Info()
	at := "--:--:--"
	if !info.EventTime.IsZero() {
		at = info.EventTime.Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s  %-23s  %s", at, info.EventName, account.Plain(details(event)))
}

func details(event salesiq.Event) string {
	switch e := event.(type) {
	case *salesiq.ChatStarted:
		return fmt.Sprintf("%s began chat %s", who(e.VisitorName, e.VisitorID), e.ChatID)
	case *salesiq.ChatEnded:
		return fmt.Sprintf("chat %s, %d messages in %s", e.ChatID, e.MessageCount, e.Duration.Duration())
	case *salesiq.ChatMissed:
		return fmt.Sprintf("nobody answered %s in chat %s", who(e.VisitorName, e.VisitorID), e.ChatID)
	case *salesiq.ChatRated:
		return fmt.Sprintf("chat %s: %d of 5, %q", e.ChatID, e.Rating, e.Feedback)
	case *salesiq.MessageReceived:
		return fmt.Sprintf("%s in chat %s: %q", e.SenderType, e.ChatID, e.Text)
	case *salesiq.VisitorIdentified:
		return fmt.Sprintf("%s is %s <%s>", e.VisitorID, e.Name, e.Email)
	case *salesiq.VisitorWentOnline:
		return fmt.Sprintf("%s looks at %s", who(e.Name, e.VisitorID), e.CurrentPage)
	case *salesiq.VisitorWentOffline:
		return who(e.Name, e.VisitorID) + " has left"
	case *salesiq.OperatorStatusChanged:
		return fmt.Sprintf("%s was %s and is %s", e.OperatorName, e.PreviousStatus, e.Status)
	case *salesiq.LeadCreated:
		return fmt.Sprintf("%s <%s> became lead %s", e.Name, e.Email, e.LeadID)
	case *salesiq.TriggerExecuted:
		return fmt.Sprintf("%s, for %s", cmp.Or(e.TriggerName, e.TriggerID), e.VisitorID)
	default:
		return string(event.Info().Data)
	}
}

func who(name, id string) string { return cmp.Or(name, "visitor "+id) }
