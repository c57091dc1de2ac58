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
	if rule.Name == "" {
		return missing("name")
	}
	if len(rule.Conditions) == 0 {
		return missing("conditions")
	}
	for i, condition := range rule.Conditions {
		switch {
		case condition.Field == "":
			return missing(fmt.Sprintf("conditions[%d].field", i))
		case condition.Operator == "":
			return missing(fmt.Sprintf("conditions[%d].operator", i))
		}
	}
	return c.checkActions(rule.Actions)
}

func (c *call) checkActions(actions salesiq.RoutingActions) error {
	switch {
	case actions.AssignTo == "":
		return missing("actions.assign_to")
	case !slices.Contains(routingTargets, actions.AssignTo):
		return invalid("actions.assign_to", "must be one of "+join(routingTargets))
	case actions.AssignTo == salesiq.AssignToDepartment && actions.DepartmentID == "":
		return missing("actions.department_id")
	case actions.AssignTo == salesiq.AssignToOperator && len(actions.OperatorIDs) == 0:
		return missing("actions.operator_ids")
	}
	for _, id := range actions.OperatorIDs {
		if _, ok := c.state.operators.get(id); !ok {
			return notFound("operator", id)
		}
	}
	return c.state.checkDepartment("actions.department_id", actions.DepartmentID)
}
