package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/inbound"
	"github.com/salesiq-go/salesiq/webhook"
)

// Bot is an [http.Handler] that answers visitors: it serves the URL of a Zobot that is
// of the type webhook. [NewBot] makes one with its handlers.
//
// # When a request is answered
//
// The service waits five seconds for an answer. A handler that takes longer goes on,
// if the bot has [WithCallbacks]: after four seconds ([WithPending]) the service is
// answered "pending", and what the handler returns follows by way of
// [CallbacksService.Respond], within the three minutes that the service gives. The
// handler can do that earlier, in words of its own, by [BotRequest.Progress]. Work that
// goes elsewhere, such as into a queue, is answered with [Pending], and later with
// [Bot.Respond].
//
// The context of a handler ends ten seconds before those three minutes are over; without
// WithCallbacks, when the service must be answered; and with [Bot.Shutdown]. It does
// not end when the service hangs up.
//
// # What a visitor gets who could not be answered
//
// The bot's fallback ([WithFallback]): by default, a forward to an operator. It is the
// answer, or the callback after "pending", instead of half an answer or none:
//
//   - A handler returns an error, or no answer, or panics, or ends its goroutine.
//   - An answer breaks a rule that the vendor publishes. The log names the field.
//   - The context of the handler ends before it returns. What it returns later is
//     dropped.
//   - There is no handler for the request, or the bot is shut down.
//
// A trigger is the exception. Without [OnTrigger] it is answered with a greeting, so that
// the conversation goes on with what the visitor writes.
//
// In answer to a [BotFailure], a fallback that forwards becomes [OperatorBusy], since a
// forward may be what has failed.
//
// Each of them is in the log ([WithLogger]).
//
// # What happens once
//
// A request is answered once, and so is its callback made: a second answer, of the
// handler or of Respond, is dropped with [ErrBotAnswered]. A callback whose outcome is
// unclear is not made again, since the visitor would read it twice.
//
// A request that comes again runs no handler: it gets the same answer, or waits for
// it. It is the same if it has the same id and asks the same. The bot remembers the last
// ten thousand, in memory. A request without an id is another one each time, and cannot
// be pending.
//
// # What is answered
//
//   - GET and HEAD: 200, since the service probes with them. Any other method but
//     POST: 405.
//   - A body over 1 MiB: 413. A compressed one: 415.
//   - A signature that the verifier refuses: 401. The body is not parsed.
//   - A body that is not a request to a bot: 400.
//   - Anything else: 200, and an answer. Each failure brings the service closer to
//     switching the bot off.
type Bot struct {
	verifier  webhook.Verifier
	handlers  map[string]botHandler
	callbacks *CallbacksService // Nil without WithCallbacks.
	fallback  *checkedAnswer
	busy      *checkedAnswer // In place of a fallback that has just failed.
	greeting  *checkedAnswer // Of a trigger that has no handler.
	pending   *checkedAnswer
	patience  time.Duration // Until the service is answered.
	logger    *slog.Logger

	context context.Context // It is that of all handlers.
	cancel  context.CancelCauseFunc
	work    sync.WaitGroup

	mu     sync.Mutex // Guards what follows.
	known  *simplelru.LRU[string, []*exchange]
	closed bool
}

// botHandler is a handler of requests of any kind.
type botHandler func(context.Context, *botBody) (*BotAnswer, error)

// The limits of the service, and what is left of them for other things.
const (
	callbackLimit = 3 * time.Minute
	fallbackTime  = 10 * time.Second // For the fallback, before that limit.
	answerLimit   = 5 * time.Second
	maxBotBody    = 1 << 20
	knownRequests = 10_000
)

// ErrBotAnswered means that a request to a bot is answered, and cannot be again.
var ErrBotAnswered = errors.New("salesiq: the request to the bot is answered already")

// BotOption configures a [Bot]. NewBot returns the error of the first option that
// refuses its argument.
type BotOption func(*Bot) error

