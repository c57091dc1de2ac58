package input_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/input"
)

func TestChecksNameFieldAndReason(t *testing.T) {
	t.Parallel()
	check := input.Checks(func(field, reason string) error { return errors.New(field + " " + reason) })
	for _, row := range []struct {
		err  error
		want string // "" for what is right.
	}{
		{check.Given("a", nil), "a must not be nil"},
		{check.Given("a", (*int)(nil)), "a must not be nil"},
		{check.Given("a", new(int)), ""},
		{check.Required("b", " \t"), "b is required"},
		{check.Required("b", " x"), ""},
		{check.Positive("c", 0), "c must be positive, not 0s"},
		{check.Positive("c", time.Nanosecond), ""},
		{check.NotNegative("d", -1), "d must not be negative, as -1 is"},
		{check.NotNegative("d", 0), ""},
		{check.Between("e", 199, 200, 599), "e must be from 200 to 599, not 199"},
		{check.Between("e", 600, 200, 599), "e must be from 200 to 599, not 600"},
		{check.Between("e", 200, 200, 599), ""},
		{check.Between("e", 599, 200, 599), ""},
	} {
		if row.want == "" {
			assert.NoError(t, row.err)
			continue
		}
		assert.EqualError(t, row.err, row.want)
	}
}

func TestSpaceAroundATextIsFoundWhereItCannotBeSeen(t *testing.T) {
	t.Parallel()
	for _, space := range []string{" ", "\n", "\r\n", "\t", "\u0085", "\u00a0", "\u00ad", "\u200b", "\u200e", "\u2028", "\u2060", "\u3000", "\ufeff"} {
		assert.True(t, input.HasSpaceAround(space+"text"), "%q", space)
		assert.True(t, input.HasSpaceAround("text"+space), "%q", space)
		assert.False(t, input.HasSpaceAround("a"+space+"b"), "%q", space)
	}
	for _, text := range []string{"", "text", "\xfe\xff", "é", "\u0301"} {
		assert.False(t, input.HasSpaceAround(text), "%q", text)
	}
}

func TestOnlyThisMachineIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "salesiq.localhost": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "notlocalhost": false, "localhost.example": false, "0.0.0.0": false, "10.0.0.1": false, "127.1": false, "127.0.0.1:80": false,
	} {
		assert.Equal(t, want, input.IsLoopback(host), host)
	}
}
