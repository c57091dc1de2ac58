package salesiqtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Documents are the objects that the live service alone has, and that no other
// object depends on: articles, rules, presets and the like. They are kept as its
// pages write them. A family is a kind of documents; live_families.go has them all.

// document is one such object.
type document struct {
	id      string
	members object // Never changed in place.
}

// family is what differs between kinds of documents.
type family struct {
	path   string // Of the list, below the portal's.
	scope  string // Where it is not the path.
	object string // What answers call one document.

	begin  func(s *state) object                          // Makes the members of a new one that no call sets.
	fields []field                                        // What calls set.
	unique string                                         // The member that no other may share; "" for none.
	check  func(c *call, item object) error               // Sees a document as it is to be.
	keep   func(c *call, item *document) error            // Refuses to remove one, or prepares that.
	heirs  bool                                           // configure_to names what takes the place of one that goes.
	ids    func(id string) any                            // How ids are written, if not as texts.
	order  func(position int) any                         // How positions are written; nil where there are none.
	seeds  func(s *state) (id []string, members []object) // What there is at the start.

	list listing
}

// listing is how a family is listed. The zero one is all at once.
type listing struct {
	object  string // What the answer calls it, if it is not a list.
	nested  string // The member of the data that holds the list, if that is not the data.
	number  string // The parameter that pages are told by: page, or index.
	first   int    // The index of the first item.
	size    int    // Of a page, if limit does not say.
	most    int    // That limit may say.
	oneMore bool   // A page that is not the last one has the first item of the next one, too.

	filters []filter
	sorts   []string               // What sort_by says: counts of uses, which all stay 0.
	beside  func(s *state) object  // What is beside the nested list.
	around  func(count int) object // What is beside the data.
}

// filter is a parameter that leaves documents out.
type filter struct {
	name    string
	allowed []string // Empty if it takes any value.
	holds   func(item *document, value string) bool
}

// field is a member that calls set.
type field struct {
	name   string
	read   kind
	needed bool
	as     string                        // The name in answers, if it is another one. "-" is for a member that they leave out.
	shows  func(s *state, value any) any // How answers write it, if it is not kept so.
}

// kind reads a value, and returns it as answers write it. Before is what the member
// is now.
type kind func(c *call, name string, before any, value json.RawMessage) (any, error)

// kept is the name that the value is kept under.
func (f *field) kept() string {
	if f.shows != nil || f.as == "-" {
		return f.name
	}
	return cmp.Or(f.as, f.name)
}

// Ids are numbers beyond what a float64 can hold.
func seedID(number int) string     { return strconv.FormatInt(910000000000000000+int64(number), 10) }
func documentID(serial int) string { return strconv.FormatInt(920000000000000000+int64(serial), 10) }

// documentsOf returns the documents of a family, by its path.
func (s *state) documentsOf(path string) *table[document] {
	if items, ok := s.documents[path]; ok {
		return items
	}
	items := &table[document]{rules: rules[document]{kind: path, id: func(item *document) *string { return &item.id }}}
	s.documents[path] = items
	if seeds := s.families[path].seeds; seeds != nil {
		ids, members := seeds(s)
		for i, id := range ids {
			items.put(id, &document{id, members[i]})
		}
	}
	return items
}

func (f *family) in(s *state) *table[document] { return s.documentsOf(f.path) }

// show is a document as answers write it.
func (f *family) show(s *state, item *document) object {
	out := maps.Clone(item.members)
	for i := range f.fields {
		field := &f.fields[i]
		if field.shows == nil && field.as != "-" {
			continue
		}
		value, there := out[field.name]
		delete(out, field.name)
		if there && field.as != "-" {
			out[cmp.Or(field.as, field.name)] = field.shows(s, value)
		}
	}
	if f.ids == nil {
		out["id"] = item.id
	} else {
		out["id"] = f.ids(item.id)
	}
	if f.order != nil {
		out["position"] = f.order(1 + slices.Index(f.in(s).order, item.id))
	}
	return out
}

