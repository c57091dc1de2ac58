package salesiqtest

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
)

// families are all kinds of documents.
var families = []*family{
	&articles, &articleCategories, &cannedResponses, &cannedCategories,
	&visitorRules, &chatRules, &callRules, &leadRules, &triggers, &presets, &historyViews, &monitors, &blockedIPs,
}

// familiesByPath are for the state, by which families find each other.
func familiesByPath() map[string]*family {
	byPath := map[string]*family{}
	for _, f := range families {
		byPath[f.path] = f
	}
	return byPath
}

var (
	theArticleCategories = documentsAt("articlecategories", "a category")
	theCannedCategories  = documentsAt("cannedresponsecategories", "a category")
	theHistoryViews      = documentsAt("visitorhistoryviews", "a view")
)

var articles = family{
	path: "articles", object: "articles",
	begin: func(s *state) object {
		return object{
			"enabled": true, "creator": s.owner(), "modifier": s.owner(),
			"stats":        object{"viewed": "0", "used": "0", "liked": "0", "disliked": "0"},
			"created_time": millis(s.now), "modified_time": millis(s.now),
		}
	},
	fields: []field{
		{name: "title", read: anyText, needed: true},
		{name: "content", read: anyText, needed: true},
		{name: "department_id", read: theDepartments.id, needed: true},
		{name: "category_id", read: theArticleCategories.id, needed: true, as: "category", shows: theArticleCategories.ref},
		{name: "published", read: aFlag, needed: true},
		{name: "enabled", read: aFlag},
	},
	list: listing{
		number: "page", size: 10, most: 99,
		filters: []filter{hasMember("department_id"), hasMember("category_id"), {"mode", []string{"publish", "draft"}, func(item *document, value string) bool {
			return item.members["published"] == (value == "publish")
		}}},
		sorts: []string{"views", "likes", "dislikes", "used"},
	},
}

// hasMember is the filter by a member of the same name.
func hasMember(name string) filter {
	return filter{name: name, holds: func(item *document, value string) bool { return item.members[name] == value }}
}

// numberIn is a number that is written as a text.
func numberIn(in object, name string) int64 {
	text, _ := in[name].(string)
	n, _ := strconv.ParseInt(text, 10, 64) //nolint:errcheck // Nothing is 0.
	return n
}

var articleCategories = family{
	path: "articlecategories", scope: "articles", object: "articlecategory", unique: "name",
	begin: func(s *state) object {
		return object{"is_default": "false", "order": strconv.Itoa(1 + len(s.documentsOf("articlecategories").order))}
	},
	fields: []field{{name: "name", read: anyText, needed: true}},
	list:   listing{number: "index", size: 20, most: 99},
	seeds: func(*state) ([]string, []object) {
		return []string{seedID(1)}, []object{{"name": "General", "is_default": "true", "order": "1"}}
	},
}

var cannedResponses = family{
	path: "cannedresponses", object: "cannedresponse",
	begin: func(s *state) object {
		return object{
			"public": false, "enabled": true, "associate_with_all_departments": false, "category_ids": []any{generalCategory},
			"usage_count": "0", "last_used_time": "", "creator": s.author(), "modifier": s.author(),
			"created_time": millis(s.now), "modified_time": millis(s.now),
		}
	},
	fields: []field{
		{name: "content", read: anyText, needed: true},
		{name: "public", read: aFlag},
		{name: "enabled", read: aFlag},
		{name: "associate_with_all_departments", read: aFlag},
		{name: "department_id", read: theDepartments.id, as: "-"},
		{name: "category_ids", read: listOf(theCannedCategories.id), as: "categories", shows: theCannedCategories.refs},
	},
	check: func(_ *call, item object) error {
		if item["associate_with_all_departments"] == false && isEmpty(item["department_id"]) {
			return missing("department_id")
		}
		return nil
	},
	list: listing{
		number: "page", size: 10, most: 99, oneMore: true,
		filters: []filter{{name: "department_id", holds: func(item *document, value string) bool {
			return item.members["associate_with_all_departments"] == true || item.members["department_id"] == value
		}}},
		sorts: []string{"usage_count", "last_used_time"},
	},
}

