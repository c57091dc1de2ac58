package salesiqtest

import (
	"fmt"

	"github.com/salesiq-go/salesiq"
)

func checkBrand(brand *salesiq.Brand, sets func(string) bool) error {
	return check(sets, requirement{"name", brand.Name == "", ""})
}

var routingTargets = []salesiq.RoutingTarget{salesiq.AssignToDepartment, salesiq.AssignToOperator}

// newRule is a routing rule behind all others.
func (s *state) newRule() salesiq.RoutingRule {
	last := 0
	for rule := range s.rules.all() {
		last = max(last, rule.Priority)
	}
	return salesiq.RoutingRule{Priority: last + 1, Enabled: true}
}

func (s *state) checkRule(rule *salesiq.RoutingRule, sets func(string) bool) error {
	actions := rule.Actions
	requirements := []requirement{{"name", rule.Name == "", ""}, {"conditions", len(rule.Conditions) == 0, ""}}
	for i, condition := range rule.Conditions {
		requirements = append(requirements,
			requirement{element("conditions", i) + ".field", condition.Field == "", ""},
			requirement{element("conditions", i) + ".operator", condition.Operator == "", ""})
	}
	err := check(sets, append(requirements,
		requirement{"actions.assign_to", actions.AssignTo == "", ""},
		isOneOf("actions.assign_to", actions.AssignTo, routingTargets),
		requirement{"actions.department_id", actions.AssignTo == salesiq.AssignToDepartment && actions.DepartmentID == "", ""},
		requirement{"actions.operator_ids", actions.AssignTo == salesiq.AssignToOperator && len(actions.OperatorIDs) == 0, ""},
	)...)
	if err != nil || !sets("actions") {
		return err
	}
	for _, id := range actions.OperatorIDs {
		if _, err := s.operators.find(id); err != nil {
			return err
		}
	}
	return s.checkDepartment("actions.department_id", actions.DepartmentID)
}

// element names an element of a field that is a list.
func element(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }
