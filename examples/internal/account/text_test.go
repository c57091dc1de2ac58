package account_test

import (
	"testing"

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
