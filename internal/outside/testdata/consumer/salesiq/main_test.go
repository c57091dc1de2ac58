package main

import (
	"testing"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestChatsAreCounted(t *testing.T) {
	chats, err := countChats(t.Context(), salesiqtest.NewClient(t))
	if err != nil {
		t.Fatal(err)
	}
	if chats == 0 {
		t.Error("the default data has no chats")
	}
}
