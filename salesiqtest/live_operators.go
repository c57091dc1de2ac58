package salesiqtest

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// livePortal is the portal as the live service writes it.
type livePortal struct {
	ScreenName string `json:"screenname"`
	Name       string `json:"name"`
	OwnerZUID  string `json:"owner_zuid"`
	OperatorID string `json:"operator_id"`
	Created    string `json:"created_time"`
}

func (s *state) livePortal(name string) (livePortal, error) {
	portal := livePortal{ScreenName: Portal, Name: "Nordlicht Outdoor", OwnerZUID: "700214", OperatorID: accountOwner}
	for brand := range s.brands.all() {
		portal.Created = cmp.Or(portal.Created, millis(brand.CreatedAt))
	}
	if name != Portal {
		return livePortal{}, notFound("portal", name)
	}
	return portal, nil
}

func listPortals(c *call) (*reply, error) {
	portal, err := c.livePortal(Portal)
	return liveWindow(c, []livePortal{portal}, 0, 1).reply(err)
}

// liveOperator is an operator as the live service writes one: with flags and
// numbers in strings.
type liveOperator struct {
	ID            string   `json:"id"`
	FirstName     string   `json:"first_name"`
	LastName      string   `json:"last_name"`
	Email         string   `json:"email_id"`
	Role          string   `json:"role"`
	Departments   []string `json:"departments"`
	StatusCode    string   `json:"status_code"`
	StatusMessage string   `json:"status_message"`
	ChatEnabled   string   `json:"is_chat_enabled"`
	Enabled       string   `json:"is_enabled"`
	Owner         string   `json:"is_owner"`
	Deleted       string   `json:"is_deleted"`
	MaxChats      string   `json:"maximum_concurrent_chat"`
	TimeZone      string   `json:"time_zone"`
	Language      string   `json:"language"`
	Created       string   `json:"created_time"`
	Modified      string   `json:"modified_time"`
}

var liveRoles = map[salesiq.OperatorRole]string{
	salesiq.RoleAdmin: "Administrator", salesiq.RoleSupervisor: "Supervisor", salesiq.RoleAgent: "Associate",
}

// statusMessages are the vendor's words for being there or not.
var statusMessages = map[salesiq.OperatorStatus]string{
	salesiq.OperatorOnline: "Available", salesiq.OperatorBusy: "Busy", salesiq.OperatorAway: "Away", salesiq.OperatorOffline: "Offline",
}

func (s *state) liveOperator(operator *salesiq.Operator) liveOperator {
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
	return liveOperator{
		ID: operator.ID, FirstName: first, LastName: last, Email: operator.Email, Role: liveRoles[operator.Role],
		Departments: departments, StatusCode: present, StatusMessage: statusMessages[operator.Status],
		ChatEnabled: enabled, Enabled: enabled, Owner: strconv.FormatBool(operator.ID == accountOwner), Deleted: "false",
		MaxChats: most, TimeZone: operator.Timezone, Language: "en",
		Created: millis(operator.CreatedAt), Modified: millis(operator.LastActive),
	}
}

const liveOperatorPage = 20

// indexed answers with a page whose parameter numbers items from 1.
func indexed[T any](c *call, items []T) (*reply, error) {
	index := c.query.number("index", 1, 0, endlessly)
	size := c.query.number("limit", liveOperatorPage, 1, liveOperatorPage)
	return liveWindow(c, items, index-1, size).reply(c.query.err)
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

func (s *state) createLiveOperator(_ string, in liveOperatorInput) (out liveOperator, err error) {
	switch {
	case in.Email == "":
		return out, missing("email_id")
	case len(in.Departments) == 0:
		return out, missing("departments")
	case in.Monitored == nil:
		return out, missing("is_monitored")
	}
	operator := s.newOperator()
	for role, name := range liveRoles {
		if name == in.Role {
			operator.Role = role
		}
	}
	if operator.Role == "" {
		return out, invalid("role", "must be Administrator, Supervisor or Associate")
	}
	name, _, _ := strings.Cut(in.Email, "@")
	operator.Name = strings.TrimSpace(cmp.Or(in.FirstName, name) + " " + in.LastName)
	operator.Email, operator.DepartmentID = in.Email, in.Departments[0]
	added, err := s.operators.add(s, operator)
	if err == nil {
		out = s.liveOperator(added)
	}
	return out, err
}

func enableLiveOperator(enabled bool) handler {
	return lookLive("", func(s *state, id string) (any, error) { return nil, s.enableOperator(id, enabled) })
}

// liveDepartment is a department as the live service writes one.
type liveDepartment struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Enabled     string `json:"is_enabled"`
	Public      string `json:"is_public"`
	CreatedBy   string `json:"created_by"`
	Created     string `json:"created_time"`
}

func listLiveDepartments(c *call) (*reply, error) {
	var departments []liveDepartment
	for brand := range c.brands.all() {
		for _, department := range brand.Departments {
			departments = append(departments, liveDepartment{
				ID: department.ID, Name: department.Name, DisplayName: department.Name, Enabled: "true", Public: "true",
				CreatedBy: accountOwner, Created: millis(brand.CreatedAt),
			})
		}
	}
	return indexed(c, departments)
}

// liveApp is a brand as the live service writes an app: flags are 0 and 1.
type liveApp struct {
	ID       string                    `json:"id"`
	Name     string                    `json:"name"`
	Enabled  string                    `json:"is_enabled"`
	Channels map[string]map[string]int `json:"channels"`
	Created  string                    `json:"created_time"`
}

func (*state) liveApp(brand *salesiq.Brand) liveApp {
	return liveApp{
		ID: brand.ID, Name: brand.Name, Enabled: strconv.FormatBool(brand.Status == salesiq.BrandActive),
		Channels: map[string]map[string]int{"website": {"chat": 1}, "ios": {"chat": 0}}, Created: millis(brand.CreatedAt),
	}
}
