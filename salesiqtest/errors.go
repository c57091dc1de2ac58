package salesiqtest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// details is the details object of an error body. It is never null.
type details map[string]any

// apiError is a refusal, as the service words it.
type apiError struct {
	status  int
	code    salesiq.ErrorCode
	message string
	details details
	number  int  // The live service's, where it is not the one of the code.
	inQuery bool // It is about a parameter.
}

func (e *apiError) Error() string { return string(e.code) + ": " + e.message }

// statuses tells the HTTP status of each code.
var statuses = map[salesiq.ErrorCode]int{
	salesiq.ErrInvalidRequest:       http.StatusBadRequest,
	salesiq.ErrRequiredFieldMissing: http.StatusBadRequest,
	salesiq.ErrDuplicateResource:    http.StatusBadRequest,
	salesiq.ErrChatNotActive:        http.StatusBadRequest,
	salesiq.ErrOperatorOffline:      http.StatusBadRequest,
	salesiq.ErrInvalidDepartment:    http.StatusBadRequest,
	salesiq.ErrInvalidVisitorID:     http.StatusBadRequest,
	salesiq.ErrInvalidToken:         http.StatusUnauthorized,
	salesiq.ErrInvalidOAuthScope:    http.StatusForbidden,
	salesiq.ErrPermissionDenied:     http.StatusForbidden,
	salesiq.ErrResourceNotFound:     http.StatusNotFound,
	salesiq.ErrRateLimitExceeded:    http.StatusTooManyRequests,
	salesiq.ErrInternalError:        http.StatusInternalServerError,
}

func refuse(code salesiq.ErrorCode, message string, d details) *apiError {
	if d == nil {
		d = details{}
	}
	return &apiError{status: statuses[code], code: code, message: message, details: d}
}

// invalid refuses one parameter or field of the body.
func invalid(field, reason string) *apiError {
	return refuse(salesiq.ErrInvalidRequest, field+" "+reason, details{"field": field, "reason": reason})
}

func missing(field string) *apiError {
	return refuse(salesiq.ErrRequiredFieldMissing, field+" is required", details{"field": field})
}

// requirement is something that must hold of a field.
type requirement struct {
	field  string
	broken bool
	reason string // Empty where the field is missing.
}

// check refuses the first requirement that is broken. An object that is there
// already, perhaps by [WithData], is held to those of what the call changes.
func (c *call) check(requirements ...requirement) error {
	for _, r := range requirements {
		switch {
		case !r.broken || !c.sets(r.field):
		case r.reason == "":
			return missing(r.field)
		default:
			return invalid(r.field, r.reason)
		}
	}
	return nil
}

// sets tells whether the call is about a field, or a part of one: whoever makes
// an object is about all of them.
func (c *call) sets(field string) bool {
	whole := plainName.Replace(field[:strings.IndexAny(field+".", ".[")])
	for name := range c.body {
		if strings.EqualFold(plainName.Replace(name), whole) {
			return true
		}
	}
	return c.id == ""
}

// plainName leaves of a name what counts when it is read: case does not, either.
var plainName = strings.NewReplacer("_", "", "-", "")

func duplicate(resource, field string) *apiError {
	message := fmt.Sprintf("another %s has this %s", resource, field)
	return refuse(salesiq.ErrDuplicateResource, message, details{"resource": resource, "field": field})
}

func notFound(resource, id string) *apiError {
	message := fmt.Sprintf("there is no %s %q", resource, id)
	return refuse(salesiq.ErrResourceNotFound, message, details{"resource": resource, "id": id})
}

// asAPIError turns what went wrong by accident into the service's own words.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*salesiq.InputError](err); ok {
		return invalid(e.Field, e.Reason)
	}
	return refuse(salesiq.ErrInternalError, err.Error(), nil)
}
