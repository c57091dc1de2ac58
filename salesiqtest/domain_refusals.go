package salesiqtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// refusal is an error of the service, before a dialect words it.
type refusal struct {
	code     salesiq.ErrorCode
	message  string
	details  details
	status   int  // Where it is not the one of the code.
	number   int  // The live service's, where it is not the one of the code.
	inQuery  bool // It is about a parameter.
	inHeader bool // It is about a header.
}

// details is the details object of an error body. It is never null.
type details map[string]any

func (e *refusal) Error() string { return string(e.code) + ": " + e.message }

func refuse(code salesiq.ErrorCode, message string, d details) *refusal {
	if d == nil {
		d = details{}
	}
	return &refusal{code: code, message: message, details: d}
}

// cannotBeSet is the reason of a refusal about a field that the service keeps.
const cannotBeSet = "cannot be set"

// invalid refuses one parameter or field of the body.
func invalid(field, reason string) *refusal {
	return refuse(salesiq.ErrInvalidRequest, field+" "+reason, details{"field": field, "reason": reason})
}

// wrongType refuses a value whose type is wrong.
func wrongType(name, reason string) *refusal {
	refused := invalid(name, reason)
	refused.number = 1007
	return refused
}

// invalidHeader refuses one header.
func invalidHeader(name, reason string) *refusal {
	refused := invalid(name, reason)
	refused.inHeader = true
	return refused
}

func missing(field string) *refusal {
	return refuse(salesiq.ErrRequiredFieldMissing, field+" is required", details{"field": field})
}

func duplicate(resource, field string) *refusal {
	message := fmt.Sprintf("another %s has this %s", resource, field)
	return refuse(salesiq.ErrDuplicateResource, message, details{"resource": resource, "field": field})
}

func notFound(resource, id string) *refusal {
	message := fmt.Sprintf("there is no %s %q", resource, id)
	return refuse(salesiq.ErrResourceNotFound, message, details{"resource": resource, "id": id})
}

// requirement is something that must hold of a field.
type requirement struct {
	field  string
	broken bool
	reason string // Empty where the field is missing.
}

// check refuses the first requirement that is broken. It looks only at fields that a
// call sets, since data of [WithData] may break the others.
func check(sets func(field string) bool, requirements ...requirement) error {
	for _, r := range requirements {
		switch {
		case !r.broken || !sets(r.field):
		case r.reason == "":
			return missing(r.field)
		default:
			return invalid(r.field, r.reason)
		}
	}
	return nil
}

// allFields is for an object that a call makes.
func allFields(string) bool { return true }

// sets reports whether an object has a field, or the one that field is a part of.
func (m members) sets(field string) bool {
	_, ok := m[field[:strings.IndexAny(field+".", ".[")]]
	return ok
}

// asRefusal makes a refusal of any error.
func asRefusal(err error) *refusal {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e
	}
	if e, ok := errors.AsType[*salesiq.InputError](err); ok {
		return invalid(e.Field, e.Reason)
	}
	return refuse(salesiq.ErrInternalError, err.Error(), nil)
}
