package salesiqtest

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// livePortal is the portal as the live service writes it.
func (s *state) livePortal(name string) (object, error) {
	if name != Portal {
		return nil, notFound("portal", name)
	}
	portal := object{"screenname": Portal, "name": "Nordlicht Outdoor", "owner_zuid": "700214", "operator_id": accountOwner, "created_time": ""}
	for brand := range s.brands.all() {
		portal["created_time"] = millis(brand.CreatedAt)
		break
	}
	return portal, nil
}

func listPortals(c *call) (*reply, error) {
	portal, err := c.livePortal(Portal)
	return c.liveWindow([]object{portal}, 0, 1, nil, err)
}

var liveRoles = map[salesiq.OperatorRole]string{
	salesiq.RoleAdmin: "Administrator", salesiq.RoleSupervisor: "Supervisor", salesiq.RoleAgent: "Associate",
}

// statusMessages are the vendor's words for being there or not.
var statusMessages = map[salesiq.OperatorStatus]string{
	salesiq.OperatorOnline: "Available", salesiq.OperatorBusy: "Busy", salesiq.OperatorAway: "Away", salesiq.OperatorOffline: "Offline",
}

// liveOperator is an operator as the live service writes one.
func (s *state) liveOperator(operator *salesiq.Operator) object {
	first, last, _ := strings.Cut(operator.Name, " ")
	present := "1"
	if operator.Status == salesiq.OperatorOffline {
		present = "0"
	}
	most := "unlimited"
	if operator.MaxChats > 0 {
		most = strconv.Itoa(operator.MaxChats)
	}
	departments := []string{}
	if operator.DepartmentID != "" {
		departments = append(departments, operator.DepartmentID)
	}
	enabled := strconv.FormatBool(!s.disabled[operator.ID])
	return object{
		"id": operator.ID, "first_name": first, "last_name": last, "email_id": operator.Email, "role": liveRoles[operator.Role],
		"departments": departments, "status_code": present, "status_message": statusMessages[operator.Status],
		"is_chat_enabled": enabled, "is_enabled": enabled, "is_owner": strconv.FormatBool(operator.ID == accountOwner),
		"is_deleted": "false", "maximum_concurrent_chat": most, "time_zone": operator.Timezone, "language": "en",
		"created_time": millis(operator.CreatedAt), "modified_time": millis(operator.LastActive),
	}
}

const liveOperatorPage = 20

// indexed answers with a page whose parameter numbers items from 1.
func indexed(c *call, items []object) (*reply, error) {
	index := c.query.number("index", 1, 0, endlessly)
	size := c.query.number("limit", liveOperatorPage, 1, liveOperatorPage)
	return c.liveWindow(items, index-1, size, nil, nil)
}

func listLiveOperators(c *call) (*reply, error) {
	return indexed(c, shownAs(c.state, c.operators.matching(nil), (*state).liveOperator))
}

// liveOperatorInput is what operators are made of.
type liveOperatorInput struct {
	Email       string          `json:"email_id"`
	Role        string          `json:"role"`
	Departments []string        `json:"departments"`
	FirstName   string          `json:"first_name"`
	LastName    string          `json:"last_name"`
	Monitored   json.RawMessage `json:"is_monitored"`
}

func (s *state) createLiveOperator(_ string, in liveOperatorInput) (any, error) {
	switch {
	case in.Email == "":
		return nil, missing("email_id")
	case len(in.Departments) == 0:
		return nil, missing("departments")
	case in.Monitored == nil:
		return nil, missing("is_monitored")
	}
	operator := s.newOperator()
	for role, name := range liveRoles {
		if name == in.Role {
			operator.Role = role
		}
	}
	if operator.Role == "" {
		return nil, invalid("role", "must be Administrator, Supervisor or Associate")
	}
	name, _, _ := strings.Cut(in.Email, "@")
	operator.Name = strings.TrimSpace(cmp.Or(in.FirstName, name) + " " + in.LastName)
	operator.Email, operator.DepartmentID = in.Email, in.Departments[0]
	added, err := s.operators.add(s, operator)
	return liveOr(s, added, err, (*state).liveOperator)
}

func enableLiveOperator(enabled bool) handler {
	return askLive("", func(s *state, id string) (any, error) { return nil, s.enableOperator(id, enabled) })
}

func listLiveDepartments(c *call) (*reply, error) {
	var departments []object
	for brand := range c.brands.all() {
		for _, department := range brand.Departments {
			departments = append(departments, object{
				"id": department.ID, "name": department.Name, "display_name": department.Name, "is_enabled": "true",
				"is_public": "true", "created_by": accountOwner, "created_time": millis(brand.CreatedAt),
			})
		}
	}
	return indexed(c, departments)
}

// liveApp is a brand as the live service writes an app: flags are 0 and 1.
func (*state) liveApp(brand *salesiq.Brand) object {
	return object{
		"id": brand.ID, "name": brand.Name, "is_enabled": strconv.FormatBool(brand.Status == salesiq.BrandActive),
		"channels":     object{"website": object{"chat": 1}, "ios": object{"chat": 0}},
		"created_time": millis(brand.CreatedAt),
	}
}
