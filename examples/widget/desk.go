package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// deskView is what the operator sees.
type deskView struct {
	Chat    *deskChat                `json:"chat"` // Null while there is none.
	Reports []report                 `json:"reports"`
	Calls   []salesiqtest.WidgetCall `json:"calls"` // Of the emulator alone.
}

type deskChat struct {
	Visitor  string             `json:"visitor"`
	Email    string             `json:"email"`
	Status   salesiq.ChatStatus `json:"status"`
	Messages []salesiq.Message  `json:"messages"`
}

// desk answers what the operator sees.
func (s *site) desk(w http.ResponseWriter, r *http.Request) {
	chatID, view := s.look()
	if chatID != "" {
		chat, err := s.client.Chats.Get(r.Context(), chatID)
		if err != nil && !errors.Is(err, salesiq.ErrResourceNotFound) {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if err == nil {
			view.Chat = &deskChat{
				Visitor: greetingName(chat), Email: chat.VisitorInfo.Email, Status: chat.Status, Messages: chat.Transcript,
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *site) look() (chatID string, view deskView) {
	s.mu.Lock()
	defer s.mu.Unlock()
	view.Reports = append([]report{}, s.reports...)
	view.Calls = []salesiqtest.WidgetCall{}
	if s.client.Emulator != nil {
		view.Calls = s.client.Emulator.WidgetCalls()
	}
	return s.chatID, view
}

// answer sends the operator's words to the visitor.
func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	s.act(w, r, func(ctx context.Context, chatID string) error {
		if err := s.pickUp(ctx, chatID); err != nil {
			return err
		}
		_, err := s.client.Chats.SendMessage(ctx, chatID, salesiq.TextMessage(r.PostFormValue("message")))
		return err
	})
}

// end closes the chat.
func (s *site) end(w http.ResponseWriter, r *http.Request) {
	s.act(w, r, func(ctx context.Context, chatID string) error {
		_, err := s.client.Chats.End(ctx, chatID, &salesiq.ChatEnd{Message: "Thank you, and see you soon!"})
		return err
	})
}

func (s *site) act(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, chatID string) error) {
	chatID, _ := s.look()
	if chatID == "" {
		http.Error(w, "there is no chat yet", http.StatusConflict)
		return
	}
	if err := do(r.Context(), chatID); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// pickUp gives a chat that still waits to an operator who is there.
func (s *site) pickUp(ctx context.Context, chatID string) error {
	chat, err := s.client.Chats.Get(ctx, chatID)
	if err != nil || chat.Status != salesiq.ChatWaiting {
		return err
	}
	for operator, err := range s.client.Operators.All(ctx, &salesiq.OperatorListParams{
		Status:       salesiq.OperatorOnline,
		Availability: salesiq.OperatorAvailable,
	}) {
		if err != nil {
			return err
		}
		_, err = s.client.Chats.Transfer(ctx, chatID, &salesiq.ChatTransfer{OperatorID: operator.ID})
		return err
	}
	return errors.New("no operator is available")
}