// OnTrigger answers when a visitor has written nothing yet. Without it, the answer is
// "Hello! How can I help you?".
func OnTrigger(handle func(ctx context.Context, request *BotTrigger) (*BotAnswer, error)) BotOption {
	return handling(triggerRequest, handle, (*botBody).trigger)
}

// OnMessage answers what a visitor has written.
func OnMessage(handle func(ctx context.Context, request *BotMessage) (*BotAnswer, error)) BotOption {
	return handling(messageRequest, handle, (*botBody).message)
}

// OnContext answers when a visitor has answered the questions of [AskQuestions].
func OnContext(handle func(ctx context.Context, request *BotContext) (*BotAnswer, error)) BotOption {
	return handling(contextRequest, handle, (*botBody).context)
}

// OnFailure answers when an answer of the bot has failed, such as a forward while
// nobody is there.
func OnFailure(handle func(ctx context.Context, request *BotFailure) (*BotAnswer, error)) BotOption {
	return handling(failureRequest, handle, (*botBody).failure)
}

func handling[R any](kind string, handle func(context.Context, R) (*BotAnswer, error), read func(*botBody) R) BotOption {
	return func(b *Bot) error {
		field := kind + " handler"
		switch {
		case handle == nil:
			return inputError("", field, "must not be nil")
		case b.handlers[kind] != nil:
			return inputError("", field, "must be given once")
		}
		b.handlers[kind] = func(ctx context.Context, body *botBody) (*BotAnswer, error) { return handle(ctx, read(body)) }
		return nil
	}
}

// WithCallbacks has client make the calls of late answers. It needs
// [salesiq.WithPortal] and the scope SalesIQ.callbacks.UPDATE.
func WithCallbacks(client *salesiq.Client) BotOption {
	return func(b *Bot) error {
		switch {
		case client == nil:
			return inputError("", "client", "must not be nil")
		case client.Portal() == "":
			return inputError("", "client", "must have a portal: see salesiq.WithPortal")
		}
		b.callbacks = New(client).Callbacks
		return nil
	}
}

// WithFallback is what a visitor gets who could not be answered. The default is a
// [Forward].
func WithFallback(answer *BotAnswer) BotOption {
	return func(b *Bot) (err error) {
		b.fallback, err = checkOption("fallback", answer)
		return err
	}
}

// WithPending says after what time a handler that has not returned is taken for slow,
// and what a visitor reads then. The defaults are four seconds, since the service waits
// for five, and "One moment, please.".
func WithPending(after time.Duration, texts ...string) BotOption {
	return func(b *Bot) (err error) {
		b.patience = after
		if after <= 0 || after >= answerLimit {
			return inputError("", "pending time", fmt.Sprintf("must be positive and less than %s, not %s", answerLimit, after))
		}
		if len(texts) == 0 {
			return nil
		}
		b.pending, err = checkOption("pending", Pending(texts...))
		return err
	}
}

// WithLogger logs what is refused and what fails, and, at level debug, what is answered:
// the kind and the id of the request, the action, the duration, and the errors of
// handlers. Nothing that a visitor says is logged. Nil, the default, logs nothing.
func WithLogger(logger *slog.Logger) BotOption {
	return func(b *Bot) error {
		b.logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
		return nil
	}
}

// checkOption checks an answer that is the argument of an option.
func checkOption(option string, answer *BotAnswer) (*checkedAnswer, error) {
	checked, err := checkAnswer(answer)
	if wrong, ok := errors.AsType[*salesiq.InputError](err); ok {
		return nil, inputError("", option, wrong.Field+" "+wrong.Reason)
	}
	return checked, err
}

// Unsigned returns a verifier that accepts whatever comes. The vendor signs the
// requests to a bot as it signs events, so that [webhook.RSA] is what a bot needs.
// Unsigned is for a bot that is tried on one's own machine, and for a URL that nobody
// can guess: whoever knows it can speak for any visitor.
func Unsigned() webhook.Verifier { return unsigned{} }

type unsigned struct{}

// Verify implements [webhook.Verifier].
func (unsigned) Verify(http.Header, []byte) error { return nil }