// amend returns a copy of an object that a body has changed. Members that the
// service keeps may be sent back as shown, and members that it does not know are
// kept.
func (c *call) amend(before, shown object, fields []field, changes members, in string) (object, error) {
	after := maps.Clone(before)
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if at < 0 {
			if err := checkOther(shown, fields, name, in+name, changes[name]); err != nil {
				return nil, err
			}
			if _, known := shown[name]; !known {
				after[name] = changes[name]
			}
			continue
		}
		kept := fields[at].kept()
		value, err := fields[at].read(c, in+name, before[kept], changes[name])
		if err != nil {
			return nil, err
		}
		after[kept] = value
	}
	for i := range fields {
		if fields[i].needed && isEmpty(after[fields[i].kept()]) {
			return nil, missing(in + fields[i].name)
		}
	}
	return after, nil
}

// checkOther refuses another value of a member that the service keeps, and another
// spelling of a field.
func checkOther(shown object, fields []field, name, path string, value json.RawMessage) error {
	if known, ok := shown[name]; ok {
		if !isSame(known, value) {
			return invalid(path, cannotBeSet)
		}
		return nil
	}
	for i := range fields {
		if sameButForSpelling(fields[i].name, name) {
			return invalid(path, "must be spelled "+fields[i].name)
		}
	}
	return nil
}

func isEmpty(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
}

// isSame reports whether a value would be written as the other one is.
func isSame(value any, written json.RawMessage) bool {
	return reflect.DeepEqual(rewrite[any](value), rewrite[any](written))
}

// write makes a document of a body, or changes one. A nil item is for a new one.
func (f *family) write(c *call, item *document) (*document, error) {
	now := item
	if now == nil {
		now = &document{members: object{}}
		if f.begin != nil {
			now.members = f.begin(c.state)
		}
	}
	changes, items := maps.Clone(c.body), f.in(c.state)
	position, err := f.takePosition(c, item, changes)
	if err != nil {
		return nil, err
	}
	after, err := c.amend(now.members, f.show(c.state, now), f.fields, changes, "")
	if err != nil {
		return nil, err
	}
	if _, taken := items.first(func(other *document) bool {
		return f.unique != "" && other != item && other.members[f.unique] == after[f.unique]
	}); taken {
		return nil, duplicate(f.object, f.unique)
	}
	if f.check != nil {
		if err := f.check(c, after); err != nil {
			return nil, err
		}
	}
	if item == nil {
		c.serial++
		now.id = documentID(c.serial)
		items.put(now.id, now)
	} else if at, timed := after["modified_time"]; timed {
		after["modified_time"] = millisLike(at, c.now)
	}
	now.members = after
	if position > 0 {
		at := slices.Index(items.order, now.id)
		items.order = slices.Insert(slices.Delete(items.order, at, at+1), position-1, now.id)
	}
	return now, nil
}

// takePosition takes the position out of what changes a document. It is 0 where
// there is none.
func (f *family) takePosition(c *call, item *document, changes members) (int, error) {
	const name = "position"
	value := changes[name]
	if f.order == nil || item == nil || value == nil {
		return 0, nil
	}
	delete(changes, name)
	last := len(f.in(c.state).order)
	position, err := strconv.Atoi(unquoted(value))
	if err != nil || position < 1 || position > last {
		return 0, invalid(name, fmt.Sprintf("must be a number from 1 to %d", last))
	}
	return position, nil
}

// millisLike writes a time as another one is written: as a text or as a number.
func millisLike(other any, t time.Time) any {
	if _, isText := other.(string); isText {
		return millis(t)
	}
	return t.UnixMilli()
}

// documentCall is a call that families have.
type documentCall struct {
	method, tail, scope string
	answers             bool // It answers with the document.
	handle              func(f *family) handler
}