// author is who has made a canned response.
func (s *state) author() object {
	author := s.owner()
	author["type"], author["image_url"] = "operator", livePath+"/downloads/"+accountOwner+"?purpose=operator_image"
	return author
}

// generalCategory is that of canned responses that name none.
var generalCategory = seedID(2)

var cannedCategories = family{
	path: "cannedresponsecategories", scope: "cannedresponses", object: "cannedresponsecategories", unique: "name",
	begin:  func(s *state) object { return s.cannedCategory("", "false") },
	fields: []field{{name: "name", read: anyText, needed: true}},
	keep:   inheritCanned,
	heirs:  true,
	seeds: func(s *state) ([]string, []object) {
		return []string{generalCategory}, []object{s.cannedCategory("General", "true")}
	},
}

func (s *state) cannedCategory(name, isDefault string) object {
	return object{
		"name": name, "owner": s.owner()["name"], "owner_id": accountOwner, "is_default": isDefault,
		"created_time": millis(s.now), "modified_time": millis(s.now),
	}
}

// inheritCanned moves the responses of a category that goes to the one that
// configure_to names.
func inheritCanned(c *call, gone *document) error {
	heir, err := c.heir(theCannedCategories, gone.id)
	if err != nil {
		return err
	}
	for response := range c.documentsOf("cannedresponses").all() {
		kept := []any{}
		ids, _ := response.members["category_ids"].([]any)
		for _, id := range ids {
			if id == gone.id {
				id = heir
			}
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		response.members = response.members.with("category_ids", kept)
	}
	return nil
}

// heirParameter names what takes the place of something that goes.
const heirParameter = "configure_to"

// heir is what takes the place of something that goes.
func (c *call) heir(among directory, gone string) (string, error) {
	const name = heirParameter
	id := c.query.text(name)
	_, err := among.check(c.state, name, id)
	switch {
	case id == "":
		err = missing(name)
	case id == gone:
		err = invalid(name, "must be another one")
	case err == nil:
		return id, nil
	}
	return "", aboutQuery(true, err)
}

// routingRule are the fields of visitor, chat and call routing.
var routingRule = []field{
	{name: "title", read: anyText},
	{name: "enabled", read: aFlag},
	{name: "routing_type", read: anyText},
	{name: "app_id", read: theApps.id, as: "app", shows: theApps.ref},
	{name: "and_criteria", read: criteria("or_criteria"), needed: true},
	{name: "userset", read: parts(
		field{name: "operator_ids", read: listOf(theOperators.id)},
		field{name: "department_ids", read: listOf(theDepartments.id)},
		field{name: "dynamic_users", read: listOf(anyText)},
	)},
}

// beginRule makes the members of a rule with numbers of its own.
func beginRule(s *state, stats object) object {
	rule := object{
		"title": "", "enabled": true, "routing_type": "route_to_selected_users", "userset": object{}, "stats": stats, "creator": creator(),
		"created_time": s.now.UnixMilli(), "modified_time": s.now.UnixMilli(),
	}
	if app := s.firstApp(); app != nil {
		rule["app_id"] = app.ID
	}
	return rule
}

var visitorRules = family{
	path: "visitorroutingrules", object: "visitor_routing_rules", fields: routingRule, ids: asNumber, order: asIs[int],
	begin: func(s *state) object {
		return beginRule(s, object{"routed_count": "0", "replied_count": "0", "triggered_count": "0", "last_routed_time": "-1"})
	},
	list: listing{object: "visitor_routing_rules", nested: "rule_list", beside: commonRule.of},
}

// commonRule is what happens to visitors that no rule is for.
var commonRule = single{
	path: "visitorroutingrules/commonrule", scope: "visitorroutingrules", object: "visitor_routing_rules",
	begin:  func(*state) object { return object{"route_to_all": "enabled"} },
	fields: []field{{name: "route_to_all", read: aSwitch}},
}

var chatRules = family{
	path: "chatroutingrules", object: "chat_routing_rules", fields: routingRule, ids: asNumber, order: asIs[int],
	begin: chatStats,
	list: listing{object: "chat_routing_rules", nested: "rule_list", beside: func(*state) object {
		return object{"route_to_all": "enabled"}
	}},
}

func chatStats(s *state) object {
	return beginRule(s, object{
		"requested_count": "0", "connected_count": "0", "missed_count": "0",
		"transfered_count": "0", "last_routed_time": "-1", //nolint:misspell // The vendor's spelling.
	})
}

var callRules = family{
	path: "callroutingrules", object: "call_routing_rules", fields: routingRule, ids: asNumber, order: asIs[int], begin: chatStats,
}

var leadRules = family{
	path: "leadscorerules", object: "leadscore_rules",
	begin: func(*state) object { return object{"status": "enabled", "creator": creator()} },
	fields: []field{
		{name: "points", read: countText, needed: true},
		{name: "AND_criteria", read: criteria("OR_criteria"), needed: true},
		{name: "status", read: aSwitch},
		{name: "enable", read: flagAs(asSwitch), as: "status"}, // So the text of the page has it.
	},
	list: listing{object: "leadscore_rules", nested: "rule_list"},
}

// leadConfig is how old points lose weight.
var leadConfig = single{
	path: "leadscoreconfigs", scope: "leadscoreconfigs", object: "leadscore_config",
	begin: func(s *state) object {
		return object{"percentage": "50", "frequency": "yearly", "next_crunch_time": millis(s.now.AddDate(1, 0, 0)), "last_crunch_time": "0"}
	},
	fields: []field{{name: "frequency", read: anyText, needed: true}},
}

var triggers = family{
	path: "triggerrules", object: "trigger_rule", order: asText[int],
	begin: func(s *state) object {
		return object{
			"enabled": true, "creator": creator(), "created_time": millis(s.now), "modified_time": millis(s.now),
			"stats": object{"triggered_count": "0", "replied_count": "0", "failed_count": "0", "seen_count": "0", "last_triggered_time": "-1"},
		}
	},
	fields: []field{
		{name: "title", read: anyText, needed: true},
		{name: "enabled", read: aFlag},
		{name: "app_id", read: theApps.id, needed: true, as: "app", shows: theApps.ref},
		{name: "and_criteria", read: criteria("or_criteria"), needed: true},
		{name: "event", read: parts(field{name: "type", read: anyText, needed: true}), needed: true},
		{name: "action", needed: true, read: parts(
			field{name: "type", read: anyText, needed: true},
			field{name: "params", read: parts(field{name: "sender_name", read: anyText}, field{name: "value", read: anyText})},
			field{name: "delay", read: countText},
		)},
	},
	list: listing{object: "trigger_rule", nested: "rule_list"},
}

var presets = family{
	path: "trackingpresets", object: "tracking_preset_config", unique: "name",
	begin: func(*state) object { return object{"description": "", "applied": false, "enabled": true} },
	fields: []field{
		{name: "name", read: anyText, needed: true},
		{name: "description", read: anyText},
		{name: "applied", read: aFlag},
		{name: "enabled", read: aFlag},
		{name: "rule", needed: true, read: parts(ring("one"), ring("two"), ring("three"), ring("four"))},
	},
	check: applyAlone,
	list:  listing{object: "tracking_preset_config"},
}

// applyAlone lets no other preset be applied where one is.
func applyAlone(c *call, item object) error {
	if item["applied"] == true {
		for other := range c.documentsOf("trackingpresets").all() {
			other.members = other.members.with("applied", false)
		}
	}
	return nil
}

func ring(number string) field {
	return field{name: "ring_" + number, read: criteria("or_criteria"), needed: true}
}

var monitors = family{
	path: "chatmonitors", object: "chatmonitors",
	begin: func(*state) object {
		return object{"enabled": true, "stats": object{"chats_joined": "0", "chats_monitored": "0", "last_monitored_time": "-1"}}
	},
	fields: []field{
		{name: "enabled", read: aFlag},
		{name: "status", read: aFlag, as: "enabled"}, // So the text of the page has it.
		{name: "type", needed: true, read: word("operator", "visitor_ip", "visitor_email"), as: "-"},
		{name: "operator", read: theOperators.id, as: "monitoring", shows: monitored("operator")},
		{name: "visitor_ip", read: anyText, as: "monitoring", shows: monitored("visitor_ip")},
		{name: "visitor_email", read: anyText, as: "monitoring", shows: monitored("visitor_email")},
	},
	check: func(_ *call, item object) error {
		by, _ := item["type"].(string)
		if isEmpty(item[by]) {
			return missing(by)
		}
		return nil
	},
	list: listing{number: "index", size: 50, most: 50},
}

// monitored writes whom a monitor watches.
func monitored(by string) func(*state, any) any {
	return func(s *state, whom any) any {
		id, _ := whom.(string)
		operator, ok := s.operators.get(id)
		if by != "operator" || !ok {
			return object{"type": by, by: whom}
		}
		return object{"type": by, "operator_id": id, "operator_name": operator.Name, "operator_email": operator.Email}
	}
}

var blockedIPs = family{
	path: "blockedips", object: "list",
	begin: func(s *state) object {
		return object{"status": "blocked", "blocked_by": accountOwner, "comments": []object{}, "no_of_comments": "0", "modified_time": millis(s.now)}
	},
	fields: []field{
		{name: "ip", read: anAddress, needed: true},
		{name: "app_id", read: theApps.id, needed: true, as: "app", shows: theApps.ref},
		{name: "status", read: changeBlock},
	},
	list: listing{
		number: "index", first: 1, size: 20, most: 100,
		around: func(count int) object { return object{"url": "/api/v2/blockedips", "total": count} }, // Without the screen name, as the vendor has it.
	},
}

// anAddress is an IP address.
func anAddress(c *call, name string, before any, value json.RawMessage) (any, error) {
	text, err := anyText(c, name, before, value)
	if _, wrong := netip.ParseAddr(unquoted(value)); err == nil && wrong != nil {
		err = invalid(name, "must be an IP address")
	}
	return text, err
}

// blockStatuses are what actions make of a blocked IP.
var blockStatuses = map[string]string{"block": "blocked", "unblock": "unblocked", "approve": "blocked", "reject": "rejected"}

// changeBlock reads an action, or the status as it is.
func changeBlock(_ *call, name string, before any, value json.RawMessage) (any, error) {
	status, known := blockStatuses[unquoted(value)]
	switch {
	case known:
		return status, nil
	case isSame(before, value):
		return before, nil
	}
	return nil, invalid(name, "must be one of approve, block, reject, unblock")
}

// blockInput is an address to block.
type blockInput struct {
	IP      json.RawMessage `json:"ip"`
	Apps    []string        `json:"app_ids"`
	Comment string          `json:"comment"`
}

// blockIP makes one entry for each app.
func blockIP(c *call) (any, error) {
	var in blockInput
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	switch {
	case !c.body.sets("ip"):
		return nil, missing("ip")
	case !c.body.sets("app_ids"):
		in.Apps = c.brands.order
	case len(in.Apps) == 0:
		return nil, invalid("app_ids", "must name an app, or be left out for all of them")
	}
	for i, id := range in.Apps {
		if _, err := theApps.check(c.state, element("app_ids", i), id); err != nil {
			return nil, err
		}
	}
	var entries []object
	for _, app := range in.Apps {
		_, taken := c.documentsOf("blockedips").first(func(item *document) bool {
			return item.members["app_id"] == app && isSame(item.members["ip"], in.IP)
		})
		if taken {
			return nil, duplicate("blocked IP", "ip")
		}
	}
	for _, app := range in.Apps {
		one := *c
		one.body = members{"ip": in.IP, "app_id": quoted(app)}
		item, err := blockedIPs.write(&one, nil)
		if err != nil {
			return nil, err
		}
		if in.Comment != "" {
			comment := object{"operator_id": accountOwner, "text": in.Comment, "time": millis(c.now)}
			item.members = item.members.with("comments", []object{comment}).with("no_of_comments", "1")
		}
		entries = append(entries, blockedIPs.show(c.state, item))
	}
	return window(c, entries, 0, len(entries), object{"total": strconv.Itoa(len(entries))})
}

// setBlock answers as blockIP does.
func setBlock(c *call) (any, error) {
	item, err := c.documentsOf("blockedips").find(c.id)
	if err == nil {
		item, err = blockedIPs.write(c, item)
	}
	if err != nil {
		return nil, err
	}
	return window(c, []object{blockedIPs.show(c.state, item)}, 0, 1, object{"total": "1"})
}