// NewBot returns a bot that answers the requests that verifier accepts.
//
// Errors: a [salesiq.InputError] for no verifier, a verifier without a key, an option
// that refuses its argument, and no handler.
func NewBot(verifier webhook.Verifier, opts ...BotOption) (*Bot, error) {
	if _, err := webhook.NewReceiver(verifier); err != nil { // A bot refuses what a receiver does.
		return nil, err
	}
	b := &Bot{
		verifier: webhook.AnyOf(verifier), // Which makes an error of its panic.
		handlers: map[string]botHandler{},
		patience: 4 * time.Second,
		logger:   slog.New(slog.DiscardHandler),
	}
	busy, err := checkAnswer(OperatorBusy("Nobody can take over right now. Please leave us a message."))
	if err != nil {
		return nil, err
	}
	greeting, err := checkAnswer(Reply("Hello! How can I help you?")) // An answer without a reply would break a rule.
	if err != nil {
		return nil, err
	}
	b.busy, b.greeting = busy, greeting
	opts = append([]BotOption{WithFallback(Forward("Let me hand you over to a colleague.")), WithPending(b.patience, "One moment, please.")}, opts...)
	for _, option := range opts {
		if option == nil {
			return nil, inputError("", "option", "must not be nil")
		}
		if err := option(b); err != nil {
			return nil, err
		}
	}
	if len(b.handlers) == 0 {
		return nil, inputError("", "handler", "is required")
	}
	known, err := simplelru.NewLRU[string, []*exchange](knownRequests, nil)
	if err != nil {
		return nil, err
	}
	b.known = known
	b.context, b.cancel = context.WithCancelCause(context.Background())
	return b, nil
}

// ServeHTTP implements [http.Handler]. A bot that NewBot has not made answers 503,
// since it can verify nothing.
func (b *Bot) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if b == nil || b.verifier == nil {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	switch request.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	began := time.Now()
	body, status, err := b.accept(request)
	if err != nil {
		b.logger.LogAttrs(request.Context(), slog.LevelWarn, "bot request refused",
			slog.Int("status", status), slog.String("reason", err.Error()))
		if status == http.StatusRequestEntityTooLarge && request.ProtoMajor < 2 { // The body was not read to its end. Over HTTP/2, others have the connection, too.
			w.Header().Set("Connection", "close")
		}
		refuse(w, status)
		return
	}
	x := b.exchangeFor(request.Context(), body, began)
	select {
	case <-x.answered:
		body := x.body.Reveal()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		io.WriteString(w, body)
	case <-request.Context().Done(): // The service has hung up.
	}
}

// refusals are the bodies of answers that are none of the bot's, by their status. They
// are those of a [webhook.Receiver].
var refusals = map[int]string{
	http.StatusBadRequest:            `{"error":"not a request to a bot"}`,
	http.StatusUnauthorized:          `{"error":"invalid signature"}`,
	http.StatusMethodNotAllowed:      `{"error":"method not allowed"}`,
	http.StatusRequestEntityTooLarge: `{"error":"body too large"}`,
	http.StatusUnsupportedMediaType:  `{"error":"compressed body"}`,
	http.StatusServiceUnavailable:    `{"error":"not now"}`,
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, refusals[status])
}

// accept reads a request and verifies it, or tells how to refuse it.
func (b *Bot) accept(request *http.Request) (*botBody, int, error) {
	data, err := inbound.ReadBody(request, maxBotBody)
	switch {
	case errors.Is(err, inbound.ErrCompressed):
		return nil, http.StatusUnsupportedMediaType, err
	case errors.Is(err, inbound.ErrTooLarge):
		return nil, http.StatusRequestEntityTooLarge, err
	case err != nil:
		return nil, http.StatusBadRequest, err
	}
	if err := b.verifier.Verify(request.Header, data); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	body, err := parseBotBody(data)
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	return body, 0, nil
}

