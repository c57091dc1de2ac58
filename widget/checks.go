package widget

import (
	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

func inputError(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
}

func requiredList[T any](field string, values []T) error {
	if len(values) == 0 {
		return inputError(field, "needs at least one entry")
	}
	return nil
}

func required(field, value string) error { return input.Checks(inputError).Required(field, value) }
