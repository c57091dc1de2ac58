package salesiqtest

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// liveVisitor is a visitor as version 3 of the API writes one.
func (s *state) liveVisitor(visitor *salesiq.Visitor) object {
	return object{
		"id": visitor.ID, "name": visitor.Name, "email": visitor.Email, "country": visitor.Country, "lead_score": visitor.LeadScore,
		"visit_source": cmp.Or(visitor.Referrer, "Direct"), "visit_count": visitor.TotalVisits,
		"first_accessed_time": millis(visitor.FirstVisit), "last_accessed_time": millis(visitor.LastVisit),
	}.without("email")
}

// liveVisitorDetails tells of the company as well, which tags can be given to.
func (s *state) liveVisitorDetails(visitor *salesiq.Visitor) object {
	out := s.liveVisitor(visitor)
	if visitor.Company != "" {
		out["company"] = ref(companyID(visitor.Company), visitor.Company)
	}
	return out
}

// createLiveVisitor makes a visitor of fields that no page describes: those of the
// specification's visitors are taken.
func (s *state) createLiveVisitor(_ string, in salesiq.Visitor) (*salesiq.Visitor, error) {
	if in.ID != "" {
		return nil, invalid("id", cannotBeSet)
	}
	in.ID, in.FirstVisit, in.LastVisit = s.newID(visitorPrefix), s.now, s.now
	in.Status, in.ChatStatus = salesiq.VisitorOffline, salesiq.VisitorChatAvailable
	s.visitors.put(in.ID, &in)
	s.visitorChanged(&salesiq.Visitor{}, &in)
	return &in, nil
}

// moment is something that happened at a time.
type moment struct {
	at    time.Time
	shown object
}

// keyed lists what happened after next_key, oldest first, or before prev_key, newest
// first. A page does not end between two of the same moment. The address has no
// screen name in it, as the vendor has it.
func keyed(all func(*state) []moment) handler {
	return func(c *call) (any, error) {
		p := &c.query
		after, before := p.milli("next_key"), p.milli("prev_key")
		limit := p.number("limit", liveVisitorPage, 1, liveVisitorPage)
		if !after.IsZero() && !before.IsZero() {
			p.fail("prev_key", "cannot be used together with next_key")
		}
		found := slices.DeleteFunc(all(c.state), func(m moment) bool {
			return !m.at.After(after) || !before.IsZero() && !m.at.Before(before)
		})
		slices.SortStableFunc(found, func(a, b moment) int { return a.at.Compare(b.at) })
		if !before.IsZero() {
			slices.Reverse(found)
		}
		for limit < len(found) && found[limit].at.Equal(found[limit-1].at) {
			limit++
		}
		shown := make([]object, len(found))
		for i, m := range found {
			shown[i] = m.shown
		}
		keys := object{"url": strings.Replace(c.url, "/"+Portal, "", 1)}
		if end := min(limit, len(found)); end > 0 {
			key := millis(found[end-1].at)
			keys["next_key"], keys["prev_key"] = key, key
		}
		return window(c, shown, 0, limit, keys)
	}
}

func (s *state) visitorMoments() (all []moment) {
	for visitor := range s.visitors.all() {
		all = append(all, moment{visitor.LastVisit, s.liveVisitor(visitor)})
	}
	return all
}

// visitID is the number of a visit, or of something else that has a name here.
func visitID(name string) string { return fmt.Sprint(crc32.ChecksumIEEE([]byte(name))) }

// visitMoments are the visits of all visitors. No page shows one: the fields are
// those of events.
func (s *state) visitMoments() (all []moment) {
	for visitor := range s.visitors.all() {
		for _, session := range s.sessions[visitor.ID] {
			all = append(all, moment{session.StartedAt, object{
				"uvid": visitor.ID, "visit_id": visitID(session.ID), "time": millis(session.StartedAt),
				"time_spent": durationText(session.Duration.Duration()),
			}})
		}
	}
	return all
}

func (s *state) visitorEventMoments() (all []moment) {
	for visitor := range s.visitors.all() {
		for _, session := range s.sessions[visitor.ID] {
			for i, page := range session.Pages {
				all = append(all, moment{page.VisitedAt, object{
					"uuid": fmt.Sprintf("%s_%d", visitor.ID, i+1), "uvid": visitor.ID, "visit_id": visitID(session.ID),
					"event": "PAGE_ACCESS", "url": page.URL, "time": millis(page.VisitedAt),
					"time_spent": durationText(page.TimeSpent.Duration()),
				}})
			}
		}
	}
	return all
}

// smiley is the verdict that a rating is.
func smiley(rating int) string {
	switch {
	case rating >= 4:
		return "happy"
	case rating == 3:
		return "neutral"
	}
	return "sad"
}

// smileys are the ratings that verdicts are.
var smileys = map[string]int{"happy": 5, "neutral": 3, "sad": 1}

// feedbackPrefix tells the id of a feedback from that of its chat.
const feedbackPrefix = "feedback-"

