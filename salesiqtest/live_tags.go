package salesiqtest

import "net/http"

// idList is a body that is a list of ids.
type idList struct {
	IDs []string `json:"ids"`
}

// tagStatuses are the vendor's words for whether a tag is archived. One is spelled
// as the vendor does.
var tagStatuses = map[bool]string{false: "unarchived", true: "achived"} //nolint:misspell // The vendor's word.

// liveTag is a tag as the live service writes one.
func (s *state) liveTag(tag *tag) object {
	modifier, modified := s.owner(), millis(tag.modified)
	modifier["modified_time"] = modified
	return object{
		"id": tag.ID, "name": tag.Name, "color": tag.Color, "module": tag.Module, "archived": tag.archived, "status": tagStatuses[tag.archived],
		"modified_time": modified, "modifier": modifier,
	}
}

func (s *state) liveTags(tags []*tag) []object {
	shown := []object{}
	for _, tag := range tags {
		shown = append(shown, s.liveTag(tag))
	}
	return shown
}

func listTags(c *call) (any, error) {
	module := oneOf(&c.query, "module", tagModules)
	found := c.tags.matching(func(tag *tag) bool { return passes(module, tag.Module) })
	return window(c, found, 0, len(found), object{"object": c.route.object})
}

// tagRecord tells which tags could not be given. The call succeeds all the same.
func tagRecord(module string) handler {
	return act(func(s *state, id string, in idList) (object, error) {
		if len(in.IDs) == 0 {
			return nil, missing("ids")
		}
		added, failed, err := s.addTags(module, id, in.IDs)
		if err != nil {
			return nil, err
		}
		return object{"associated_tags": s.liveTags(added), "failed_tag_ids": append([]string{}, failed...)}, nil
	})
}

func untagRecord(module string) handler {
	return func(c *call) (any, error) {
		tagID := c.query.text("id")
		if tagID == "" {
			c.query.fail("id", "is required")
			return nil, c.query.err
		}
		return c.removeTag(module, c.id, tagID)
	}
}

// tagRoutes are the calls about the tags of records. No page names the scope for
// contacts.
func tagRoutes() (all []route) {
	for _, module := range tagModules {
		pattern, scope := livePath+"/"+module+"/{id}/tags", "SalesIQ."+module+"."
		all = append(all,
			route{pattern: http.MethodPut + " " + pattern, scope: scope + "UPDATE", handle: tagRecord(module), object: "tag_ids_list"},
			route{pattern: http.MethodDelete + " " + pattern, scope: scope + "DELETE", handle: untagRecord(module), object: "tags_ids_list", query: "id"})
	}
	return all
}
