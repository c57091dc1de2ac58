package salesiqtest

import (
	"cmp"
	"slices"
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

func (c *call) portal() livePortal {
	portal := livePortal{ScreenName: Portal, Name: "Nordlicht Outdoor", OwnerZUID: "700214", OperatorID: accountOwner}
	for brand := range c.state.brands.all() {
		portal.Created = cmp.Or(portal.Created, millis(brand.CreatedAt))
	}
	return portal
}

func listPortals(c *call) (*reply, error) { return c.many([]livePortal{c.portal()}) }

func getPortal(c *call) (*reply, error) {
	if c.id != Portal {
		return nil, notFound("portal", c.id)
	}
	return c.one("portal", c.portal())
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
	enabled := strconv.FormatBool(!s.live.disabled[operator.ID])
	return liveOperator{
		ID: operator.ID, FirstName: first, LastName: last, Email: operator.Email, Role: liveRoles[operator.Role],
		Departments: departments, StatusCode: present, StatusMessage: statusMessages[operator.Status],
		ChatEnabled: enabled, Enabled: enabled, Owner: strconv.FormatBool(operator.ID == accountOwner), Deleted: "false",
		MaxChats: most, TimeZone: operator.Timezone, Language: "en",
		Created: millis(operator.CreatedAt), Modified: millis(operator.LastActive),
	}
}

const liveOperatorPage = 20

// index reads the parameter that numbers items from 1.
func (c *call) index() (from, size int, err error) {
	p := params{query: c.query}
	index := p.number("index", 1, 0, 1_000_000_000)
	return max(index, 1) - 1, p.number("limit", liveOperatorPage, 1, liveOperatorPage), p.err
}

func listLiveOperators(c *call) (*reply, error) {
	from, size, err := c.index()
	if err != nil {
		return nil, err
	}
	var operators []liveOperator
	for operator := range c.state.operators.all() {
		operators = append(operators, c.state.liveOperator(operator))
	}
	return window(c, operators, from, size, false)
}

func getLiveOperator(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	return c.one("operator", c.state.liveOperator(operator))
}

func createLiveOperator(c *call) (*reply, error) {
	var in struct {
		Email       string   `json:"email_id"`
		Role        string   `json:"role"`
		Departments []string `json:"departments"`
		FirstName   string   `json:"first_name"`
		LastName    string   `json:"last_name"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	switch {
	case in.Email == "":
		return nil, missing("email_id")
	case len(in.Departments) == 0:
		return nil, missing("departments")
	case c.body["is_monitored"] == nil:
		return nil, missing("is_monitored")
	}
	for role, name := range liveRoles {
		if name == in.Role {
			in.Role = string(role)
		}
	}
	if !slices.Contains(operatorRoles, salesiq.OperatorRole(in.Role)) {
		return nil, invalid("role", "must be Administrator, Supervisor or Associate")
	}
	name, _, _ := strings.Cut(in.Email, "@")
	made, err := createOperator(c.as(map[string]any{
		"name": strings.TrimSpace(cmp.Or(in.FirstName, name) + " " + in.LastName), "email": in.Email, "role": in.Role,
		"department_id": in.Departments[0],
	}))
	if err != nil {
		return nil, err
	}
	operator := made.body.(envelope).Data.(salesiq.Operator) //nolint:forcetypeassert // It was created.
	c.tellLive("operator.created", operator.ID, c.state.liveOperator(&operator))
	return c.one("operator", c.state.liveOperator(&operator))
}

func deleteLiveOperator(c *call) (*reply, error) {
	operator, err := c.operator()
	if err != nil {
		return nil, err
	}
	answer, err := deleteOperator(c)
	if err == nil {
		c.tellLive("operator.deleted", operator.ID, c.state.liveOperator(operator))
	}
	return answer, err
}

func enableOperator(enabled bool) handler {
	return func(c *call) (*reply, error) {
		operator, err := c.operator()
		if err != nil {
			return nil, err
		}
		if operator.ID == accountOwner && !enabled {
			return nil, refuse(salesiq.ErrPermissionDenied, "the owner of the account cannot be disabled", nil)
		}
		c.state.live.disabled[operator.ID] = !enabled
		c.tellLive("operator.updated", operator.ID, c.state.liveOperator(operator))
		return deleted()
	}
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
	from, size, err := c.index()
	if err != nil {
		return nil, err
	}
	var departments []liveDepartment
	for brand := range c.state.brands.all() {
		for _, department := range brand.Departments {
			departments = append(departments, liveDepartment{
				ID: department.ID, Name: department.Name, DisplayName: department.Name, Enabled: "true", Public: "true",
				CreatedBy: accountOwner, Created: millis(brand.CreatedAt),
			})
		}
	}
	return window(c, departments, from, size, false)
}

// liveApp is a brand as the live service writes an app: flags are 0 and 1.
type liveApp struct {
	ID       string                    `json:"id"`
	Name     string                    `json:"name"`
	Enabled  string                    `json:"is_enabled"`
	Channels map[string]map[string]int `json:"channels"`
	Created  string                    `json:"created_time"`
}

func newLiveApp(brand *salesiq.Brand) liveApp {
	return liveApp{
		ID: brand.ID, Name: brand.Name, Enabled: strconv.FormatBool(brand.Status == salesiq.BrandActive),
		Channels: map[string]map[string]int{"website": {"chat": 1}, "ios": {"chat": 0}}, Created: millis(brand.CreatedAt),
	}
}

func listApps(c *call) (*reply, error) {
	apps := []liveApp{}
	for brand := range c.state.brands.all() {
		apps = append(apps, newLiveApp(brand))
	}
	return c.many(apps)
}

func getApp(c *call) (*reply, error) {
	brand, err := c.brand()
	if err != nil {
		return nil, err
	}
	return c.one("app", newLiveApp(brand))
}