// feedback is the rating of a chat as the live service writes it.
func (s *state) feedback(chat *salesiq.Chat) object {
	known := s.conversation(chat)
	first, last, _ := strings.Cut(chat.VisitorInfo.Name, " ")
	attender := object{"id": "", "display_name": "", "email": "", "type": "operator", "image_url": ""}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		attender = object{
			"id": operator.ID, "display_name": operator.Name, "email": operator.Email, "type": "operator", "image_url": operatorImage(operator.ID),
		}
	}
	text := ""
	if chat.Feedback != nil {
		text = *chat.Feedback
	}
	return object{
		"id": feedbackPrefix + chat.ID, "feedback": text, "rating": object{"type": "smiley", "value": smiley(*chat.Rating)}, "attender": attender,
		"visitor": object{"name": chat.VisitorInfo.Name, "first_name": first, "last_name": last, "salutation": "", "supported_operations": []string{}},
		"conversation": object{
			"id": chat.ID, "question": known["question"], "reference_id": known["reference_id"], "start_time": known["start_time"],
			"end_time": known["end_time"], "notes_available": strconv.FormatBool(len(s.notes[chat.ID]) > 0), "mode": "chat",
		},
		"app_id": known["app_id"], "chatlet_count": strconv.Itoa(len(chat.Transcript)),
	}
}

// operatorImage is where the image of an operator is, for who has the token.
func operatorImage(id string) string {
	return livePath + "/downloads/" + id + "?purpose=operator_image"
}

func (s *state) feedbackOf(chatID string) (object, error) {
	chat, err := s.chats.find(chatID)
	if err == nil && chat.Rating == nil {
		err = notFound("feedback", chatID)
	}
	if err != nil {
		return nil, err
	}
	return s.feedback(chat), nil
}

func (s *state) feedbackByID(id string) (object, error) {
	chatID, ok := strings.CutPrefix(id, feedbackPrefix)
	if !ok {
		return nil, notFound("feedback", id)
	}
	return s.feedbackOf(chatID)
}

func listFeedback(c *call) (any, error) {
	rated := []object{}
	for chat := range c.chats.all() {
		if chat.Rating != nil {
			rated = append(rated, c.feedback(chat))
		}
	}
	return indexed(c, rated, nil)
}

// Version 1 of the API.

const (
	liveLinePage   = 50
	liveLegacyPage = 100
)

// listLegacyChats shows more of a chat than its duration, since a list of durations
// alone would be of no use. No page describes either.
func listLegacyChats(c *call) (any, error) {
	all := []object{}
	for chat := range c.chats.all() {
		all = append(all, object{
			"chat_id": strconv.Itoa(c.reference(chat.ID)), "visitor_name": chat.VisitorInfo.Name,
			"chat_duration": durationText(chat.Duration.Duration()),
		})
	}
	return window(c, all, 0, c.query.number("limit", len(all), 1, endlessly), nil)
}

// showLegacyTranscript answers with a line about the chat, and with those that were
// said. The sender is the operator in all of them.
func showLegacyTranscript(c *call) (any, error) {
	said := span{c.query.milli("fromtime"), c.query.milli("totime")}
	limit := c.query.number("limit", liveLinePage, 1, endlessly)
	chat, ok := c.chats.first(func(chat *salesiq.Chat) bool { return strconv.Itoa(c.reference(chat.ID)) == c.id })
	if !ok {
		return nil, notFound("chat", c.id)
	}
	known := c.conversation(chat)
	lines := []object{{"chatinitiated_time": known["start_time"], "visitor_name": chat.VisitorInfo.Name, "question": known["question"]}}
	for _, message := range chat.Transcript {
		name := chat.VisitorInfo.Name
		if operator, ok := c.operators.get(message.SenderID); ok {
			name = operator.Name
		}
		if said.holds(message.Timestamp) {
			lines = append(lines, object{"sender": chat.OperatorID, "time": millis(message.Timestamp), "dname": name, "msg": message.Text})
		}
	}
	return window(c, lines, 0, 1+limit, nil)
}

// timeOnSite is how long a visitor was there in all.
func (s *state) timeOnSite(visitor *salesiq.Visitor) (spent time.Duration) {
	for _, session := range s.sessions[visitor.ID] {
		spent += session.Duration.Duration()
	}
	return spent
}

// legacyVisitor is a visitor as version 1 writes one.
func (s *state) legacyVisitor(visitor *salesiq.Visitor) object {
	contacted := "none"
	if _, ok := s.chats.first(func(chat *salesiq.Chat) bool { return chat.VisitorID == visitor.ID }); ok {
		contacted = "chat"
	}
	return object{
		"id": visitID(visitor.ID), "user_uniqueid": visitor.ID, "name": visitor.Name, "email": visitor.Email, "country": visitor.Country,
		"lastvisit_source": cmp.Or(visitor.Referrer, "Direct"), "lastvisit_time": millis(visitor.LastVisit), "lastcontacted_mode": contacted,
		"total_timespent": durationText(s.timeOnSite(visitor)), "leadscore": strconv.Itoa(visitor.LeadScore),
		"customer_info": textsOf(visitor.CustomFields), "visitor_since": millis(visitor.FirstVisit),
	}.without("email", "country")
}
