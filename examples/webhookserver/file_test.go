package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The file is pulled away while the program runs, and put back.
func TestEventIsNotTakenWhileTheFileIsGone(t *testing.T) {
	emulator := salesiqtest.Start(t)
	useEmulator(t, emulator)
	set := settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "events.db"), secret: salesiq.NewSecret("a secret that stays")}
	program := begin(t, set)
	body := `{"event":"chat.rating","data":{"chat_id":"chat5","rating":3}}`
	require.NoError(t, os.Rename(set.store, set.store+".away"))
	require.Equal(t, http.StatusServiceUnavailable, deliver(t, program.url, set.secret, body))
	assert.Contains(t, program.after(t, "Not taken, and answered 503:\n"), "events.db was deleted, moved or replaced while it was in use: put it back")
	assert.NotContains(t, program.String(), "chat.rating")

	require.NoError(t, os.Rename(set.store+".away", set.store))
	require.Equal(t, http.StatusOK, deliver(t, program.url, set.secret, body))
	assert.Contains(t, program.after(t, "chat.rating"), "chat5: 3 of 5")
}

func TestSecondProgramIsToldWhoHasTheFile(t *testing.T) {
	emulator := salesiqtest.Start(t)
	useEmulator(t, emulator)
	set := settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "events.db"), secret: salesiq.NewSecret("a secret that stays")}
	begin(t, set)
	began := time.Now()
	err := run(t.Context(), new(screen), set)
	require.ErrorContains(t, err, "events.db is in use by webhookserver.test, process ")
	assert.Less(t, time.Since(began), 10*time.Second)
}
