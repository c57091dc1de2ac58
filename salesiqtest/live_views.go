package salesiqtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/salesiq-go/salesiq"
)

// The views of the visitor history, and what they show.

var historyViews = family{
	path: "visitorhistoryviews", object: "visitorhistoryview",
	begin: func(s *state) object { return historyView(s, false, nil) },
	fields: []field{
		{name: "name", read: anyText, needed: true},
		{name: "and_criteria", read: criteria("or_criteria"), needed: true},
		{name: "sort_by", read: word(slices.Sorted(maps.Keys(viewOrders))...)},
		{name: "favourited", read: aFlag},
	},
	check: func(c *call, item object) error {
		if err := keepSystem(c, &document{c.id, item}); err != nil {
			return err
		}
		return eachCriterion(item, checkViewField)
	},
	keep: keepSystem,
	list: listing{object: "visitorhistoryviews"},
	seeds: func(s *state) ([]string, []object) {
		all := historyView(s, true, condition("visitor_type", "is_equal_to", "all"))
		returning := historyView(s, true, condition("number_of_visits", "greater_than", "1"))
		all["name"], returning["name"] = "All visitors", "Returning visitors"
		return []string{"-1", "-2"}, []object{all, returning}
	},
}

func historyView(s *state, system bool, criteria any) object {
	return object{
		"sort_by": "last_visit_time", "favourited": false, "system": system, "and_criteria": criteria,
		"creator": creator(), "modified_time": s.now.UnixMilli(),
	}
}

// condition is a single criterion.
func condition(name, comparator, value string) []any {
	return []any{object{"or_criteria": []any{object{"field_name": name, "comparator": comparator, "values": []any{value}}}}}
}

// keepSystem refuses to change the views that the service has of its own.
func keepSystem(_ *call, item *document) error {
	if item.members["system"] == true {
		return refuse(salesiq.ErrPermissionDenied, "the view is the service's own", details{"id": item.id})
	}
	return nil
}

// checkViewField takes the fields that the call about them names, and those of
// integrations.
func checkViewField(path string, criterion object) error {
	published := slices.ContainsFunc(criteriaFields["visitorhistory"], func(known object) bool {
		return known["field_name"] == criterion["field_name"]
	})
	if !published && criterion["integ_name"] == nil {
		return invalid(path+".field_name", "must be one of the visitor history's criteria fields")
	}
	return nil
}

// conditionsOf are the criteria of each condition of a view.
func conditionsOf(view object) (conditions [][]object) {
	all, _ := view["and_criteria"].([]any)
	for _, one := range all {
		condition, _ := one.(object)
		anyOf, _ := condition["or_criteria"].([]any)
		criteria := []object{}
		for _, criterion := range anyOf {
			known, _ := criterion.(object)
			criteria = append(criteria, known)
		}
		conditions = append(conditions, criteria)
	}
	return conditions
}

// eachCriterion calls check for each criterion of a view, with its path.
func eachCriterion(view object, check func(path string, criterion object) error) error {
	for i, criteria := range conditionsOf(view) {
		for j, criterion := range criteria {
			if err := check(fmt.Sprintf("and_criteria[%d].or_criteria[%d]", i, j), criterion); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparisons are what comparators say of what is known and what is asked for. The
// others are in denials.
var comparisons = map[string]func(known, asked string) bool{
	"is": isOption, "is_equal_to": isOption, "matches": isOption,
	"begins_with": strings.HasPrefix, "ends_with": strings.HasSuffix, "contains": strings.Contains,
	"greater_than": func(known, asked string) bool { return number(known) > number(asked) },
	"less_than":    func(known, asked string) bool { return number(known) < number(asked) },
}

// denials are the comparators that hold where another one does not.
var denials = map[string]string{"is_not": "is", "not_equals": "is_equal_to", "not_contains": "contains", "not_matches": "matches"}

// comparators are those of the vendor's pages.
var comparators = slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(comparisons)), maps.Keys(denials))))

// isOption reports whether a value is an option of the vendor's pages, such as
// google_chrome for Chrome 140.0.
func isOption(known, asked string) bool {
	words := strings.FieldsFunc(known, func(r rune) bool { return unicode.IsSpace(r) || r == '_' })
	if last := len(words) - 1; last > 0 && unicode.IsDigit(rune(words[last][0])) {
		words = words[:last]
	}
	name := strings.Join(words, "_")
	return known == asked || name == asked || strings.HasSuffix(asked, "_"+name)
}