// query are the parameters of the call, as a route has them.
func (call *documentCall) query(f *family) string {
	if f.heirs && call.method == http.MethodDelete {
		return heirParameter
	}
	if call.tail != "" || call.method != http.MethodGet {
		return ""
	}
	names := []string{f.list.number}
	if f.list.size > 0 {
		names = append(names, "limit")
	}
	if len(f.list.sorts) > 0 {
		names = append(names, "sort_by", "order")
	}
	for _, filter := range f.list.filters {
		names = append(names, filter.name)
	}
	return strings.Join(names, " ")
}

var (
	listDocuments  = documentCall{method: http.MethodGet, scope: "READ", answers: true, handle: (*family).listed}
	createDocument = documentCall{method: http.MethodPost, scope: "CREATE", answers: true, handle: func(f *family) handler {
		return func(c *call) (any, error) { return f.answer(c)(f.write(c, nil)) }
	}}
	getDocument = documentCall{method: http.MethodGet, tail: "/{id}", scope: "READ", answers: true, handle: func(f *family) handler {
		return func(c *call) (any, error) { return f.answer(c)(f.in(c.state).find(c.id)) }
	}}
	updateDocument = documentCall{method: http.MethodPut, tail: "/{id}", scope: "UPDATE", answers: true, handle: func(f *family) handler {
		return func(c *call) (any, error) {
			item, err := f.in(c.state).find(c.id)
			if err != nil {
				return nil, err
			}
			return f.answer(c)(f.write(c, item))
		}
	}}
	deleteDocument = documentCall{method: http.MethodDelete, tail: "/{id}", scope: "DELETE", handle: func(f *family) handler {
		return func(c *call) (any, error) {
			item, err := f.in(c.state).find(c.id)
			if err == nil && f.keep != nil {
				err = f.keep(c, item)
			}
			if err != nil {
				return nil, err
			}
			return nil, f.in(c.state).remove(c.id)
		}
	}}
)

// answer shows a document.
func (f *family) answer(c *call) func(*document, error) (any, error) {
	return func(item *document, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return f.show(c.state, item), nil
	}
}

// routes are the calls that a family has.
func (f *family) routes(calls ...documentCall) []route {
	var routes []route
	for _, call := range calls {
		route := route{
			pattern: call.method + " " + livePath + "/" + f.path + call.tail, handle: call.handle(f),
			scope: "SalesIQ." + cmp.Or(f.scope, f.path) + "." + call.scope, query: call.query(f),
		}
		if call.answers {
			route.object = f.object
		}
		routes = append(routes, route)
	}
	return routes
}

func (f *family) listed() handler {
	return func(c *call) (any, error) {
		items := f.in(c.state).matching(nil)
		for _, filter := range f.list.filters {
			value := c.query.text(filter.name)
			if len(filter.allowed) > 0 {
				value = oneOf(&c.query, filter.name, filter.allowed)
			}
			if value != "" {
				items = slices.DeleteFunc(items, func(item *document) bool { return !filter.holds(item, value) })
			}
		}
		f.list.sort(c, items)
		shown := []object{}
		for _, item := range items {
			shown = append(shown, f.show(c.state, item))
		}
		return f.list.answer(c, shown)
	}
}

// sort puts documents into the order that a call asks for.
func (l *listing) sort(c *call, items []*document) {
	if len(l.sorts) == 0 {
		return
	}
	oneOf(&c.query, "sort_by", l.sorts)
	if oneOf(&c.query, "order", []string{"ascending", "descending"}) == "descending" {
		slices.Reverse(items)
	}
}

