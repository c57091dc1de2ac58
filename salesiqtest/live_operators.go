package salesiqtest

import (
	"cmp"
	"encoding/json"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// portalName is what the portal calls itself.
const portalName = "Nordlicht Outdoor"

func listPortals(c *call) (any, error) {
	created := ""
	for brand := range c.brands.all() {
		created = millis(brand.CreatedAt)
		break
	}
	return window(c, []object{{
		"screenname": Portal, "name": portalName, "owner_zuid": zuid(accountOwner), "operator_id": accountOwner,
		"logo": livePath + "/downloads/logo", "created_time": created,
	}}, 0, 1, nil)
}

// livePortal is the portal with its details. The name is not on the vendor's page,
// which may be cut there; package live reads it.
func (s *state) livePortal(name string) (object, error) {
	if name != Portal {
		refused := notFound("portal", name)
		refused.number = 1005
		return nil, refused
	}
	owner := object{"zuid": zuid(accountOwner), "operator_id": accountOwner, "name": "", "email_id": ""}
	if operator, ok := s.operators.get(accountOwner); ok {
		owner["name"], owner["email_id"] = operator.Name, operator.Email
	}
	return object{
		"screenname": Portal, "name": portalName, "company_name": portalName, "description": "", "email_id": owner["email_id"],
		"phone": "", "mobile": "", "website": "https://www.nordlicht.example", "language": "en",
		"address": "", "street": "", "city": "Hamburg", "state": "", "country": "de",
		"logo": livePath + "/downloads/logo", "icon": livePath + "/downloads/icon", "owner": owner,
	}, nil
}

// zuid is the number by which Zoho as a whole knows an operator.
func zuid(operatorID string) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(operatorID))), 10)
}

var liveRoles = map[salesiq.OperatorRole]string{
	salesiq.RoleAdmin: "Administrator", salesiq.RoleSupervisor: "Supervisor", salesiq.RoleAgent: "Associate",
}

// statusMessages are the vendor's words for being there or not.
var statusMessages = map[salesiq.OperatorStatus]string{
	salesiq.OperatorOnline: "Available", salesiq.OperatorBusy: "Busy", salesiq.OperatorAway: "Away", salesiq.OperatorOffline: "Offline",
}

// operatorFields are what calls set of an operator.
var operatorFields = []field{
	{name: "first_name", read: anyText},
	{name: "last_name", read: anyText},
	{name: "nick_name", read: anyText},
	{name: "description", read: anyText},
	{name: "mobile", read: anyText},
	{name: "phone", read: anyText},
	{name: "role", read: word("Administrator", "Supervisor", "Associate"), needed: true},
	{name: "time_zone", read: anyText},
	{name: "language", read: anyText},
	{name: "maximum_concurrent_chat", read: scalarWord("0", "1", "2", "3", "4", "5", "7", "10", "25", "unlimited")},
	{name: "date_of_birth", read: dateOfBirth},
	{name: "is_chat_enabled", read: flagText},
	{name: "street", read: anyText},
	{name: "city", read: anyText},
	{name: "state", read: anyText},
	{name: "country", read: anyText},
	{name: "pin_code", read: anyText},
}

// dateOfBirth comes with slashes, and is shown with hyphens.
func dateOfBirth(c *call, name string, before any, value json.RawMessage) (any, error) {
	text, err := anyText(c, name, before, value)
	date, _ := text.(string)
	date = strings.ReplaceAll(date, "/", "-")
	if _, wrong := time.Parse("02-01-2006", date); err == nil && wrong != nil && date != "" {
		err = invalid(name, "must be a date as DD/MM/YYYY")
	}
	return date, err
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
	enabled := strconv.FormatBool(!s.disabled[operator.ID])
	out := object{
		"first_name": first, "last_name": last, "nick_name": first, "description": "", "is_chat_enabled": enabled,
		"mobile": "", "phone": "", "date_of_birth": "", "street": "", "city": "", "state": "", "country": "", "pin_code": "",
		"maximum_concurrent_chat": most, "time_zone": operator.Timezone, "language": "en",
	}
	changed := s.overlays[operator.ID]
	maps.Copy(out, changed)
	if s.disabled[operator.ID] {
		out["is_chat_enabled"] = enabled
	}
	out["modified_time"] = strconv.FormatInt(max(numberIn(changed, "modified_time"), operator.LastActive.UnixMilli()), 10)
	maps.Copy(out, object{
		"id": operator.ID, "zuid": zuid(operator.ID), "wms_id": "LD_" + operator.ID, "email_id": operator.Email, "role": liveRoles[operator.Role],
		"departments": s.departmentsOf(operator), "status_code": present, "status_message": statusMessages[operator.Status],
		"is_enabled": enabled, "is_owner": strconv.FormatBool(operator.ID == accountOwner),
		"is_confirmed": "true", "is_deleted": "false", "notify": object{"new_visit": "false", "return_visit": "false"},
		"image_url":    operatorImage(operator.ID),
		"created_time": millis(operator.CreatedAt),
	})
	return out
}

