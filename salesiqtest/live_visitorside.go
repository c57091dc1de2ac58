package salesiqtest

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/salesiq-go/salesiq"
)

// seal makes the id of a chat that its visitor sees. It is another one in each
// answer, as on the vendor's pages; all of them are good for the chat.
func (s *state) seal(chatID string) string {
	s.serial++
	return "siq" + hex.EncodeToString(fmt.Appendf(nil, "%s#%d", chatID, s.serial))
}

// unseal finds the id of a chat. Plain ids are taken as well, since a page's sample
// has one.
func unseal(id string) string {
	plain, err := hex.DecodeString(strings.TrimPrefix(id, "siq"))
	if err != nil {
		return id
	}
	chatID, _, _ := strings.Cut(string(plain), "#")
	return chatID
}

// asVisitor lets the domain do something with the chat that the path names for its
// visitor, and answers with what the visitor sees of it.
func asVisitor[In any](act func(s *state, chatID string, in In) (*salesiq.Chat, error), show func(*state, *salesiq.Chat) object) handler {
	return func(c *call) (any, error) {
		var in In
		if err := patch(&in, c.body); err != nil {
			return nil, err
		}
		chat, err := act(c.state, unseal(c.id), in)
		if err != nil {
			return nil, err
		}
		return show(c.state, chat), nil
	}
}

// visitorsChat is a chat as its visitor sees it.
func (s *state) visitorsChat(chat *salesiq.Chat) object {
	out := s.conversation(chat).only(strings.Fields("reference_id question unread_chats attender department chat_status start_time attended_time end_time"))
	out["id"], out["wms_chat_id"], out["time_difference"] = s.seal(chat.ID), "LD_"+chat.ID, "0"
	out["chat_id"] = hex.EncodeToString([]byte(chat.ID))
	if n := len(chat.Transcript); len(s.pauses[chat.ID]) > 0 {
		out["question"] = chat.Transcript[n-1].Text // What it was taken up again with.
	}
	visitor := s.visitorOf(chat)
	out["visitor"] = object{"name": chat.VisitorInfo.Name, "country_code": visitor.CountryCode, "ip": maskIP(visitor.IPAddress)}
	return out
}

// updatedVisitor is a chat of whose visitor something has changed.
func (s *state) updatedVisitor(chat *salesiq.Chat) object {
	visitor := s.visitorOf(chat)
	return object{"id": s.seal(chat.ID), "question": s.conversation(chat)["question"], "visitor": object{
		"id": visitor.ID, "user_id": "$" + visitor.ID, "name": visitor.Name, "email": visitor.Email, "phone": visitor.Phone,
		"type": visitorType(visitor), "ip": maskIP(visitor.IPAddress), "country_code": visitor.CountryCode, "channel_name": "Website",
		"channel_details": object{"channel": "website", "source": "direct"}, "supported_operations": []string{"file_share", "block_ip"},
	}}
}

// maskIP hides the end of an address.
func maskIP(address string) string {
	if at := strings.LastIndex(address, "."); at >= 0 {
		return address[:at] + ".*"
	}
	return address
}

// lastMessage is what was just said in a chat.
func (s *state) lastMessage(chat *salesiq.Chat) object {
	return s.messages(chat)[len(chat.Transcript)-1]
}

// noID adapts what is about no chat yet.
func noID[In any](act func(*state, In) (*salesiq.Chat, error)) func(*state, string, In) (*salesiq.Chat, error) {
	return func(s *state, _ string, in In) (*salesiq.Chat, error) { return act(s, in) }
}

func sayLive(s *state, chatID string, in liveText) (*salesiq.Chat, error) {
	return s.sayInChat(chatID, in.Text)
}

// takingUp is a chat to take up again.
type takingUp struct {
	Message string `json:"message"`
	Visitor caller `json:"visitor"`
}

func reopenLive(s *state, chatID string, in takingUp) (*salesiq.Chat, error) {
	return s.reopenChat(chatID, in.Message)
}

func leaveLive(s *state, chatID string, _ struct{}) (*salesiq.Chat, error) {
	return s.leaveChat(chatID)
}

// verdict is what a visitor thinks of a chat.
type verdict struct {
	Rating   string  `json:"rating"`
	Feedback *string `json:"feedback"`
}

const maxFeedback = 2048

// rateLive answers with nothing but the status, which is all that the page promises.
func rateLive(c *call) (any, error) {
	var in verdict
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	stars, known := smileys[in.Rating]
	err := check(allFields,
		requirement{"rating", in.Rating == "", ""},
		requirement{"rating", !known, "must be happy, neutral or sad"},
		requirement{"feedback", in.Feedback != nil && utf8.RuneCountInString(*in.Feedback) > maxFeedback, "is too long"})
	if err != nil {
		return nil, err
	}
	if _, err := c.rateChat(unseal(c.id), rating{&stars, in.Feedback}); err != nil {
		return nil, err
	}
	return &reply{status: http.StatusOK}, nil
}
