package salesiqtest

import (
	"cmp"
	"encoding/json"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

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
		return nil, notFound("portal", name)
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
		"id": operator.ID, "zuid": zuid(operator.ID), "wms_id": "LD_" + operator.ID, "email_id": operator.Email,
		"first_name": first, "last_name": last, "nick_name": first, "role": liveRoles[operator.Role], "description": "",
		"mobile": "", "phone": "", "date_of_birth": "", "street": "", "city": "", "state": "", "country": "", "pin_code": "",
		"departments": departments, "status_code": present, "status_message": statusMessages[operator.Status],
		"is_chat_enabled": enabled, "is_enabled": enabled, "is_owner": strconv.FormatBool(operator.ID == accountOwner),
		"is_confirmed": "true", "is_deleted": "false", "notify": object{"new_visit": "false", "return_visit": "false"},
		"maximum_concurrent_chat": most, "time_zone": operator.Timezone, "language": "en",
		"image_url":    operatorImage(operator.ID),
		"created_time": millis(operator.CreatedAt), "modified_time": millis(operator.LastActive),
	}
}

func listLiveOperators(c *call) (any, error) { return indexed(c, c.operators.matching(nil), nil) }

// liveOperatorInput is what operators are made of.
type liveOperatorInput struct {
	Email       string          `json:"email_id"`
	Role        string          `json:"role"`
	Departments []string        `json:"departments"`
	FirstName   string          `json:"first_name"`
	LastName    string          `json:"last_name"`
	Monitored   json.RawMessage `json:"is_monitored"`
}

func (s *state) createLiveOperator(_ string, in liveOperatorInput) (*salesiq.Operator, error) {
	err := check(allFields,
		requirement{"email_id", in.Email == "", ""},
		requirement{"departments", len(in.Departments) == 0, ""},
		requirement{"is_monitored", in.Monitored == nil, ""})
	if err != nil {
		return nil, err
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
	return s.operators.add(s, operator)
}

func enableLiveOperator(enabled bool) handler {
	return ask(func(s *state, id string) (any, error) { return nil, s.enableOperator(id, enabled) })
}

// listLiveDepartments answers with those of all apps, and with a checksum of them.
func listLiveDepartments(c *call) (any, error) {
	departments, known := []object{}, crc32.NewIEEE()
	for brand := range c.brands.all() {
		for _, department := range brand.Departments {
			io.WriteString(known, department.ID+department.Name) //nolint:errcheck // A checksum takes everything.
			departments = append(departments, object{
				"id": department.ID, "name": department.Name, "display_name": department.Name, "description": "",
				"is_enabled": "true", "is_public": "true", "is_system_generated": "false", "created_by": accountOwner,
				"created_time": millis(brand.CreatedAt), "modified_time": millis(brand.CreatedAt),
			})
		}
	}
	return indexed(c, departments, object{"CRC": strconv.FormatUint(uint64(known.Sum32()), 10)})
}

// liveApp is a brand as the live service writes an app.
func (s *state) liveApp(brand *salesiq.Brand) object {
	channel := func(there int) object {
		return object{"enabled": there == 1, "chat": there, "call": 0, "faq": there, "proactive": there}
	}
	return object{
		"id": brand.ID, "name": brand.Name, "unique_name": strings.ToLower(strings.ReplaceAll(brand.Name, " ", "")),
		"enabled": brand.Status == salesiq.BrandActive, "privacy": false, "business_hours": false,
		"reply_time": "60", "waiting_time": "60", "description": object{"default": ""}, "logo_url": brand.Logo, "creator": s.owner(),
		"channels":     object{"website": channel(1), "emailsignature": channel(0), "android": channel(0), "ios": channel(0)},
		"created_time": millis(brand.CreatedAt), "modified_time": millis(brand.CreatedAt),
	}
}
