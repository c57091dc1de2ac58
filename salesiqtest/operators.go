package salesiqtest

import (
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

var (
	operatorStatuses = []salesiq.OperatorStatus{
		salesiq.OperatorOnline, salesiq.OperatorOffline, salesiq.OperatorAway, salesiq.OperatorBusy,
	}
	operatorRoles  = []salesiq.OperatorRole{salesiq.RoleAdmin, salesiq.RoleAgent, salesiq.RoleSupervisor}
	availabilities = []salesiq.OperatorAvailability{salesiq.OperatorAvailable, salesiq.OperatorUnavailable}
)

// operatorReadOnly are the fields that the service itself keeps.
var operatorReadOnly = []string{
	"id", "department_name", "active_chats", "total_chats", "average_rating", "created_at", "last_active",
}

func listOperators(c *call) (*reply, error) {
	p := params{query: c.query}
	status := oneOf(&p, "status", operatorStatuses)
	availability := oneOf(&p, "availability", availabilities)
	role := oneOf(&p, "role", operatorRoles)
	if p.err != nil {
		return nil, p.err
	}
	department := c.query.Get("department_id")
	return list(c, &c.state.operators, func(operator *salesiq.Operator) bool {
		return (status == "" || operator.Status == status) &&
			(availability == "" || operator.Availability == availability) &&
			(role == "" || operator.Role == role) &&
			(department == "" || operator.DepartmentID == department)
	})
}

// operator finds the operator that the path names.
func (c *call) operator() (*salesiq.Operator, error) {
	operator, ok := c.state.operators.get(c.id)
	if !ok {
		return nil, notFound("operator", c.id)
	}
	return operator, nil
}

func getOperator(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	return found(operator)
}

func createOperator(c *call) (*reply, error) {
	operator := salesiq.Operator{
		Status:       salesiq.OperatorOffline, // Until the new operator signs in.
		Availability: salesiq.OperatorUnavailable,
		MaxChats:     5,
	}
	if err := patch(&operator, c.body, operatorReadOnly...); err != nil {
		return nil, err
	}
	if err := c.checkOperator(&operator); err != nil {
		return nil, err
	}
	operator.ID = c.state.newID("operator")
	operator.CreatedAt, operator.LastActive = c.now, c.now
	c.state.operators.put(operator.ID, &operator)
	return created(operator)
}

func updateOperator(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	changed := *operator
	if err := patch(&changed, c.body, operatorReadOnly...); err != nil {
		return nil, err
	}
	if err := c.checkOperator(&changed); err != nil {
		return nil, err
	}
	changed.LastActive = c.now
	if changed.Status != operator.Status {
		c.tell(salesiq.EventOperatorStatusChanged, &webhook.OperatorStatusChanged{
			OperatorID: changed.ID, OperatorName: changed.Name,
			Status: changed.Status, PreviousStatus: operator.Status, ChangedAt: c.now,
		})
	}
	*operator = changed
	return found(operator)
}

// checkOperator checks an operator who is to be kept, and fills in the name of
// the department.
func (c *call) checkOperator(operator *salesiq.Operator) error {
	err := c.check(
		requirement{"name", operator.Name == "", ""},
		requirement{"email", operator.Email == "", ""},
		requirement{"role", operator.Role == "", ""},
		requirement{"email", !strings.Contains(operator.Email, "@"), "must be an e-mail address"},
		requirement{"role", !slices.Contains(operatorRoles, operator.Role), "must be one of " + join(operatorRoles)},
		requirement{"status", !slices.Contains(operatorStatuses, operator.Status), "must be one of " + join(operatorStatuses)},
		requirement{"availability", !slices.Contains(availabilities, operator.Availability), "must be one of " + join(availabilities)},
		requirement{"max_chats", operator.MaxChats < 0, "must be at least 0"},
	)
	if err != nil {
		return err
	}
	if c.sets("department_id") {
		if err := c.state.checkDepartment("department_id", operator.DepartmentID); err != nil {
			return err
		}
		department, _ := c.state.department(operator.DepartmentID)
		operator.DepartmentName = department.Name
	}
	_, taken := c.state.operators.find(func(other *salesiq.Operator) bool {
		return other.ID != operator.ID && strings.EqualFold(other.Email, operator.Email)
	})
	if taken && c.sets("email") {
		return duplicate("operator", "email")
	}
	return nil
}

func deleteOperator(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	if operator.ID == accountOwner {
		return nil, refuse(salesiq.ErrPermissionDenied, "the owner of the account cannot be deleted",
			details{"operator_id": operator.ID})
	}
	c.state.operators.remove(operator.ID)
	return deleted()
}

func getOperatorStats(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	p := params{query: c.query}
	started := p.dates()
	if p.err != nil {
		return nil, p.err
	}
	return found(c.state.stats(operator.ID, started))
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

// firstResponse tells how long a visitor waited for the first answer.
func firstResponse(chat *salesiq.Chat) (time.Duration, bool) {
	for _, message := range chat.Transcript {
		if message.SenderType == salesiq.SenderOperator {
			return message.Timestamp.Sub(chat.StartedAt), true
		}
	}
	return 0, false
}