// exchangeFor returns the exchange of a request: the one that it began before, or a new
// one whose handler it starts.
func (b *Bot) exchangeFor(ctx context.Context, body *botBody, began time.Time) *exchange {
	x := &exchange{
		bot: b, id: body.Request.ID, kind: body.Handler, asked: body.asked(), fallback: b.fallback, began: began,
		answered: make(chan struct{}),
	}
	if x.kind == failureRequest && b.fallback.Action == ActionForward {
		x.fallback = b.busy
	}
	body.exchange = x
	begun, err := b.begin(ctx, x, body)
	switch {
	case err == nil:
		return begun
	case x.kind == triggerRequest && errors.Is(err, errNoBotHandler):
		x.fallback, err = b.greeting, nil
	}
	x.answer(x.fallback)
	x.log(ctx, x.fallback, err)
	return x
}

// begin starts the handler of an exchange, unless the request has begun one before. It
// returns the exchange that goes on.
func (b *Bot) begin(ctx context.Context, x *exchange, body *botBody) (*exchange, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var same []*exchange
	if x.id != "" {
		same, _ = b.known.Get(x.id)
	}
	if i := slices.IndexFunc(same, func(earlier *exchange) bool { return earlier.asked == x.asked }); i >= 0 {
		return same[i], nil
	}
	handle := b.handlers[x.kind]
	switch {
	case b.closed:
		return nil, webhook.ErrShutdown
	case handle == nil:
		return nil, errNoBotHandler
	}
	if x.id != "" {
		b.known.Add(x.id, append(same, x))
	}
	b.work.Go(func() {
		x.run(ctx, func(ctx context.Context) (*BotAnswer, error) { return handle(ctx, body) })
	})
	return x, nil
}

// Respond gives the answer to a request that was answered [Pending]. A request of which
// the bot knows nothing, since another process has received it, is taken for one.
//
// If the handler has not returned yet, the answer is the one that the service gets, and
// what the handler returns is dropped.
//
// Errors: a [salesiq.InputError] for an answer that breaks a rule, and for a bot without
// [WithCallbacks]; [ErrBotAnswered]; those of [CallbacksService.Respond]. After one that is
// [salesiq.ErrMaybeProcessed], the request counts as answered.
func (b *Bot) Respond(ctx context.Context, requestID string, answer *BotAnswer) error {
	if b == nil || b.verifier == nil {
		return inputError("", "bot", "must be made by NewBot")
	}
	if err := required("request_id", requestID); err != nil {
		return err
	}
	checked, err := checkAnswer(answer)
	if err != nil {
		return err
	}
	if checked.isPending() {
		return inputError("", "action", "must not be pending again")
	}
	if x := b.latest(requestID); x != nil {
		return x.respond(ctx, checked)
	}
	if b.callbacks == nil {
		return errNoCallbacks()
	}
	return b.callbacks.Respond(ctx, requestID, answer)
}

func errNoCallbacks() error {
	return inputError("", "client", "is required: see WithCallbacks")
}

// latest returns the last exchange of a request, or nil.
func (b *Bot) latest(requestID string) *exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, _ := b.known.Peek(requestID)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// Shutdown starts no more handlers, and waits until those that run have returned and
// their answers are given, callbacks included. Requests that come meanwhile get the
// fallback. Call it after [http.Server.Shutdown], which does not wait for what is
// pending.
//
// If ctx ends first, the contexts of the handlers end, too, and visitors who wait for
// a pending answer get the fallback. Shutdown then returns the error of ctx, once the
// handlers have returned, or after three seconds.
func (b *Bot) Shutdown(ctx context.Context) error {
	switch {
	case b == nil || b.verifier == nil:
		return inputError("", "bot", "must be made by NewBot")
	case ctx == nil:
		return inputError("", "context", "must not be nil")
	}
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	defer b.cancel(webhook.ErrShutdown)
	idle := make(chan struct{})
	go func() { b.work.Wait(); close(idle) }()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	b.cancel(webhook.ErrShutdown)
	select {
	case <-idle:
	case <-time.After(lastCallTime + time.Second):
	}
	return ctx.Err()
}
