package widget

import (
	"strings"

	"github.com/salesiq-go/salesiq"
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

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return inputError(field, "is required")
	}
	return nil
}
