package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The tour of the live dialect does what there is, and says what there is not:
// on its own emulator, and on one that the environment names.
func TestTheLiveDialectHasItsTour(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, true, false))
	for _, line := range []string{
		"60 connected", "closed it", "What the live service has no call for",
		"owned by Iris Lindqvist", "Malik (available)", "71 happy, 17 neutral, 22 sad", "conversation.completed", "Iris Lindqvist picks up",
		"tagged the conversation: quickstart", "since they are archived: 1", "thread 1: 3 messages of the visitor's",
		"published: Pitching a tent in a storm", "a canned response for everybody", "192.0.2.66 is blocked from Nordlicht Outdoor", "… of 17 in all.",
		"INVALID_REQUEST (1011): the chat is", "  the tag quickstart\n",
	} {
		assert.Contains(t, out.String(), line)
	}

	server := salesiqtest.Start(t, salesiqtest.Live())
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	for range 2 { // The second time, with another conversation: nothing of the first one is in the way.
		out.Reset()
		require.NoError(t, run(t.Context(), &out, false, false))
		assert.Contains(t, out.String(), "Working on the account at "+server.URL)
		assert.Contains(t, out.String(), "closed it")
	}

	families := map[string]bool{}
	for call := range server.Stats().Calls {
		if _, path, ok := strings.Cut(call, "/"+server.Client(t).Portal()+"/"); ok {
			family, _, _ := strings.Cut(path, "/")
			families[family] = true
		}
	}
	assert.GreaterOrEqual(t, len(families), 10, families)
}

// What the tour has made goes again, also when it ends early.
func TestTheTourLeavesNothingBehind(t *testing.T) {
	server := salesiqtest.Start(t, salesiqtest.Live())
	require.NoError(t, server.Inject(salesiqtest.Fault{Method: "POST", Path: "/api/v2/nordlicht/cannedresponses", Status: 400}))
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	var out bytes.Buffer
	require.ErrorContains(t, run(t.Context(), &out, false, false), "CannedResponses.Create")
	service := live.New(server.Client(t))
	for article, err := range service.Articles.All(t.Context(), nil) {
		require.NoError(t, err)
		assert.Fail(t, "it is still there", article.Title)
	}
	tags, err := service.Tags.List(t.Context(), "")
	require.NoError(t, err)
	for _, tag := range tags {
		assert.NotContains(t, tag.Name, "quickstart")
	}
}
