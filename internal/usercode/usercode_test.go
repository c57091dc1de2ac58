package usercode_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/usercode"
)

func TestWhateverCodeDoesItHasAResult(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		code func() (int, error)
		want usercode.Result[int]
	}{
		"returns": {func() (int, error) { return 7, nil }, usercode.Result[int]{Value: 7}},
		"fails":   {func() (int, error) { return 7, broken }, usercode.Result[int]{Value: 7, Err: broken}},
		"goexit":  {func() (int, error) { runtime.Goexit(); return 7, nil }, usercode.Result[int]{Err: usercode.ErrGoexit}},
	} {
		assert.Equal(t, test.want, <-usercode.Start(test.code), name)
		value, err := usercode.Ask(t.Context(), func(context.Context) (int, error) { return test.code() })
		assert.Equal(t, test.want, usercode.Result[int]{Value: value, Err: err}, name)
	}
}

func TestPanicIsAnErrorWithoutItsValue(t *testing.T) {
	t.Parallel()
	_, err := usercode.Ask(t.Context(), func(context.Context) (int, error) { panic("a secret") })
	var p *usercode.PanicError
	require.ErrorAs(t, err, &p)
	assert.Equal(t, "panic: string", err.Error())
	assert.Contains(t, string(p.Stack), "usercode_test.go")
	_, err = usercode.Ask(t.Context(), func(context.Context) (int, error) { return []int{}[len(t.Name()):][0], nil })
	assert.ErrorContains(t, err, "out of range", "what the runtime says holds no secret")
}

func TestCodeThatIsDeafToItsContextHoldsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := usercode.AskWithin(t.Context(), time.Second, func(context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, nil
		})
		require.ErrorContains(t, err, "no answer within 1s")
		assert.Equal(t, time.Second, time.Since(start))
		time.Sleep(time.Minute) // Until the goroutine has ended.
	})
}

func TestWhatIsBorrowedTooLateIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var back []int
		borrow := func(after time.Duration, err error) (int, error) {
			return usercode.BorrowWithin(t.Context(), time.Second, func(context.Context) (int, error) {
				time.Sleep(after)
				return 7, err
			}, func(value int) { back = append(back, value) })
		}
		value, err := borrow(time.Millisecond, nil)
		require.NoError(t, err)
		assert.Equal(t, 7, value)
		_, err = borrow(2*time.Second, errors.New("there was none"))
		require.Error(t, err)
		time.Sleep(time.Minute)
		assert.Empty(t, back)

		_, err = borrow(2*time.Second, nil)
		require.Error(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{7}, back)
	})
}
