package live

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// exchange is one request to a bot and its answer. It goes through these states:
//
//	unanswered → answered                  the handler was fast enough
//	unanswered → pending → answered        a callback gives the answer
//
// Whoever takes a step has the right to send what belongs to it, so that nothing is sent
// twice.
type exchange struct {
	bot      *Bot
	id       string
	kind     string
	asked    [sha256.Size]byte
	fallback *checkedAnswer
	began    time.Time

	answered chan struct{}  // Closed once there is a body.
	body     salesiq.Secret // What the service is answered, also if it asks again.

	mu        sync.Mutex // Guards what follows.
	state     exchangeState
	pendingAt time.Time
}

type exchangeState int

const (
	isUnanswered exchangeState = iota
	isPending
	isAnswered
)

var (
	errNoBotAnswer  = errors.New("the handler has returned no answer")
	errNoBotHandler = errors.New("there is no handler for the request")
	errBotTooLate   = errors.New("the handler took too long")
)

const (
	// pendingGap is how long a callback waits, so that the service has read "pending".
	pendingGap = 250 * time.Millisecond
	// lastCallTime is for a callback that is made while the bot is shut down.
	lastCallTime = 2 * time.Second
)

// answer gives the service its answer, unless it has one.
func (x *exchange) answer(answer *checkedAnswer) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state != isUnanswered {
		return false
	}
	x.state = isAnswered
	if answer.isPending() {
		x.state, x.pendingAt = isPending, time.Now()
	}
	x.body = answer.body
	close(x.answered)
	return true
}

// move changes the state, if it is from.
func (x *exchange) move(from, to exchangeState) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	moved := x.state == from
	if moved {
		x.state = to
	}
	return moved
}

// canBePending reports whether there can be a callback.
func (x *exchange) canBePending() bool { return x.bot.callbacks != nil && x.id != "" }

// run has the request handled and answered. It returns when the handler has returned.
func (x *exchange) run(request context.Context, handle func(context.Context) (*BotAnswer, error)) {
	patience, limit := x.began.Add(x.bot.patience), x.began.Add(callbackLimit-fallbackTime)
	if !x.canBePending() {
		limit = patience
	}
	ctx, cancel := context.WithDeadlineCause(x.bot.context, limit, errBotTooLate)
	defer cancel()
	ctx = valuesOf{ctx, request}

	results := usercode.Start(func() (*checkedAnswer, error) { return x.ask(ctx, handle) })
	slow := time.NewTimer(time.Until(patience))
	defer slow.Stop()
	for {
		select {
		case r := <-results:
			x.settle(ctx, r.Value, r.Err)
			return
		case <-slow.C:
			if x.canBePending() {
				x.answer(x.bot.pending)
			}
		case <-ctx.Done():
			x.settle(ctx, nil, context.Cause(ctx))
			if r := <-results; !errors.Is(r.Err, ctx.Err()) {
				x.log(ctx, r.Value, cmp.Or(r.Err, ErrBotAnswered))
			}
			return
		}
	}
}

// valuesOf is a context that has the values of a request, and does not end with it.
type valuesOf struct {
	context.Context

	request context.Context
}

// Value implements [context.Context].
func (v valuesOf) Value(key any) any {
	if value := v.Context.Value(key); value != nil { // Of package context itself.
		return value
	}
	return v.request.Value(key)
}

// ask asks a handler for its answer, and checks that.
func (x *exchange) ask(ctx context.Context, handle func(context.Context) (*BotAnswer, error)) (*checkedAnswer, error) {
	answer, err := handle(ctx)
	switch {
	case err != nil:
		return nil, err
	case answer == nil:
		return nil, errNoBotAnswer
	case answer.Action == ActionPending && x.id == "":
		return nil, inputError("", "action", "must not be pending, since the request has no id")
	}
	return checkAnswer(answer)
}

// settle gives the answer of a handler, or the fallback.
func (x *exchange) settle(ctx context.Context, answer *checkedAnswer, err error) {
	if err != nil {
		answer = x.fallback
	}
	switch {
	case x.answer(answer), answer.isPending():
	case x.move(isPending, isAnswered):
		err = errors.Join(err, x.callBack(ctx, answer))
	default:
		err = errors.Join(err, ErrBotAnswered)
	}
	x.log(ctx, answer, err)
}

// respond gives an answer that does not come from the handler.
func (x *exchange) respond(ctx context.Context, answer *checkedAnswer) error {
	if x.answer(answer) {
		return nil
	}
	if x.bot.callbacks == nil {
		return errNoCallbacks()
	}
	if !x.move(isPending, isAnswered) {
		return ErrBotAnswered
	}
	err := x.afterGap(ctx)
	if err == nil {
		err = x.bot.callbacks.Respond(ctx, x.id, answer.BotAnswer)
	}
	if err != nil && !errors.Is(err, salesiq.ErrMaybeProcessed) {
		x.move(isAnswered, isPending)
	}
	return err
}

// callBack makes the callback of an answer that was pending. If the service refuses the
// answer, it gets the fallback.
func (x *exchange) callBack(ctx context.Context, answer *checkedAnswer) (err error) {
	defer usercode.CatchPanic(&err)
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), x.began.Add(callbackLimit))
	defer cancel()
	hurry := context.AfterFunc(x.bot.context, func() { time.AfterFunc(lastCallTime, cancel) })
	defer hurry()
	if err := x.afterGap(ctx); err != nil {
		return err
	}
	err = x.bot.callbacks.Respond(ctx, x.id, answer.BotAnswer)
	if refusal, ok := errors.AsType[*salesiq.Error](err); ok && refusal.Code != "" && !refusal.MaybeProcessed && answer != x.fallback {
		err = errors.Join(err, x.bot.callbacks.Respond(ctx, x.id, x.fallback.BotAnswer))
	}
	return err
}

// progress tells the visitor that the answer is still to come.
func (x *exchange) progress(ctx context.Context, text string) error {
	switch {
	case input.IsBlank(text):
		return inputError("", "text", "is required")
	case x.bot.callbacks == nil:
		return errNoCallbacks()
	case x.id == "":
		return inputError("", "request_id", "is required, and the request has none")
	}
	pending, err := checkAnswer(Pending(text))
	if err != nil || x.answer(pending) {
		return err
	}
	if !x.move(isPending, isPending) {
		return ErrBotAnswered
	}
	if err := x.afterGap(ctx); err != nil {
		return err
	}
	return x.bot.callbacks.Progress(ctx, x.id, text)
}

// afterGap waits until the service has read that the answer is pending.
func (x *exchange) afterGap(ctx context.Context) error {
	x.mu.Lock()
	gap := time.Until(x.pendingAt.Add(pendingGap))
	x.mu.Unlock()
	if gap <= 0 {
		return nil
	}
	select {
	case <-time.After(gap):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// log logs how the handling of a request ended.
func (x *exchange) log(ctx context.Context, answer *checkedAnswer, err error) {
	level, message := slog.LevelDebug, "bot request answered"
	if err != nil {
		level, message = slog.LevelError, "bot request failed"
	}
	logger := x.bot.logger
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("handler", x.kind), slog.String("request_id", x.id), slog.Duration("duration", time.Since(x.began))}
	if answer != nil {
		attrs = append(attrs, slog.String("action", string(answer.Action)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", redact.Summary(err.Error())))
	}
	if p := (*usercode.PanicError)(nil); errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}