// answer is a list, or a page of one.
func (l *listing) answer(c *call, items []object) (any, error) {
	if l.nested != "" || l.object != "" {
		var data any = items
		if l.nested != "" {
			nesting := object{l.nested: items}
			if l.beside != nil {
				maps.Copy(nesting, l.beside(c.state))
			}
			data = nesting
		}
		return &reply{http.StatusOK, object{"url": c.url, "object": cmp.Or(l.object, "list"), "data": data}}, nil
	}
	from, size := 0, len(items)
	if l.size > 0 {
		size = c.query.number("limit", l.size, 1, l.most)
		from = c.query.number(l.number, l.first, 0, endlessly) - l.first
		if l.number == "page" {
			from = (c.query.number("page", 1, 1, endlessly) - 1) * size
		}
	}
	if l.oneMore {
		size++
	}
	var around object
	if l.around != nil {
		around = l.around(len(items))
	}
	return window(c, items, from, size, around)
}

// single is an object that there is one of, such as the settings of a family.
type single struct {
	path, scope, object string

	begin  func(s *state) object
	fields []field
}

func (f *single) of(s *state) object {
	if s.singles[f.path] == nil {
		s.singles[f.path] = f.begin(s)
	}
	return s.singles[f.path]
}

// routes read it, and change it below another path.
func (f *single) routes(changed string) []route {
	return []route{
		{pattern: "GET " + livePath + "/" + f.path, scope: "SalesIQ." + f.scope + ".READ", object: f.object, handle: func(c *call) (any, error) {
			return f.of(c.state), nil
		}},
		{pattern: "PUT " + livePath + "/" + f.path + changed, scope: "SalesIQ." + f.scope + ".UPDATE", handle: func(c *call) (any, error) {
			if !slices.ContainsFunc(f.fields, func(field field) bool { return c.body.sets(field.name) }) {
				return nil, missing(f.fields[0].name)
			}
			after, err := c.amend(f.of(c.state), f.of(c.state), f.fields, c.body, "")
			if err == nil {
				c.singles[f.path] = after
			}
			return nil, err
		}},
	}
}

// The kinds of values follow.

func anyText(_ *call, name string, _ any, value json.RawMessage) (any, error) {
	var text *string
	if err := json.Unmarshal(value, &text); err != nil || text == nil {
		return nil, wrongType(name, "must be a text")
	}
	return *text, nil
}

// word is a text that is one of some.
func word(allowed ...string) kind {
	return func(c *call, name string, before any, value json.RawMessage) (any, error) {
		text, err := anyText(c, name, before, value)
		if err == nil && !slices.Contains(allowed, text.(string)) { //nolint:forcetypeassert // It is what the kind returns.
			err = invalid(name, "must be one of "+join(allowed))
		}
		return text, err
	}
}

// scalarWord is word for words that may lack their quotes.
func scalarWord(allowed ...string) kind {
	return scalar("one of "+join(allowed), func(text string) (any, bool) { return text, slices.Contains(allowed, text) })
}

// scalar is a value that the pages write with quotes or without.
func scalar(what string, read func(text string) (value any, ok bool)) kind {
	return func(_ *call, name string, _ any, value json.RawMessage) (any, error) {
		if read, ok := read(unquoted(bytes.TrimSpace(value))); ok {
			return read, nil
		}
		return nil, wrongType(name, "must be "+what)
	}
}

// flagAs writes a truth value in its own way.
func flagAs(write func(bool) any) kind {
	return scalar("true or false", func(text string) (any, bool) {
		switch text {
		case "true", "True":
			return write(true), true
		case "false", "False":
			return write(false), true
		}
		return nil, false
	})
}

// countOf is a number of at least 0, written in its own way.
func countOf(write func(int) any) kind {
	return scalar("a number that is not negative", func(text string) (any, bool) {
		n, err := strconv.Atoi(text)
		return write(n), err == nil && n >= 0
	})
}

func asIs[T any](value T) any   { return value }
func asText[T any](value T) any { return fmt.Sprint(value) }
func asNumber(id string) any    { return json.RawMessage(id) }
func asSwitch(on bool) any      { return map[bool]string{true: "enabled", false: "disabled"}[on] }

var (
	aFlag     = flagAs(asIs[bool])
	flagText  = flagAs(asText[bool])
	countText = countOf(asText[int])
	aSwitch   = word("enabled", "disabled")
)

