package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

func TestANameCannotMakeUpLines(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "Ada  [2J 9 created Zoë 李 👩‍💻", account.Plain("Ada\n\x1b[2J\u202e9 created\u2028Zoë 李 👩‍💻"))
}

func TestColumnsAreAsWideAsTheyLook(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Ada":              "Ada     ",
		"Zoë":              "Zoë     ",
		"李 娜":              "李 娜   ", // Five wide.
		"too long":         "too long",
		"longer than that": "longer than that",
	} {
		assert.Equal(t, want, account.Column(text, 8))
	}
}

func TestNoLineIsWiderThanATerminal(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ head, text string }{
		"nothing":                    {"", ""},
		"a head alone":               {"12:00:00  chat.ended  ", ""},
		"words":                      {"", strings.Repeat("one word after another ", 20)},
		"words behind a head":        {"12:00:00  chat.started  ", strings.Repeat("李娜 writes ", 30)},
		"a word that fits nowhere":   {"head ", strings.Repeat("x", 500)},
		"wide characters":            {"", strings.Repeat("李", 200)},
		"an address":                 {"at ", "https://www.nordlicht.example/" + strings.Repeat("tents/", 40)},
		"a head without any room":    {strings.Repeat("h", 79), "some words"},
		"what would make up a line":  {"", "Ada\n9 created " + strings.Repeat("and so on ", 20)},
		"a line that is just enough": {"", strings.Repeat("x", 79) + " y"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrapped := account.Wrapped(row.head, row.text)
			for i, line := range strings.Split(wrapped, "\n") {
				assert.LessOrEqual(t, account.Columns(line), account.Width, line)
				if i > 0 {
					assert.True(t, strings.HasPrefix(line, "  "), "no line of the text looks like a new one: %q", line)
				}
			}
			assert.Equal(t, letters(row.head+row.text), letters(wrapped), "nothing is lost")
		})
	}
	assert.Equal(t, "not a b", account.Wrapped("not ", "a\nb"))
}

// letters is a text without its spaces.
func letters(text string) string { return strings.Join(strings.Fields(text), "") }

func TestAShortColumnIsCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Ada": "Ada   ", "Jürgen": "Jürgen", "Jürgens": "Jürge…", "李娜李娜": "李娜… "} {
		assert.Equal(t, want, account.Short(text, 6))
	}
}

func TestTimesAndCountsReadAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 43400 * time.Millisecond: "43 s", 12 * time.Minute: "12 min", 21*time.Minute + 15*time.Second: "21 min 15 s",
		time.Hour: "1 h", time.Hour + 5*time.Minute: "1 h 5 min", 277_777 * time.Hour: "277,777 h",
	} {
		assert.Equal(t, want, account.Duration(d))
	}
	assert.Equal(t, "0 chats", account.Count(0, "chat"))
	assert.Equal(t, "1 chat", account.Count(1, "chat"))
	assert.Equal(t, "1,191 chats", account.Count(1191, "chat"))
	assert.Equal(t, "visitor5150", account.Named("visitor", "visitor5150"))
	assert.Equal(t, "visitor 5150", account.Named("visitor", "5150"))
}