func listLiveOperators(c *call) (any, error) {
	var operators []object
	for operator := range c.operators.all() {
		operators = append(operators, c.liveOperator(operator))
	}
	return indexed(c, c.changedSince(operators), nil)
}

func createLiveOperator(c *call) (any, error) {
	fields := append(slices.Clone(operatorFields),
		field{name: "email_id", read: anyText, needed: true},
		field{name: "departments", read: listOf(theDepartments.id), needed: true},
		field{name: "is_monitored", read: flagText, needed: true})
	after, err := c.amend(object{}, object{"id": ""}, fields, c.body, "")
	if err != nil {
		return nil, err
	}
	made := c.newOperator()
	made.Email, _ = after["email_id"].(string)
	account, _, _ := strings.Cut(made.Email, "@")
	if isEmpty(after["first_name"]) {
		after["first_name"] = account
	}
	takeOver(&made, after)
	operator, err := c.operators.add(c.state, made)
	if err != nil {
		return nil, renamed(err, "email", "email_id")
	}
	var ids []string
	departments, _ := after["departments"].([]any)
	for _, id := range departments {
		text, _ := id.(string)
		ids = append(ids, text)
	}
	c.placeOperator(operator, ids)
	c.overlayOperator(operator, after)
	return operator, nil
}

// renamed tells a field by the name that the live service has for it.
func renamed(err error, from, to string) error {
	refused := asRefusal(err)
	if refused.details["field"] == from {
		refused.details["field"] = to
	}
	return refused
}

func updateLiveOperator(c *call) (any, error) {
	operator, err := c.operators.find(c.id)
	if err != nil {
		return nil, err
	}
	shown := c.liveOperator(operator)
	after, err := c.amend(shown, shown, operatorFields, c.body, "")
	if err != nil {
		return nil, err
	}
	takeOver(operator, after)
	c.overlayOperator(operator, after)
	c.tellVendors("operator.updated", operator)
	return operator, nil
}

// takeOver puts what the specification knows of an operator into its fields.
func takeOver(operator *salesiq.Operator, from object) {
	text := func(name string) string { value, _ := from[name].(string); return value }
	operator.Name = strings.TrimSpace(text("first_name") + " " + text("last_name"))
	operator.Timezone = text("time_zone")
	for role, name := range liveRoles {
		if name == from["role"] {
			operator.Role = role
		}
	}
	if from["maximum_concurrent_chat"] != nil {
		operator.MaxChats = int(numberIn(from, "maximum_concurrent_chat"))
	}
}

// overlayOperator keeps what a body has set of an operator.
func (c *call) overlayOperator(operator *salesiq.Operator, after object) {
	kept := object{}
	maps.Copy(kept, c.overlays[operator.ID])
	for i := range operatorFields {
		if name := operatorFields[i].name; c.body.sets(name) || name == "first_name" || name == "last_name" {
			kept[name] = cmp.Or(after[name], any(""))
		}
	}
	c.overlay(operator.ID, kept)
}

// touch says that an object has changed.
func (s *state) touch(id string) {
	kept := object{}
	maps.Copy(kept, s.overlays[id])
	s.overlay(id, kept)
}

func enableLiveOperator(enabled bool) handler {
	return func(c *call) (any, error) {
		err := c.enableOperator(c.id, enabled)
		if err == nil {
			c.touch(c.id)
		}
		return nil, err
	}
}
