package salesiqtest

import (
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// departmentFields are what calls set of a department.
var departmentFields = []field{
	{name: "name", read: anyText, needed: true},
	{name: "operators", read: listOf(theOperators.id)},
	{name: "is_public", read: flagText},
	{name: "description", read: anyText},
	{name: "email_configurations", read: parts(
		field{name: "from_email", read: anyText}, field{name: "transcript_recipients", read: anyText},
		field{name: "blockip_recipients", read: anyText}, field{name: "feedback_recipients", read: anyText},
		field{name: "missedchat_recipients", read: anyText}, field{name: "cc_recipients", read: anyText},
		field{name: "is_transcript_mail_enabled", read: flagText}, field{name: "is_blockip_mail_enabled", read: flagText},
		field{name: "is_feedback_mail_enabled", read: flagText}, field{name: "is_missedchat_mail_enabled", read: flagText},
		field{name: "is_cc_mail_enabled", read: flagText},
	)},
}

var noEmails = object{
	"from_email": "", "transcript_recipients": "", "blockip_recipients": "", "feedback_recipients": "", "missedchat_recipients": "", "cc_recipients": "",
	"is_transcript_mail_enabled": "false", "is_blockip_mail_enabled": "false", "is_feedback_mail_enabled": "false",
	"is_missedchat_mail_enabled": "false", "is_cc_mail_enabled": "false",
}

// liveDepartment is a department as the live service writes it.
func (s *state) liveDepartment(department *salesiq.Department) object {
	created := "-1"
	if brand, ok := s.brandOf(department.ID); ok {
		created = millis(brand.CreatedAt)
	}
	out := object{
		"description": "", "is_enabled": "true", "is_public": "true", "email_configurations": noEmails,
		"created_time": created, "modified_time": created,
	}
	maps.Copy(out, s.overlays[department.ID])
	maps.Copy(out, object{
		"id": department.ID, "name": department.Name, "display_name": department.Name, "is_system_generated": "false",
		"created_by": accountOwner, "operators": s.operatorsIn(department.ID),
		"image_url": livePath + "/downloads/" + department.ID + "?purpose=department_image",
	})
	return out
}

// operatorsIn are the ids of the operators of a department.
func (s *state) operatorsIn(departmentID string) []any {
	ids := []any{}
	for operator := range s.operators.all() {
		if slices.Contains(s.departmentsOf(operator), departmentID) {
			ids = append(ids, operator.ID)
		}
	}
	return ids
}

// departments are those of all apps, each once.
func (s *state) departments() (all []salesiq.Department) {
	for brand := range s.brands.all() {
		for _, department := range brand.Departments {
			if !slices.ContainsFunc(all, hasID(department.ID)) {
				all = append(all, department)
			}
		}
	}
	return all
}

// listLiveDepartments answers with them in short, and with a checksum of them.
func listLiveDepartments(c *call) (any, error) {
	departments, known := []object{}, crc32.NewIEEE()
	for _, department := range c.departments() {
		io.WriteString(known, department.ID+department.Name) //nolint:errcheck // A checksum takes everything.
		shown := c.liveDepartment(&department)
		for _, detail := range []string{"operators", "email_configurations", "image_url"} {
			delete(shown, detail)
		}
		departments = append(departments, shown)
	}
	return indexed(c, c.changedSince(departments), object{"CRC": strconv.FormatUint(uint64(known.Sum32()), 10)})
}

// findDepartment is department with the error that the service gives.
func (s *state) findDepartment(id string) (*salesiq.Department, error) {
	department, ok := s.department(id)
	if !ok {
		return nil, notFound("department", id)
	}
	return &department, nil
}

// createDepartment adds a department to the first app.
func createDepartment(c *call) (any, error) {
	first := c.firstApp()
	if first == nil {
		return nil, notFound("app", "")
	}
	fields := slices.Clone(departmentFields)
	fields[1].needed = true // The operators.
	department := &salesiq.Department{ID: c.newID("dept")}
	begun := object{"created_time": millis(c.now), "email_configurations": noEmails}
	return department, c.changeDepartment(department, begun, begun.with("id", ""), fields, func() {
		first.Departments = append(slices.Clip(first.Departments), *department)
	}, "department.created")
}

func updateDepartment(c *call) (any, error) {
	department, err := c.findDepartment(c.id)
	if err != nil {
		return nil, err
	}
	shown := c.liveDepartment(department)
	before := object{"name": department.Name, "email_configurations": shown["email_configurations"]}
	maps.Copy(before, c.overlays[c.id])
	return department, c.changeDepartment(department, before, shown, departmentFields, func() { c.replaceDepartment(*department) }, "department.updated")
}

// changeDepartment takes over what a body says about a department. Keep puts the
// department where it belongs.
func (c *call) changeDepartment(department *salesiq.Department, before, shown object, fields []field, keep func(), event salesiq.EventName) error {
	after, err := c.amend(before, shown, fields, c.body, "")
	if err != nil {
		return err
	}
	department.Name, _ = after["name"].(string)
	if other := c.departmentNamed(department.Name); other != "" && other != department.ID {
		return duplicate("department", "name")
	}
	keep()
	if ids, set := after["operators"].([]any); set {
		for operator := range c.operators.all() {
			if slices.Contains(ids, any(operator.ID)) {
				c.join(operator, department.ID)
			} else {
				c.quit(operator, department.ID)
			}
		}
	}
	delete(after, "operators")
	c.overlay(department.ID, after)
	c.tellVendors(event, department)
	return nil
}

// replaceDepartment changes a department in all apps that have it.
func (s *state) replaceDepartment(changed salesiq.Department) {
	for brand := range s.brands.all() {
		brand.Departments = slices.Clone(brand.Departments) // Others may have the same.
		for i := range brand.Departments {
			if brand.Departments[i].ID == changed.ID {
				brand.Departments[i] = changed
			}
		}
	}
	for operator := range s.operators.all() {
		if operator.DepartmentID == changed.ID {
			operator.DepartmentName = changed.Name
		}
	}
}

func enableDepartment(enabled string) handler {
	return func(c *call) (any, error) {
		department, err := c.findDepartment(c.id)
		if err != nil {
			return nil, err
		}
		changed := object{}
		maps.Copy(changed, c.overlays[c.id])
		c.overlay(c.id, changed.with("is_enabled", enabled))
		c.tellVendors("department.updated", department)
		return nil, nil
	}
}

// deleteDepartment moves what a department has to the one that configure_to names.
func deleteDepartment(c *call) (any, error) {
	department, err := c.findDepartment(c.id)
	if err != nil {
		return nil, err
	}
	if len(c.departments()) == 1 {
		return nil, lastOne("department")
	}
	heir, err := c.heir(theDepartments, c.id)
	if err != nil {
		return nil, err
	}
	next, _ := c.department(heir)
	if c.liveDepartment(&next)["is_public"] == "false" && c.liveDepartment(department)["is_public"] == "true" {
		refused := invalid("configure_to", "must be a public department, since this one is public")
		refused.inQuery, refused.number = true, 1302
		return nil, refused
	}
	c.inherit(department.ID, heir)
	for brand := range c.brands.all() {
		brand.Departments = slices.DeleteFunc(slices.Clone(brand.Departments), hasID(department.ID))
	}
	c.tellVendors("department.deleted", department)
	delete(c.overlays, department.ID)
	return nil, nil
}

// inherit puts one department in the place of another one.
func (s *state) inherit(gone, heir string) {
	for operator := range s.operators.all() {
		if slices.Contains(s.departmentsOf(operator), gone) {
			s.quit(operator, gone)
			s.join(operator, heir)
		}
	}
	for chat := range s.chats.all() {
		if chat.DepartmentID == gone {
			chat.DepartmentID = heir
		}
	}
	for _, documents := range s.documents {
		for item := range documents.all() {
			if item.members["department_id"] == gone {
				item.members = item.members.with("department_id", heir)
			}
		}
	}
}

// join puts an operator into a department.
func (s *state) join(operator *salesiq.Operator, departmentID string) {
	s.placeOperator(operator, addMissing(s.departmentsOf(operator), departmentID))
}

// quit takes an operator out of a department.
func (s *state) quit(operator *salesiq.Operator, departmentID string) {
	s.placeOperator(operator, slices.DeleteFunc(s.departmentsOf(operator), func(id string) bool { return id == departmentID }))
}

// departmentsOf are the ids of the departments of an operator. The specification
// knows the first one alone.
func (s *state) departmentsOf(operator *salesiq.Operator) []string {
	if operator.DepartmentID == "" {
		return []string{}
	}
	return addMissing([]string{operator.DepartmentID}, s.belongs[operator.ID]...)
}

func (s *state) placeOperator(operator *salesiq.Operator, ids []string) {
	operator.DepartmentID, operator.DepartmentName = "", ""
	delete(s.belongs, operator.ID)
	if len(ids) == 0 {
		return
	}
	department, _ := s.department(ids[0])
	operator.DepartmentID, operator.DepartmentName, s.belongs[operator.ID] = ids[0], department.Name, ids[1:]
}

// changeMembers puts operators into departments, or takes them out.
func (c *call) changeMembers(operatorIDs, departmentIDs []string, change func(*salesiq.Operator, string), event salesiq.EventName) error {
	for i, id := range departmentIDs {
		if _, err := theDepartments.check(c.state, element("ids", i), id); err != nil {
			return err
		}
	}
	for i, id := range operatorIDs {
		if _, err := theOperators.check(c.state, element("ids", i), id); err != nil {
			return err
		}
	}
	for _, id := range operatorIDs {
		operator, _ := c.operators.get(id)
		for _, departmentID := range departmentIDs {
			change(operator, departmentID)
		}
		c.touch(id)
		c.tellVendors(event, operator)
	}
	return nil
}

// idsOfBody are those of calls that add.
func (c *call) idsOfBody() ([]string, error) {
	var in idList
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 {
		return nil, missing("ids")
	}
	return in.IDs, nil
}

// changeMembership handles both sides of membership: the departments of the
// operator of the path, or the operators of its department.
func changeMembership(ofOperator, adds bool) handler {
	return func(c *call) (any, error) {
		ids, err := c.idsOfQuery()
		change, event := c.quit, salesiq.EventName("operator.departments.disassociated")
		if adds {
			ids, err = c.idsOfBody()
			change, event = c.join, "operator.departments.associated"
		}
		if err != nil {
			return nil, err
		}
		if ofOperator {
			operator, err := c.operators.find(c.id)
			if err != nil {
				return nil, err
			}
			return operator, aboutQuery(!adds, c.changeMembers([]string{c.id}, ids, change, event))
		}
		department, err := c.findDepartment(c.id)
		if err != nil {
			return nil, err
		}
		return department, aboutQuery(!adds, c.changeMembers(ids, []string{c.id}, change, event))
	}
}

// idsOfQuery are those of calls that remove.
func (c *call) idsOfQuery() ([]string, error) {
	text := c.query.text("ids")
	if text == "" {
		return nil, aboutQuery(true, missing("ids"))
	}
	return strings.Split(text, ","), nil
}

// aboutQuery says that an error is about a parameter, if it is.
func aboutQuery(is bool, err error) error {
	if err == nil || !is {
		return err
	}
	refused := asRefusal(err)
	refused.inQuery = true
	return refused
}
