package salesiqtest

import (
	"fmt"
	"slices"

	"github.com/salesiq-go/salesiq"
)

var routingTargets = []salesiq.RoutingTarget{salesiq.AssignToDepartment, salesiq.AssignToOperator}

func listRules(c *call) (*reply, error) { return list(c, &c.state.rules, nil) }

func createRule(c *call) (*reply, error) {
	rule := salesiq.RoutingRule{Priority: c.nextPriority(), Enabled: true}
	if err := patch(&rule, c.body, "id"); err != nil {
		return nil, err
	}
	if err := c.checkRule(&rule); err != nil {
		return nil, err
	}
	rule.ID = c.state.newID("rule")
	c.state.rules.put(rule.ID, &rule)
	return created(rule)
}

// nextPriority puts a rule behind all others.
func (c *call) nextPriority() int {
	last := 0
	for rule := range c.state.rules.all() {
		last = max(last, rule.Priority)
	}
	return last + 1
}

func updateRule(c *call) (*reply, error) {
	rule, ok := c.state.rules.get(c.id)
	if !ok {
		return nil, notFound("routing rule", c.id)
	}
	changed := *rule
	if err := patch(&changed, c.body, "id"); err != nil {
		return nil, err
	}
	if err := c.checkRule(&changed); err != nil {
		return nil, err
	}
	*rule = changed
	return found(rule)
}

func deleteRule(c *call) (*reply, error) {
	if !c.state.rules.remove(c.id) {
		return nil, notFound("routing rule", c.id)
	}
	return deleted()
}

func (c *call) checkRule(rule *salesiq.RoutingRule) error {
	requirements := []requirement{{"name", rule.Name == "", ""}, {"conditions", len(rule.Conditions) == 0, ""}}
	for i, condition := range rule.Conditions {
		requirements = append(requirements,
			requirement{fmt.Sprintf("conditions[%d].field", i), condition.Field == "", ""},
			requirement{fmt.Sprintf("conditions[%d].operator", i), condition.Operator == "", ""})
	}
	if err := c.check(requirements...); err != nil || !c.sets("actions") {
		return err
	}
	return c.checkActions(rule.Actions)
}

func (c *call) checkActions(actions salesiq.RoutingActions) error {
	err := c.check(
		requirement{"actions.assign_to", actions.AssignTo == "", ""},
		requirement{"actions.assign_to", !slices.Contains(routingTargets, actions.AssignTo), "must be one of " + join(routingTargets)},
		requirement{"actions.department_id", actions.AssignTo == salesiq.AssignToDepartment && actions.DepartmentID == "", ""},
		requirement{"actions.operator_ids", actions.AssignTo == salesiq.AssignToOperator && len(actions.OperatorIDs) == 0, ""},
	)
	if err != nil {
		return err
	}
	for _, id := range actions.OperatorIDs {
		if _, ok := c.state.operators.get(id); !ok {
			return notFound("operator", id)
		}
	}
	return c.state.checkDepartment("actions.department_id", actions.DepartmentID)
}