// list is a list of values of one kind.
func listOf(one kind) kind {
	return func(c *call, name string, _ any, value json.RawMessage) (any, error) {
		var values []json.RawMessage
		if err := json.Unmarshal(value, &values); err != nil || values == nil {
			return nil, wrongType(name, "must be a list")
		}
		out := []any{}
		for i := range values {
			read, err := one(c, element(name, i), nil, values[i])
			if err != nil {
				return nil, err
			}
			out = append(out, read)
		}
		return out, nil
	}
}

// parts is an object with fields of its own.
func parts(fields ...field) kind {
	return func(c *call, name string, before any, value json.RawMessage) (any, error) {
		if !isObject(value) {
			return nil, wrongType(name, "must be an object")
		}
		now, _ := before.(object)
		if now == nil {
			now = object{}
		}
		return c.amend(now, now, fields, rewrite[members](value), name+".")
	}
}

// criteria are conditions that all hold if any criterion of each does.
func criteria(anyOf string) kind {
	return listOf(parts(field{name: anyOf, needed: true, read: listOf(parts(
		field{name: "field_name", needed: true, read: anyText},
		field{name: "comparator", needed: true, read: word(comparators...)},
		field{name: "values", read: listOf(anyText)},
	))}))
}

// directory finds the name of an object by its id.
type directory struct {
	what   string
	number int // The vendor's, for an id that is of none.
	find   func(s *state, id string) (name string, ok bool)
}

// nameIn finds names in a table.
func nameIn[T any](of func(*state) *table[T], nameOf func(*T) string) func(*state, string) (string, bool) {
	return func(s *state, id string) (string, bool) {
		item, ok := of(s).get(id)
		if !ok {
			return "", false
		}
		return nameOf(item), true
	}
}

func aDepartment(s *state, id string) (string, bool) {
	department, ok := s.department(id)
	return department.Name, ok
}

var (
	theApps        = directory{"an app", 1019, nameIn(brands, func(b *salesiq.Brand) string { return b.Name })}
	theDepartments = directory{"a department", 1025, aDepartment}
	theOperators   = directory{"an operator", 1024, nameIn(operators, func(o *salesiq.Operator) string { return o.Name })}
)

// documentsAt is the directory of a family, whose documents have names.
func documentsAt(path, what string) directory {
	documents := func(s *state) *table[document] { return s.documentsOf(path) }
	return directory{what, 1019, nameIn(documents, func(item *document) string {
		name, _ := item.members["name"].(string)
		return name
	})}
}

// id reads the id of an object that there is.
func (d directory) id(c *call, name string, _ any, value json.RawMessage) (any, error) {
	return d.check(c.state, name, unquoted(value))
}

func (d directory) check(s *state, name, id string) (string, error) {
	if _, ok := d.find(s, id); !ok {
		refused := invalid(name, "is not the id of "+d.what)
		refused.number = d.number
		return "", refused
	}
	return id, nil
}

// ref writes an id with the name.
func (d directory) ref(s *state, id any) any {
	text, _ := id.(string)
	name, _ := d.find(s, text)
	return ref(text, name)
}

// refs writes ids with the names.
func (d directory) refs(s *state, ids any) any {
	list, _ := ids.([]any)
	refs := []any{}
	for _, id := range list {
		refs = append(refs, d.ref(s, id))
	}
	return refs
}

// with returns a copy that has a member, too.
func (o object) with(name string, value any) object {
	changed := maps.Clone(o)
	changed[name] = value
	return changed
}

// quoted writes a text.
func quoted(text string) json.RawMessage { return strconv.AppendQuote(nil, text) }

// creator is who has made a document.
func creator() object { return object{"id": accountOwner} }

// firstApp is the app of what is made without one.
func (s *state) firstApp() *salesiq.Brand {
	brand, _ := s.brands.first(func(*salesiq.Brand) bool { return true })
	return brand
}
