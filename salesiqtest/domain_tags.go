package salesiqtest

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// tag marks records. The specification knows its name alone, and so do chats and
// visitors.
type tag struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Color  string `json:"color"`
	Module string `json:"module"`

	archived bool
	modified time.Time
}

// The modules of tags: what they are for.
const (
	ofConversations = "conversations"
	ofVisitors      = "visitors"
	ofContacts      = "contacts"
	ofCompanies     = "companies"
)

var tagModules = []string{ofConversations, ofVisitors, ofContacts, ofCompanies}

func (s *state) checkTag(made *tag, sets func(string) bool) error {
	err := check(sets,
		requirement{"name", made.Name == "", ""},
		requirement{"color", made.Color == "", ""},
		isOneOf("module", made.Module, tagModules))
	if err != nil {
		return err
	}
	if s.tagNamed(made.Module, made.Name) != nil {
		return duplicate("tag", "name")
	}
	return nil
}

// tagChanged tells of tags that were made or deleted. There is no call that changes
// one.
func (s *state) tagChanged(before, after *tag) {
	if after == nil {
		for _, names := range s.namesIn(before.Module) {
			dropName(names, before.Name)
		}
		s.tellVendors("tag.deleted", before)
		return
	}
	s.tellVendors("tag.created", after)
}

func (s *state) tagNamed(module, name string) *tag {
	found, _ := s.tags.first(func(t *tag) bool { return t.Module == module && t.Name == name })
	return found
}

// nameTags makes tags of the names that chats and visitors have been given.
func (s *state) nameTags() {
	know := func(module string, names []string, at time.Time) {
		for _, name := range names {
			if s.tagNamed(module, name) == nil {
				id := fmt.Sprintf("tag%d", 101+len(s.tags.order))
				s.tags.put(id, &tag{ID: id, Name: name, Color: "#14532d", Module: module, modified: at})
			}
		}
	}
	for chat := range s.chats.all() {
		know(ofConversations, chat.Tags, chat.StartedAt)
	}
	for visitor := range s.visitors.all() {
		know(ofVisitors, visitor.Tags, visitor.FirstVisit)
	}
}

func (s *state) createTag(_ string, in tag) (*tag, error) {
	if in.ID != "" {
		return nil, invalid("id", cannotBeSet)
	}
	in.modified = s.now
	return s.tags.add(s, in)
}

// archiveTag keeps a tag from being given again. Records keep it.
func (s *state) archiveTag(id string) (*tag, error) {
	found, err := s.tags.find(id)
	if err != nil {
		return nil, err
	}
	found.archived, found.modified = true, s.now
	s.tellVendors("tag.updated", found)
	return found, nil
}

// namesOn finds the names of the tags of a record.
func (s *state) namesOn(module, id string) (*[]string, error) {
	switch module {
	case ofConversations:
		chat, err := s.chats.find(id)
		if err != nil {
			return nil, err
		}
		return &chat.Tags, nil
	case ofVisitors:
		visitor, err := s.visitors.find(id)
		if err != nil {
			return nil, err
		}
		return &visitor.Tags, nil
	}
	record := module + "/" + id
	_, known := s.visitors.first(func(v *salesiq.Visitor) bool {
		return module == ofContacts && v.ID == id && isContact(v) || module == ofCompanies && v.Company != "" && companyID(v.Company) == id
	})
	if !known {
		return nil, notFound(module, id)
	}
	if s.marked[record] == nil {
		s.marked[record] = &[]string{}
	}
	return s.marked[record], nil
}

// tagsOn returns the tags of a record.
func (s *state) tagsOn(module string, names []string) []*tag {
	found := []*tag{}
	for _, name := range names {
		if known := s.tagNamed(module, name); known != nil {
			found = append(found, known)
		}
	}
	return found
}

// addTags gives tags to a record, and tells which ids are of none that can be given.
func (s *state) addTags(module, id string, tagIDs []string) (added []*tag, failed []string, err error) {
	names, err := s.namesOn(module, id)
	if err != nil {
		return nil, nil, err
	}
	for _, tagID := range tagIDs {
		known, ok := s.tags.get(tagID)
		if !ok || known.archived || known.Module != module {
			failed = append(failed, tagID)
			continue
		}
		added = append(added, known)
		*names = addMissing(*names, known.Name)
	}
	return added, failed, nil
}

// removeTag takes a tag from a record, and returns those that it keeps.
func (s *state) removeTag(module, id, tagID string) ([]*tag, error) {
	names, err := s.namesOn(module, id)
	if err != nil {
		return nil, err
	}
	known, err := s.tags.find(tagID)
	if err != nil {
		return nil, err
	}
	if known.Module != module || !slices.Contains(*names, known.Name) {
		return nil, notFound("tag", tagID)
	}
	dropName(names, known.Name)
	return s.tagsOn(module, *names), nil
}

// namesIn finds the names of the tags of all records of a module.
func (s *state) namesIn(module string) (all []*[]string) {
	switch module {
	case ofConversations:
		for chat := range s.chats.all() {
			all = append(all, &chat.Tags)
		}
	case ofVisitors:
		for visitor := range s.visitors.all() {
			all = append(all, &visitor.Tags)
		}
	default:
		for record, names := range s.marked {
			if strings.HasPrefix(record, module) {
				all = append(all, names)
			}
		}
	}
	return all
}

// dropName leaves the list alone that names has been until now, since others may
// share it.
func dropName(names *[]string, name string) {
	*names = slices.DeleteFunc(slices.Clone(*names), func(other string) bool { return other == name })
}

// isContact tells contacts from leads: those who have come back are customers.
func isContact(visitor *salesiq.Visitor) bool { return slices.Contains(visitor.Tags, "returning") }

func visitorType(visitor *salesiq.Visitor) string {
	if isContact(visitor) {
		return "contact"
	}
	return "lead"
}

// companyID is the id of the company of visitors.
func companyID(name string) string { return fmt.Sprint("company", crc32.ChecksumIEEE([]byte(name))) }
