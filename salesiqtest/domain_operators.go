package salesiqtest

import (
	"math"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// accountOwner is the operator who has signed in.
const accountOwner = "operator1"

var (
	operatorStatuses = []salesiq.OperatorStatus{
		salesiq.OperatorOnline, salesiq.OperatorOffline, salesiq.OperatorAway, salesiq.OperatorBusy,
	}
	operatorRoles  = []salesiq.OperatorRole{salesiq.RoleAdmin, salesiq.RoleAgent, salesiq.RoleSupervisor}
	availabilities = []salesiq.OperatorAvailability{salesiq.OperatorAvailable, salesiq.OperatorUnavailable}
)

// newOperator is an operator who has not signed in yet.
func (s *state) newOperator() salesiq.Operator {
	return salesiq.Operator{
		Status: salesiq.OperatorOffline, Availability: salesiq.OperatorUnavailable, MaxChats: 5,
		CreatedAt: s.now, LastActive: s.now,
	}
}

// enableOperator lets an operator take chats over, or no longer.
func (s *state) enableOperator(id string, enabled bool) error {
	operator, err := s.operators.find(id)
	switch {
	case err != nil:
		return err
	case operator.ID == accountOwner && !enabled:
		return refuse(salesiq.ErrPermissionDenied, "the owner of the account cannot be disabled", nil)
	}
	s.disabled[operator.ID] = !enabled
	s.tellVendors("operator.updated", operator)
	return nil
}

// checkOperator checks an operator, and fills in the name of the department.
func (s *state) checkOperator(operator *salesiq.Operator, sets func(string) bool) error {
	err := check(sets,
		requirement{"name", operator.Name == "", ""},
		requirement{"email", operator.Email == "", ""},
		requirement{"role", operator.Role == "", ""},
		requirement{"email", !strings.Contains(operator.Email, "@"), "must be an e-mail address"},
		isOneOf("role", operator.Role, operatorRoles),
		isOneOf("status", operator.Status, operatorStatuses),
		isOneOf("availability", operator.Availability, availabilities),
		requirement{"max_chats", operator.MaxChats < 0, "must be at least 0"},
	)
	if err != nil {
		return err
	}
	if sets("department_id") {
		if err := s.checkDepartment("department_id", operator.DepartmentID); err != nil {
			return err
		}
		department, _ := s.department(operator.DepartmentID)
		operator.DepartmentName = department.Name
	}
	_, taken := s.operators.first(func(other *salesiq.Operator) bool {
		return other.ID != operator.ID && strings.EqualFold(other.Email, operator.Email)
	})
	if taken && sets("email") {
		return duplicate("operator", "email")
	}
	return nil
}

// operatorChanged sets when an operator was last active, and publishes another status.
func (s *state) operatorChanged(before, after *salesiq.Operator) {
	switch {
	case before == nil:
		s.tellVendors("operator.created", after)
	case after == nil:
		s.tellVendors("operator.deleted", before)
	default:
		after.LastActive = s.now
		if after.Status != before.Status {
			s.tell(salesiq.EventOperatorStatusChanged, &webhook.OperatorStatusChanged{
				OperatorID: after.ID, OperatorName: after.Name,
				Status: after.Status, PreviousStatus: before.Status, ChangedAt: s.now,
			})
		}
	}
}

func keepOwner(operator *salesiq.Operator) error {
	if operator.ID != accountOwner {
		return nil
	}
	return refuse(salesiq.ErrPermissionDenied, "the owner of the account cannot be deleted", details{"operator_id": operator.ID})
}

// stats sums up the chats of an operator that started within a span.
func (s *state) stats(operatorID string, started span) salesiq.OperatorStats {
	sum := salesiq.OperatorStats{
		OperatorID:       operatorID,
		RatingsBreakdown: map[int]int{1: 0, 2: 0, 3: 0, 4: 0, 5: 0},
	}
	var durations, responses, ratings average
	for chat := range s.chats.all() {
		if chat.OperatorID != operatorID || !started.holds(chat.StartedAt) {
			continue
		}
		sum.TotalChats++
		switch chat.Status {
		case salesiq.ChatEnded:
			sum.CompletedChats++
			durations.add(float64(chat.Duration))
		case salesiq.ChatMissed:
			sum.MissedChats++
		default: // Not over yet.
		}
		if response, ok := firstResponse(chat); ok {
			responses.add(response.Seconds())
		}
		if chat.Rating != nil {
			sum.RatingsBreakdown[*chat.Rating]++
			ratings.add(float64(*chat.Rating))
		}
	}
	sum.AverageChatDuration = salesiq.Seconds(durations.value(1))
	sum.AverageResponseTime = salesiq.Seconds(responses.value(1))
	sum.AverageRating = ratings.value(0.1)
	sum.TotalRatingCount = ratings.count
	return sum
}

// average sums up values for their mean.
type average struct {
	sum   float64
	count int
}

func (a *average) add(value float64) {
	a.sum += value
	a.count++
}

// value returns the mean in steps of step, or 0 for the mean of nothing.
func (a *average) value(step float64) float64 {
	if a.count == 0 {
		return 0
	}
	return math.Round(a.sum/float64(a.count)/step) / math.Round(1/step)
}

// isOneOf requires a field to have one of some values.
func isOneOf[T ~string](field string, value T, allowed []T) requirement {
	return requirement{field, !slices.Contains(allowed, value), "must be one of " + join(allowed)}
}
