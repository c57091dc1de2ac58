package salesiqtest

import (
	"encoding/json"
	"strings"
	"time"
)

// criteriaFields are those of the vendor's pages, by the last part of the path.
var criteriaFields = map[string][]object{
	"visitorhistory": {
		criteriaField("visitor_type", "options", "user_values"), criteriaField("email", "string", "user_values"),
		criteriaField("leadscore", "count", "user_values"), criteriaField("number_of_visits", "count", "user_values"),
		criteriaField("number_of_past_chats", "count", "user_values"), criteriaField("browser", "options", "technology"),
		criteriaField("operating_system", "options", "technology"), criteriaField("country", "options", "general"),
		criteriaField("region", "options", "general"), criteriaField("referer", "string", "website_values"),
		criteriaField("landing_page_url", "string", "website_values"), criteriaField("campaign_source", "string", "website_values"),
	},
	"visitorrouting": {
		criteriaField("visitor_type", "options", "user_values"), criteriaField("email", "string", "user_values"),
		criteriaField("country", "options", "general"), criteriaField("region", "options", "general"),
		criteriaField("landing_page_url", "string", "website_values"),
	},
	"trackingpresets": {
		criteriaField("visitor_type", "options", "user_values"), criteriaField("leadscore", "count", "user_values"),
		criteriaField("number_of_visits", "count", "user_values"), criteriaField("triggered_action", "options", "website_values"),
	},
}

func criteriaField(name, dataType, group string) object {
	return object{"field_name": name, "datatype": dataType, "group_name": group}
}

func listCriteriaFields(family string) handler {
	return func(*call) (any, error) { return object{"fields": criteriaFields[family]}, nil }
}

// The lists of the visitor history, and the view that each shows at first.
var historyLists = map[string]string{"list_one": "-1", "list_two": "-2", "list_three": "-1"}

// preferences are what the signed-in operator has chosen.
func preferences(c *call) (any, error) {
	lists, applied := object{}, object{}
	for name, view := range historyLists {
		if chosen, ok := c.singles["userpreferences"][name].(string); ok {
			view = chosen
		}
		title, ok := theHistoryViews.find(c.state, view)
		if !ok {
			view = "-1" // The one that was chosen is gone.
			title, _ = theHistoryViews.find(c.state, view)
		}
		lists[name] = object{"view_id": view, "view_name": title}
	}
	if preset, ok := c.documentsOf("trackingpresets").first(func(item *document) bool { return item.members["applied"] == true }); ok {
		applied["applied_preset"] = c.families["trackingpresets"].show(c.state, preset)
	}
	return object{"visitorhistoryviews": lists, "tracking": applied}, nil
}

// selectView chooses a view for a list.
func selectView(c *call) (any, error) {
	in, err := c.amend(object{}, object{}, []field{
		{name: "list_name", read: word("list_one", "list_two", "list_three"), needed: true},
		{name: "view_id", read: theHistoryViews.id, needed: true},
	}, c.body, "")
	if err != nil {
		return nil, err
	}
	list, _ := in["list_name"].(string)
	chosen := c.singles["userpreferences"]
	if chosen == nil {
		chosen = object{}
	}
	c.singles["userpreferences"] = chosen.with(list, in["view_id"])
	return nil, nil
}

const maxEncryptions = 20

// encrypt encrypts what identifies visitors.
func encrypt(c *call) (any, error) {
	in, err := c.amend(object{}, object{}, []field{
		{name: "type", read: word("siqidentifiers"), needed: true},
		{name: "values", read: listOf(anyText), needed: true},
	}, c.body, "")
	if err != nil {
		return nil, err
	}
	values, _ := in["values"].([]any)
	if len(values) > maxEncryptions {
		return nil, invalid("values", "must be at most twenty")
	}
	var encrypted []object
	for i, value := range values {
		text, _ := value.(string)
		text = strings.TrimSpace(text)
		if text == "" {
			return nil, missing(element("values", i))
		}
		encrypted = append(encrypted, object{"encrypted_value": "siq" + digest("identifier", text)})
	}
	return window(c, encrypted, 0, len(encrypted), nil)
}

// callback is a request of a bot that it may answer later.
type callback struct {
	began    time.Time
	answered bool

	talk *talk // Nil for a request that we have not made.
	call *botCall
}

// answerLater takes what a bot says later. The journal shows it to tests. Where no bot is
// connected, any request is taken for one that has been answered "pending".
func answerLater(answers bool, fields ...field) handler {
	return func(c *call) (any, error) {
		request := c.callbacks[c.id]
		if request != nil && request.talk != nil {
			return nil, c.callBack(request.talk, request.call, answers, fields)
		}
		if _, err := c.amend(object{}, object{}, fields, c.body, ""); err != nil {
			return nil, err
		}
		switch {
		case c.bot != nil:
			return nil, notFound("request", c.id)
		case request == nil:
			request = &callback{began: c.now}
			c.callbacks[c.id] = request
		case request.answered || c.now.Sub(request.began) > callbackLimit:
			return nil, notFound("pending request", c.id)
		}
		request.answered = answers
		return nil, nil
	}
}

// progressFields and responseFields are what a bot may say.
var (
	progressFields = []field{{name: "text", read: anyText, needed: true}}
	responseFields = []field{
		{name: "action", read: word("reply", "forward", "context", "pending", "operator_busy", "block", "end"), needed: true},
		{name: "replies", read: replies, needed: true},
	}
)

// replies are texts or cards.
func replies(_ *call, name string, _ any, value json.RawMessage) (any, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(value, &all); err != nil || all == nil {
		return nil, wrongType(name, "must be a list")
	}
	for i := range all {
		if !isObject(all[i]) && !strings.HasPrefix(string(all[i]), `"`) {
			return nil, wrongType(element(name, i), "must be a text or an object")
		}
	}
	return value, nil
}
