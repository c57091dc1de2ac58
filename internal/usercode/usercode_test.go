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

func TestPanicIsTheErrorOfTheFuncThatCatchesIt(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	run := func(f func() error) (err error) {
		defer usercode.CatchPanic(&err)
		return f()
	}
	require.NoError(t, run(func() error { return nil }))
	require.Equal(t, broken, run(func() error { return broken }))
	require.EqualError(t, run(func() error { panic("a secret") }), "panic: string")
}

func TestNilIsSeenBehindAnInterface(t *testing.T) {
	t.Parallel()
	var pointer *int
	var function func()
	for _, value := range []any{nil, pointer, function} {
		assert.True(t, usercode.IsNil(value), "%T", value)
	}
	for _, value := range []any{0, "", struct{}{}, new(int), func() {}, []int(nil), map[string]int(nil)} { // Methods of those can be called.
		assert.False(t, usercode.IsNil(value), "%T", value)
	}
}

func TestEndOfTheContextIsTheReasonThatIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		closing := errors.New("closing time")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(closing) })
		heeds := func(ctx context.Context) (int, error) { <-ctx.Done(); return 7, ctx.Err() }
		_, err := usercode.AskWithin(ctx, time.Minute, heeds)
		require.Equal(t, closing, err)
		_, err = usercode.AskWithin(t.Context(), time.Minute, heeds)
		require.EqualError(t, err, "no answer within 1m0s", "though the code says otherwise")
		broken := errors.New("broken")
		_, err = usercode.AskWithin(t.Context(), time.Minute, func(context.Context) (int, error) { return 0, broken })
		require.Equal(t, broken, err)
		synctest.Wait()
	})
}

// Which of the two is seen first is left to chance.
func TestContextThatEndsAsTheCodeReturnsIsToldAlike(t *testing.T) {
	t.Parallel()
	closing := errors.New("closing time")
	for range 5000 {
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := usercode.AskWithin(ctx, time.Minute, func(context.Context) (int, error) {
			cancel(closing)
			return 0, context.Canceled
		})
		require.Equal(t, closing, err)
		ctx, cancel = context.WithCancelCause(t.Context())
		value, err := usercode.AskWithin(ctx, time.Minute, func(context.Context) (int, error) {
			cancel(closing)
			return 7, nil
		})
		require.Equal(t, err == nil, value == 7, "a value or an error")
	}
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
