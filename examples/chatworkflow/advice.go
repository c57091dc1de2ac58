package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq"
)

// advice says what can be done about an error. Retries, waiting for the rate
// limit and renewing the token were done before: whoever gets an error has one
// that only they can do something about.
func advice(err error) string {
	var input *salesiq.InputError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "It was stopped; nothing is wrong."
	case errors.Is(err, errNoChat):
		return "Run it again when a visitor chats with an operator, or name a chat with -chat."
	case errors.As(err, &input):
		return "The program's own mistake: " + input.Field + " " + input.Reason + "."
	case errors.Is(err, salesiq.ErrWrongDataCenter):
		return "Set SALESIQ_DATA_CENTER to the account's own."
	case errors.Is(err, salesiq.ErrInvalidToken), errors.Is(err, salesiq.ErrAuth):
		return "Sign in again: go run ./examples/signin"
	case errors.Is(err, salesiq.ErrInvalidOAuthScope):
		return "The token lacks a scope: sign in again with it, by examples/signin -scopes."
	case errors.Is(err, salesiq.ErrMaybeProcessed):
		return "The service may have done it: look before you repeat it."
	}
	return adviceByCode(err)
}

// adviceByCode is about what the service itself says.
func adviceByCode(err error) string {
	var e *salesiq.Error
	if !errors.As(err, &e) {
		return "Nothing is known about this error."
	}
	switch {
	case errors.Is(err, salesiq.ErrDailyLimit), errors.Is(err, salesiq.ErrRateLimitExceeded):
		return fmt.Sprintf("Come back %s.", when(e.RetryAt))
	case errors.Is(err, salesiq.ErrPermissionDenied):
		return "Ask an admin to permit this to the operator who has signed in."
	case errors.Is(err, salesiq.ErrResourceNotFound), errors.Is(err, salesiq.ErrInvalidVisitorID), errors.Is(err, salesiq.ErrInvalidDepartment):
		return "Check the ids: this account has no such thing."
	case errors.Is(err, salesiq.ErrChatNotActive):
		return "The chat is over, or nobody has picked it up yet."
	case errors.Is(err, salesiq.ErrOperatorOffline):
		return "Choose an operator who is there."
	case errors.Is(err, salesiq.ErrDuplicateResource):
		return "It exists already, so there is nothing to do."
	case errors.Is(err, salesiq.ErrInvalidRequest), errors.Is(err, salesiq.ErrRequiredFieldMissing):
		return fmt.Sprintf("The service does not like the request: %v", e.Details)
	case errors.Is(err, salesiq.ErrDecode):
		return "Something between here and the service answered: check the address and the proxy."
	case salesiq.IsRetryable(err):
		return "The service has trouble; the same again may work later."
	}
	return "The service's own words are all there is."
}

func when(at time.Time) string {
	if at.IsZero() {
		return "later"
	}
	return "at " + at.Local().Format(time.TimeOnly) // It is for who sits here.
}