func number(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) //nolint:errcheck // Nothing is 0.
	return n
}

// shows reports whether a visitor is in a view: any criterion holds of each
// condition. Letters count without their case.
func (s *state) shows(view object, visitor *salesiq.Visitor) bool {
	traits := s.traits(visitor)
	for _, criteria := range conditionsOf(view) {
		if !slices.ContainsFunc(criteria, func(criterion object) bool { return isTrue(criterion, traits) }) {
			return false
		}
	}
	return true
}

// isTrue reports whether a criterion holds for any of its values.
func isTrue(criterion object, traits map[string][]string) bool {
	field, _ := criterion["field_name"].(string)
	comparator, _ := criterion["comparator"].(string)
	asked, _ := criterion["values"].([]any)
	denied, denies := denials[comparator]
	compare := comparisons[cmp.Or(denied, comparator)]
	return denies != slices.ContainsFunc(asked, func(value any) bool {
		text, _ := value.(string)
		return slices.ContainsFunc(traits[field], func(known string) bool { return compare(strings.ToLower(known), strings.ToLower(text)) })
	})
}

// traits are what is known of a visitor, by the fields of criteria. Of regions and
// campaigns nothing is known.
func (s *state) traits(visitor *salesiq.Visitor) map[string][]string {
	past := s.chats.matching(func(chat *salesiq.Chat) bool {
		return chat.VisitorID == visitor.ID && (chat.Status == salesiq.ChatEnded || chat.Status == salesiq.ChatMissed)
	})
	return map[string][]string{
		"visitor_type": {"all", visitorType(visitor)}, "email": {visitor.Email}, "leadscore": {strconv.Itoa(visitor.LeadScore)},
		"number_of_visits": {strconv.Itoa(visitor.TotalVisits)}, "number_of_past_chats": {strconv.Itoa(len(past))},
		"browser": {visitor.Browser}, "operating_system": {visitor.Platform}, "country": {visitor.Country},
		"referer": {visitor.Referrer}, "landing_page_url": {visitor.LandingPage},
	}
}

// viewOrders are what views can be sorted by. The most comes first.
var viewOrders = map[string]func(*state, *salesiq.Visitor) int64{
	"frequency":       func(_ *state, visitor *salesiq.Visitor) int64 { return int64(visitor.TotalVisits) },
	"leadscore":       func(_ *state, visitor *salesiq.Visitor) int64 { return int64(visitor.LeadScore) },
	"last_visit_time": func(_ *state, visitor *salesiq.Visitor) int64 { return visitor.LastVisit.UnixMilli() },
	"time_on_site":    func(s *state, visitor *salesiq.Visitor) int64 { return s.timeOnSite(visitor).Milliseconds() },
}

// showView answers with the visitors of a view. A key is there while there is more.
func showView(c *call) (any, error) {
	from := 0
	if key := c.query.text("startkey"); key != "" {
		_, number, _ := strings.Cut(key, "-")
		var err error
		if from, err = strconv.Atoi(number); err != nil || from < 1 {
			c.query.fail("startkey", "must be one of an answer")
		}
		from--
	}
	view, ok := c.documentsOf("visitorhistoryviews").get(c.id)
	if !ok {
		refused := notFound("view", c.id)
		refused.number = 2210
		return nil, refused
	}
	if c.query.err != nil {
		return nil, c.query.err
	}
	found := c.visitors.matching(func(visitor *salesiq.Visitor) bool { return c.shows(view.members, visitor) })
	by, _ := view.members["sort_by"].(string)
	slices.SortStableFunc(found, func(a, b *salesiq.Visitor) int {
		return cmp.Compare(viewOrders[by](c.state, b), viewOrders[by](c.state, a))
	})
	from = min(from, len(found))
	end := min(from+liveLegacyPage, len(found))
	list := []object{}
	for _, visitor := range found[from:end] {
		list = append(list, c.legacyVisitor(visitor))
	}
	data := object{"visitorlist": list}
	if end < len(found) {
		data["startkey"] = fmt.Sprintf("1207-%d", end+1)
	}
	return data, nil
}
