package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// W1 to W26 are rows of docs/reliability.md.

const (
	hookSecret    = "hook-secret-of-today"
	oldHookSecret = "hook-secret-of-yesterday"
)

// ratedBody is an event; each rating makes another one.
func ratedBody(chatID string) []byte {
	return []byte(`{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"` + chatID + `","rating":4}}`)
}

// post delivers a body that is signed with the secret of today.
func post(t *testing.T, receiver http.Handler, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	request := newRequest(t, http.MethodPost, body)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	return serve(receiver, request)
}

func serve(receiver http.Handler, request *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	return answer
}

// handlerLog is a handler that remembers, and answers what it is told to.
type handlerLog struct {
	mu     sync.Mutex
	events []webhook.Event
	answer func() error // Nil for success.
}

func (h *handlerLog) handle(_ context.Context, event webhook.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
	if h.answer != nil {
		return h.answer()
	}
	return nil
}

func (h *handlerLog) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

func newReceiver(opts ...webhook.Option) (*webhook.Receiver, *handlerLog) {
	log := &handlerLog{}
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), opts...))
	webhook.OnAny(receiver, log.handle)
	return receiver, log
}

// W1.
func TestASignedEventReachesTheHandlersOfItsType(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	var order []string
	webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
		order = append(order, "first "+e.ChatID)
		return nil
	})
	webhook.On(receiver, func(context.Context, *webhook.ChatEnded) error {
		order = append(order, "another type")
		return nil
	})
	webhook.OnAny(receiver, func(_ context.Context, e webhook.Event) error {
		order = append(order, "any "+string(e.Info().EventName))
		return nil
	})
	webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
		order = append(order, "last "+e.ChatID)
		return nil
	})
	answer := post(t, receiver, ratedBody("c1"))
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.JSONEq(t, `{"received":true}`, answer.Body.String())
	assert.Equal(t, []string{"first c1", "any chat.rating", "last c1"}, order)
}

func TestTheFirstErrorEndsTheHandlers(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return errors.New("no") })
	log := &handlerLog{}
	webhook.OnAny(receiver, log.handle)
	assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code)
	assert.Zero(t, log.calls())
}

// W2.
func TestWhatIsNotSignedIsRefusedUnread(t *testing.T) {
	t.Parallel()
	body := []byte("this is no JSON, which would be 400 if anybody looked")
	right := webhook.SignHMAC(salesiq.NewSecret(hookSecret), body)
	for name, values := range map[string][]string{
		"missing":                nil,
		"empty":                  {""},
		"wrong":                  {strings.Repeat("0", 64)},
		"of another body":        {webhook.SignHMAC(salesiq.NewSecret(hookSecret), []byte("other"))},
		"of another secret":      {webhook.SignHMAC(salesiq.NewSecret(oldHookSecret), body)},
		"short":                  {right[:63]},
		"long":                   {right + "0"},
		"not hexadecimal":        {strings.Repeat("g", 64)},
		"upper case":             {strings.ToUpper(right)},
		"with a prefix":          {"sha256=" + right},
		"in spaces":              {" " + right + " "},
		"twice":                  {right, right},
		"beside a wrong one":     {right, strings.Repeat("0", 64)},
		"twice in one":           {right + "," + right},
		"with the last bit off":  {flipLast(right)},
		"with the first bit off": {flipLast(right[:1]) + right[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			receiver, log := newReceiver(webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
			request := newRequest(t, http.MethodPost, body)
			request.Header[webhook.HeaderSignature] = values
			answer := serve(receiver, request)
			assert.Equal(t, http.StatusUnauthorized, answer.Code)
			assert.Zero(t, log.calls())
			assert.Contains(t, logged.String(), "status=401")
			for _, secret := range []string{right, salesiq.NewSecret(hookSecret).Reveal(), "no JSON"} {
				assert.NotContains(t, answer.Body.String(), secret)
				assert.NotContains(t, logged.String(), secret)
			}
		})
	}
}

func flipLast(text string) string {
	last := byte('0')
	if text[len(text)-1] == '0' {
		last = '1'
	}
	return text[:len(text)-1] + string(last)
}

func TestAVerifierThatPanicsHasVerifiedNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range faults {
		var logged bytes.Buffer
		verifier := verifierFunc(func(http.Header, []byte) error { return fault() })
		body := ratedBody("c1")
		header := http.Header{webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(hookSecret), body)}}

		receiver := testkit.Must(webhook.NewReceiver(verifier, webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))))
		log := &handlerLog{}
		require.NoError(t, webhook.OnAny(receiver, log.handle))
		var running sync.WaitGroup // The fault may end the goroutine.
		running.Go(func() { assert.Equal(t, http.StatusUnauthorized, post(t, receiver, body).Code, name) })
		running.Wait()
		assert.Zero(t, log.calls(), name)
		assert.Contains(t, logged.String(), "webhook refused", name)
		assert.Equal(t, name == "panic", strings.Contains(logged.String(), "stack="), name)

		running.Go(func() {
			_, err := webhook.ParseSigned(verifier, header, body)
			assert.Error(t, err, name)
		})
		running.Go(func() {
			_, err := webhook.ParseSigned(webhook.AnyOf(verifier, webhook.HMAC(salesiq.NewSecret(hookSecret))), header, body)
			assert.NoError(t, err, "the other one accepts it: %s", name)
		})
		running.Wait()
	}
}

// W30: another delivery may find it well.
func TestAVerifierThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]func(webhook.Verifier) webhook.Verifier{
		"alone": func(v webhook.Verifier) webhook.Verifier { return v },
		"any of": func(v webhook.Verifier) webhook.Verifier {
			return webhook.AnyOf(webhook.RSA(&rsaKeys()[0].PublicKey), v)
		},
		"any, any": func(v webhook.Verifier) webhook.Verifier { return webhook.AnyOf(webhook.AnyOf(v)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			stuck := make(chan struct{})
			answer := func() error { <-stuck; return nil }
			var logged bytes.Buffer
			receiver := testkit.Must(webhook.NewReceiver(within(verifierFunc(func(http.Header, []byte) error { return answer() })),
				webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))))
			log := &handlerLog{}
			require.NoError(t, webhook.OnAny(receiver, log.handle))
			began := time.Now()
			got := post(t, receiver, ratedBody("c1"))
			assert.Equal(t, http.StatusServiceUnavailable, got.Code, name)
			assert.Equal(t, "10", got.Header().Get("Retry-After"), name)
			assert.Equal(t, 2250*time.Millisecond, time.Since(began), name)
			assert.Contains(t, logged.String(), "the Verifier has taken half of the time", name)
			close(stuck)
			synctest.Wait()
			assert.Zero(t, log.calls(), "%s: that comes too late", name)

			answer = func() error { time.Sleep(2 * time.Second); return nil }
			assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code, name)
			assert.Equal(t, 1, log.calls(), name)
		})
	}
}

// W9: also that of a verifier and a tracer is counted.
func TestTheTimeOfADeliveryBeginsWhenItsBodyWasRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		receiver := testkit.Must(webhook.NewReceiver(
			verifierFunc(func(http.Header, []byte) error { time.Sleep(time.Second); return nil }),
			webhook.WithTracer(&webhook.Tracer{Trace: func(context.Context) string { time.Sleep(time.Second); return "" }})))
		require.NoError(t, webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
			deadline, _ := ctx.Deadline()
			assert.Equal(t, 2500*time.Millisecond, time.Until(deadline))
			<-ctx.Done()
			return ctx.Err()
		}))
		body, sender := io.Pipe()
		go func() {
			time.Sleep(8 * time.Second)
			_, err := sender.Write(ratedBody("c1"))
			assert.NoError(t, errors.Join(err, sender.Close()))
		}()
		request := newRequest(t, http.MethodPost, nil)
		request.Body, request.ContentLength = body, -1
		began := time.Now()
		assert.Equal(t, http.StatusInternalServerError, serve(receiver, request).Code)
		assert.Equal(t, 12500*time.Millisecond, time.Since(began))
	})
}

// verifierFunc is a verifier of the user's.
type verifierFunc func(http.Header, []byte) error

func (f verifierFunc) Verify(header http.Header, body []byte) error { return f(header, body) }

func TestWithoutASecretNothingIsBelieved(t *testing.T) {
	t.Parallel()
	body := ratedBody("c1")
	for name, verifier := range map[string]webhook.Verifier{
		"no verifier": nil, "no secret": webhook.HMAC(), "an empty one": webhook.HMAC(salesiq.NewSecret("")),
		"no key": webhook.RSA(), "a nil one": webhook.RSA(nil), "any of none": webhook.AnyOf(),
		"a key without a number": webhook.RSA(&rsa.PublicKey{E: 65537}),
		"any of nil":             webhook.AnyOf(nil, (*ownVerifier)(nil)), "any of no key": webhook.AnyOf(webhook.HMAC(), webhook.RSA(nil)),
	} {
		receiver, err := webhook.NewReceiver(verifier)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
		assert.Nil(t, receiver)
		if verifier != nil {
			request := newRequest(t, http.MethodPost, body)
			request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(""), body))
			require.ErrorIs(t, verifier.Verify(request.Header, body), webhook.ErrSignature, name)
		}
	}
}

// endless is a body that goes on, and knows how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

// W3.
func TestABodyOverTheLimitIsRefusedBeforeAllOfItIsRead(t *testing.T) {
	t.Parallel()
	const limit = 4096
	receiver, log := newReceiver(webhook.WithMaxBody(limit))
	for _, length := range []int64{limit + 1, -1, 10} { // Told, not told, and a lie.
		body := &endless{}
		request := newRequest(t, http.MethodPost, nil)
		request.Body, request.ContentLength = io.NopCloser(body), length
		answer := serve(receiver, request)
		assert.Equal(t, http.StatusRequestEntityTooLarge, answer.Code)
		assert.Equal(t, "close", answer.Header().Get("Connection"))
		assert.LessOrEqual(t, body.read, 2*limit)
		if length > limit {
			assert.Zero(t, body.read, "its length was known")
		}
	}
	assert.Zero(t, log.calls())

	bounded := newRequest(t, http.MethodPost, ratedBody("c1"))
	bounded.Body = http.MaxBytesReader(httptest.NewRecorder(), bounded.Body, 10)
	assert.Equal(t, http.StatusRequestEntityTooLarge, serve(receiver, bounded).Code, "the limit of whoever is in front")

	exact := ratedBody(strings.Repeat("c", limit-len(ratedBody(""))))
	require.Len(t, exact, limit)
	assert.Equal(t, http.StatusOK, post(t, receiver, exact).Code)
}

func TestTheDefaultLimitIsAMebibyte(t *testing.T) {
	t.Parallel()
	receiver, _ := newReceiver()
	for size, status := range map[int]int{1 << 20: http.StatusOK, 1<<20 + 1: http.StatusRequestEntityTooLarge} {
		body := ratedBody(strings.Repeat("c", size-len(ratedBody(""))))
		assert.Equal(t, status, post(t, receiver, body).Code, size)
	}
}

func TestABodyThatBreaksOffIsNoEvent(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	request := newRequest(t, http.MethodPost, nil)
	request.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"event":`), failingReader{}))
	assert.Equal(t, http.StatusBadRequest, serve(receiver, request).Code)
	assert.Zero(t, log.calls())
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// W4.
func TestProbesAreAnsweredAndOtherMethodsAreNot(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		assert.Equal(t, http.StatusOK, serve(receiver, newRequest(t, method, nil)).Code, method)
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "post"} {
		answer := serve(receiver, newRequest(t, method, nil))
		assert.Equal(t, http.StatusMethodNotAllowed, answer.Code, method)
		assert.Equal(t, "GET, HEAD, POST", answer.Header().Get("Allow"))
	}
	assert.Zero(t, log.calls())
}

// W4: the signature tells where the body comes from; the content type does not.
func TestTheContentTypeDoesNotMatter(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for i, contentType := range []string{"", "application/json", "application/json;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded"} {
		body := ratedBody(strings.Repeat("c", i+1))
		request := newRequest(t, http.MethodPost, body)
		request.Header.Set("Content-Type", contentType)
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
		assert.Equal(t, http.StatusOK, serve(receiver, request).Code, contentType)
	}
	assert.Equal(t, 5, log.calls())
}

// W4.
func TestACompressedBodyIsRefused(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	var body bytes.Buffer
	compressor := gzip.NewWriter(&body)
	_, err := compressor.Write(ratedBody("c1"))
	require.NoError(t, errors.Join(err, compressor.Close()))
	request := newRequest(t, http.MethodPost, body.Bytes())
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body.Bytes()))
	assert.Equal(t, http.StatusUnsupportedMediaType, serve(receiver, request).Code)

	plain := ratedBody("c1")
	request = newRequest(t, http.MethodPost, plain)
	request.Header["Content-Encoding"] = []string{"identity", "br"}
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), plain))
	assert.Equal(t, http.StatusUnsupportedMediaType, serve(receiver, request).Code)
	request = newRequest(t, http.MethodPost, plain)
	request.Header.Set("Content-Encoding", "identity")
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), plain))
	assert.Equal(t, http.StatusOK, serve(receiver, request).Code)
	assert.Equal(t, 1, log.calls())
}

func TestASignedBodyThatIsNoEventIsABadRequest(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for _, body := range []string{"", "[]", "{", "null"} {
		assert.Equal(t, http.StatusBadRequest, post(t, receiver, []byte(body)).Code, body)
	}
	assert.Zero(t, log.calls())
}

func TestTheLogHoldsNothingOfABodyThatIsNoEvent(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	receiver, _ := newReceiver(webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	for _, body := range []string{
		`{"event":"chat.ended","data":{"noemi@mail.example":tru}}`,
		`{"noemi@mail.example" 1}`,
		`{"noemi@mail.example":{"noemi@mail.example":"cut`,
	} {
		assert.Equal(t, http.StatusBadRequest, post(t, receiver, []byte(body)).Code, body)
	}
	assert.Equal(t, 3, strings.Count(logged.String(), "status=400"))
	assert.NotContains(t, logged.String(), "noemi")
}

// ownVerifier is a verifier of the user's.
type ownVerifier struct{ webhook.Verifier }

func TestVerifierThatIsANilPointerIsRefused(t *testing.T) {
	t.Parallel()
	receiver, err := webhook.NewReceiver((*ownVerifier)(nil))
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input)
	assert.Equal(t, "verifier", input.Field)
	assert.Nil(t, receiver)
}

func TestOptionsThatMakeNoSenseAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	verifier := webhook.HMAC(salesiq.NewSecret(hookSecret))
	for name, option := range map[string]webhook.Option{
		"option": nil, "dedup store": webhook.WithDedupStore(nil), "sink": webhook.WithSink(nil), "tracer": webhook.WithTracer(nil),
		"dedup failure": webhook.WithDedupFailure(7), "max body": webhook.WithMaxBody(0), "tolerance": webhook.WithTolerance(-1),
		"handler timeout": webhook.WithHandlerTimeout(0),
	} {
		receiver, err := webhook.NewReceiver(verifier, option)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
		require.ErrorContains(t, err, name)
		assert.Nil(t, receiver)
	}
	_, err := webhook.NewReceiver(verifier, webhook.WithLogger(nil))
	require.NoError(t, err, "which logs nothing")
}

func TestHandlerThatCannotBeCalledIsRefused(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	require.ErrorIs(t, webhook.On[webhook.ChatRated](receiver, nil), salesiq.ErrInvalidInput)
	require.ErrorIs(t, webhook.OnAny(receiver, nil), salesiq.ErrInvalidInput)
	require.ErrorIs(t, webhook.OnAny(nil, log.handle), salesiq.ErrInvalidInput)
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	require.ErrorIs(t, webhook.OnAny(receiver, log.handle), salesiq.ErrInvalidInput, "the receiver is in use")
	assert.Equal(t, 1, log.calls())
}

// W5.
func TestAnEventThatIsDoneIsNotHandledAgain(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for range 3 {
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	}
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c2")).Code)
	assert.Equal(t, 2, log.calls())
}

// W5: the count of deliveries does not make another event.
func TestALaterDeliveryOfTheLiveServiceIsTheSameEvent(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for _, attempt := range []string{"1", "2"} {
		post(t, receiver, []byte(`{"event":"conversation.rated","attempt":`+attempt+`,"entity":{"id":"c1"}}`))
	}
	assert.Equal(t, 1, log.calls())
}

// W6.
func TestToleranceBoundsTheAgeOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body := func(age time.Duration) []byte {
			return []byte(`{"event":"chat.ended","timestamp":"` + time.Now().Add(-age).UTC().Format(time.RFC3339) + `","data":{}}`)
		}
		strict, _ := newReceiver(webhook.WithTolerance(10 * time.Minute))
		assert.Equal(t, http.StatusOK, post(t, strict, body(9*time.Minute)).Code)
		assert.Equal(t, http.StatusForbidden, post(t, strict, body(11*time.Minute)).Code)
		assert.Equal(t, http.StatusForbidden, post(t, strict, body(-11*time.Minute)).Code)
		assert.Equal(t, http.StatusOK, post(t, strict, []byte(`{"event":"chat.ended"}`)).Code, "no time to judge by")

		relaxed, _ := newReceiver()
		assert.Equal(t, http.StatusOK, post(t, relaxed, body(1000*time.Hour)).Code)
	})
}

// W7.
func TestEventsOutOfOrderAreDeliveredAsTheyCome(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for _, minute := range []string{"42", "40", "41"} {
		body := strings.Replace(string(ratedBody("c1")), "09:41", "09:"+minute, 1)
		assert.Equal(t, http.StatusOK, post(t, receiver, []byte(body)).Code)
	}
	require.Equal(t, 3, log.calls())
	assert.True(t, log.events[1].Info().EventTime.Before(log.events[0].Info().EventTime))
}

// W8.
func TestASecondCopyWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work   time.Duration
		fails  bool
		second int
		calls  int
	}{
		"which succeeds":       {time.Second, false, http.StatusOK, 1},
		"which fails":          {time.Second, true, http.StatusInternalServerError, 2},
		"which takes too long": {4 * time.Second, false, http.StatusServiceUnavailable, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var running, most, calls atomic.Int32
				receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
				webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
					calls.Add(1)
					most.Store(max(most.Load(), running.Add(1)))
					defer running.Add(-1)
					time.Sleep(test.work)
					if test.fails {
						return errors.New("no")
					}
					return nil
				})
				var first *httptest.ResponseRecorder
				var copies sync.WaitGroup
				copies.Go(func() { first = post(t, receiver, ratedBody("c1")) })
				synctest.Wait()
				second := post(t, receiver, ratedBody("c1"))
				if test.second == http.StatusServiceUnavailable {
					assert.NotEmpty(t, second.Header().Get("Retry-After"))
					assert.EqualValues(t, 1, calls.Load(), "it does not take over")
				}
				copies.Wait()
				assert.Equal(t, test.fails, first.Code != http.StatusOK)
				assert.Equal(t, test.second, second.Code)
				assert.EqualValues(t, test.calls, calls.Load())
				assert.EqualValues(t, 1, most.Load(), "never two at once")
			})
		})
	}
}

// W9.
func TestAFailureIsDeliveredAgainAndHandledThen(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func() error{
		"error":         func() error { return errors.New("the database is away") },
		"panic":         func() error { panic("with " + salesiq.NewSecret(hookSecret).Reveal()) },
		"runtime panic": func() error { return []error{}[noneOf(nil)] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			receiver, log := newReceiver(webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
			log.answer = failure
			for range 2 {
				assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("chat-of-noemi")).Code)
			}
			log.answer = nil
			for range 2 {
				assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("chat-of-noemi")).Code)
			}
			assert.Equal(t, 3, log.calls())
			assert.Contains(t, logged.String(), "event=chat.rating")
			for _, secret := range []string{salesiq.NewSecret(hookSecret).Reveal(), "chat-of-noemi", "rating\":4"} {
				assert.NotContains(t, logged.String(), secret)
			}
		})
	}
}

// W9: a goroutine that ends frees the event as well, and not in silence.
func TestAHandlerThatEndsItsGoroutineLeavesTheEventFree(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	receiver, log := newReceiver(webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	log.answer = func() error { runtime.Goexit(); return nil }
	body := ratedBody("c1")
	request := newRequest(t, http.MethodPost, body)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	answers := make(chan *httptest.ResponseRecorder, 1)
	answer := httptest.NewRecorder()
	go func() {
		defer func() { answers <- answer }()
		receiver.ServeHTTP(answer, request)
	}()
	assert.Equal(t, http.StatusInternalServerError, (<-answers).Code)
	assert.Contains(t, logged.String(), "status=500")
	log.answer = nil
	assert.Equal(t, http.StatusOK, post(t, receiver, body).Code)
	assert.Equal(t, 2, log.calls())
}

// noneOf hides a zero from the compiler.
func noneOf(names []string) int { return len(names) }

// W9: the service is answered in time, whatever the handler does.
func TestAHandlerHasItsTimeAndNoMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		heeds   bool
		repeats int // How often it is handled again when it is delivered again.
	}{
		"one that heeds its context":     {true, 1},
		"one that goes on and ends well": {false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
				webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
					if calls++; calls > 1 {
						return nil
					}
					deadline, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.Equal(t, 4500*time.Millisecond, time.Until(deadline))
					if !test.heeds {
						time.Sleep(20 * time.Second)
						return nil
					}
					child, cancel := context.WithTimeout(ctx, time.Hour)
					defer cancel()
					<-child.Done()
					assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
					return context.Cause(child)
				})
				answers := make(chan int, 1)
				began := time.Now()
				body := ratedBody("c1")
				request := newRequest(t, http.MethodPost, body)
				request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
				done := make(chan struct{})
				go func() {
					defer close(done)
					receiver.ServeHTTP(&statusWriter{statuses: answers}, request)
				}()
				assert.Equal(t, http.StatusInternalServerError, <-answers)
				assert.Equal(t, 4500*time.Millisecond, time.Since(began))
				<-done
				assert.Equal(t, http.StatusOK, post(t, receiver, body).Code)
				assert.Equal(t, 1+test.repeats, calls)
			})
		})
	}
}

// statusWriter tells the status as soon as it is sent.
type statusWriter struct {
	header   http.Header
	statuses chan int
	status   int
}

func (w *statusWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}
func (w *statusWriter) WriteHeader(status int)      { w.status = status }
func (w *statusWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *statusWriter) Flush()                      { w.statuses <- w.status }

// W9: over a real connection, the answer is whole before the handler ends.
func TestALateHandlerIsAnsweredForOnARealConnection(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithHandlerTimeout(20*time.Millisecond)))
	webhook.OnAny(receiver, func(context.Context, webhook.Event) error { <-release; return nil })
	server := httptest.NewServer(receiver)
	defer server.Close()
	defer close(release)
	body := ratedBody("c1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	answer, err := server.Client().Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.JSONEq(t, `{"error":"took too long"}`, string(text))
}

// A service that hangs up does not stop work half-way.
func TestWorkOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	type key struct{}
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	ctx, hangUp := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	var kept any
	var during error
	var after context.Context
	webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
		hangUp()
		kept, during, after = ctx.Value(key{}), ctx.Err(), ctx
		return nil
	})
	body := ratedBody("c1")
	request := newRequest(t, http.MethodPost, body).WithContext(ctx)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	assert.Equal(t, http.StatusOK, serve(receiver, request).Code)
	assert.Equal(t, "kept", kept)
	require.NoError(t, during)
	require.ErrorIs(t, after.Err(), context.Canceled)
	<-after.Done()
}

// crashingStore forgets claims, as a process does that ends in between.
type crashingStore struct {
	webhook.DedupStore

	begin, done error
}

func (s *crashingStore) Begin(ctx context.Context, id string, claim int64) (webhook.DedupState, error) {
	if s.begin != nil {
		return webhook.DedupFree, s.begin
	}
	return s.DedupStore.Begin(ctx, id, claim)
}

func (s *crashingStore) Done(ctx context.Context, id string, claim int64) error {
	if s.done != nil {
		return errors.Join(s.done, s.Abort(ctx, id, claim))
	}
	return s.DedupStore.Done(ctx, id, claim)
}

// W10: the documented window.
func TestAnEventIsHandledAgainAfterAnEndBetweenWorkAndMark(t *testing.T) {
	t.Parallel()
	store := &crashingStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), done: errors.New("the power is gone")}
	receiver, log := newReceiver(webhook.WithDedupStore(store))
	post(t, receiver, ratedBody("c1"))
	store.done = nil
	for range 2 {
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	}
	assert.Equal(t, 2, log.calls())
}

func TestAnEventWhoseMarkFailsIsNotLoggedAsAFailedOne(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	store := &crashingStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), done: errors.New("connection refused")}
	receiver, _ := newReceiver(webhook.WithDedupStore(store), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	assert.Contains(t, logged.String(), `msg="webhook event handled, but not marked"`)
	assert.Contains(t, logged.String(), "connection refused")
}

// busyStore says that another delivery has the event.
type busyStore struct{ webhook.DedupStore }

func (busyStore) Begin(context.Context, string, int64) (webhook.DedupState, error) {
	return webhook.DedupClaimed, nil
}

func TestTheLogTellsHowTheHandlersEndedWhateverWasAnswered(t *testing.T) {
	t.Parallel()
	memory := func() webhook.DedupStore { return testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)) }
	away := errors.New("connection refused")
	for name, test := range map[string]struct {
		store    webhook.DedupStore
		takes    time.Duration
		fails    error
		status   int
		message  string
		hasError bool
	}{
		"handled":                     {memory(), 0, nil, 200, "webhook event handled", false},
		"handled late":                {memory(), time.Minute, nil, 500, "webhook event handled", false},
		"handled late, not marked":    {&crashingStore{DedupStore: memory(), done: away}, time.Minute, nil, 500, "webhook event handled, but not marked", true},
		"handled late, not claimed":   {&crashingStore{DedupStore: memory(), begin: away}, time.Minute, nil, 500, "webhook event handled, but not marked", true},
		"failed late":                 {memory(), time.Minute, errors.New("no"), 500, "webhook event failed", true},
		"another delivery has it":     {busyStore{memory()}, 0, nil, 503, "webhook event is being handled by another delivery", false},
		"failed, and was not claimed": {&crashingStore{DedupStore: memory(), begin: away}, 0, errors.New("no"), 500, "webhook event failed", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				var result webhook.DeliveryResult
				receiver, log := newReceiver(webhook.WithDedupStore(test.store), webhook.WithDedupFailure(webhook.DedupProcess),
					webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
					webhook.WithTracer(&webhook.Tracer{Delivery: func(context.Context, webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
						return nil, func(r webhook.DeliveryResult) { result = r }
					}}))
				log.answer = func() error { time.Sleep(test.takes); return test.fails }
				assert.Equal(t, test.status, post(t, receiver, ratedBody("c1")).Code)
				synctest.Wait()
				assert.Contains(t, logged.String(), `msg="`+test.message+`"`)
				assert.Equal(t, test.status, result.StatusCode)
				assert.Equal(t, test.hasError, result.Err != nil)
			})
		})
	}
}

// W12.
func TestAStoreThatIsAwayRefusesOrProcesses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts   []webhook.Option
		status int
		calls  int
	}{
		"by default":   {nil, http.StatusServiceUnavailable, 0},
		"DedupRefuse":  {[]webhook.Option{webhook.WithDedupFailure(webhook.DedupRefuse)}, http.StatusServiceUnavailable, 0},
		"DedupProcess": {[]webhook.Option{webhook.WithDedupFailure(webhook.DedupProcess)}, http.StatusOK, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			store := &crashingStore{begin: errors.New("connection refused")}
			logger := slog.New(slog.NewTextHandler(&logged, nil))
			receiver, log := newReceiver(append(test.opts, webhook.WithDedupStore(store), webhook.WithLogger(logger))...)
			for range 2 {
				assert.Equal(t, test.status, post(t, receiver, ratedBody("c1")).Code)
			}
			assert.Equal(t, test.calls, log.calls())
			assert.Contains(t, logged.String(), "connection refused")
		})
	}
}

// panickingStore fails in another way.
type panickingStore struct {
	webhook.DedupStore

	begin, end bool
}

func (s *panickingStore) Begin(ctx context.Context, id string, claim int64) (webhook.DedupState, error) {
	if s.begin {
		panic("at the beginning")
	}
	return s.DedupStore.Begin(ctx, id, claim)
}

func (s *panickingStore) Done(ctx context.Context, id string, claim int64) error {
	if s.end {
		panic("at the end")
	}
	return s.DedupStore.Done(ctx, id, claim)
}

// W12.
func TestAStoreThatPanicsIsAnsweredFor(t *testing.T) {
	t.Parallel()
	for store, status := range map[*panickingStore]int{
		{begin: true}: http.StatusServiceUnavailable,
		{end: true}:   http.StatusOK, // The work is done.
	} {
		store.DedupStore = testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))
		var logged bytes.Buffer
		receiver, _ := newReceiver(webhook.WithDedupStore(store), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
		assert.Equal(t, status, post(t, receiver, ratedBody("c1")).Code)
		assert.Contains(t, logged.String(), "panic: string")
	}
}

// silentStore answers nobody.
type silentStore struct{ webhook.DedupStore }

func (silentStore) Begin(ctx context.Context, _ string, _ int64) (webhook.DedupState, error) {
	<-ctx.Done()
	return webhook.DedupFree, ctx.Err()
}

// W12: nor does one that hangs take the time of the handlers.
func TestAStoreThatDoesNotAnswerRefusesOrProcesses(t *testing.T) {
	t.Parallel()
	for failure, want := range map[webhook.DedupFailure]int{
		webhook.DedupRefuse: http.StatusServiceUnavailable, webhook.DedupProcess: http.StatusOK,
	} {
		synctest.Test(t, func(t *testing.T) {
			receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)),
				webhook.WithDedupStore(silentStore{}), webhook.WithDedupFailure(failure)))
			calls := 0
			webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
				calls++
				time.Sleep(time.Second)
				return ctx.Err()
			})
			assert.Equal(t, want, post(t, receiver, ratedBody("c1")).Code)
			assert.Equal(t, want == http.StatusOK, calls == 1)
		})
	}
}

// deafStore does not mind its context.
type deafStore struct {
	webhook.DedupStore

	released chan struct{}
}

func (s *deafStore) Begin(ctx context.Context, id string, claim int64) (webhook.DedupState, error) {
	<-s.released
	return s.DedupStore.Begin(context.WithoutCancel(ctx), id, claim)
}

// W12: nobody waits for such a store, and what it claims too late is freed.
func TestAStoreThatMindsNoTimeRefusesOrProcesses(t *testing.T) {
	t.Parallel()
	for failure, want := range map[webhook.DedupFailure]int{
		webhook.DedupRefuse: http.StatusServiceUnavailable, webhook.DedupProcess: http.StatusOK,
	} {
		synctest.Test(t, func(t *testing.T) {
			store := &deafStore{testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), make(chan struct{})}
			receiver, log := newReceiver(webhook.WithDedupStore(store), webhook.WithDedupFailure(failure))
			began := time.Now()
			assert.Equal(t, want, post(t, receiver, ratedBody("c1")).Code)
			assert.Equal(t, 4500*time.Millisecond/4*3, time.Since(began))
			assert.Equal(t, want == http.StatusOK, log.calls() == 1)
			close(store.released)
			synctest.Wait()
			id := testkit.Must(webhook.Parse(ratedBody("c1"))).Info().EventID
			assert.Equal(t, webhook.DedupFree, begin(t, store.DedupStore, id))
		})
	}
}

// W13.
func TestAnUnknownEventIsDelivered(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	var got *webhook.UnknownEvent
	webhook.On(receiver, func(_ context.Context, e *webhook.UnknownEvent) error { got = e; return nil })
	assert.Equal(t, http.StatusOK, post(t, receiver, []byte(`{"event":"robot.sang","data":{"song":"Daisy"}}`)).Code)
	require.NotNil(t, got)
	assert.JSONEq(t, `"Daisy"`, string(got.Extra["song"]))
}

// W14.
func TestTwoSecretsAreGoodDuringARotation(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret), salesiq.NewSecret(oldHookSecret))))
	for secret, status := range map[salesiq.Secret]int{
		salesiq.NewSecret(hookSecret): http.StatusOK, salesiq.NewSecret(oldHookSecret): http.StatusOK, salesiq.NewSecret("a third"): http.StatusUnauthorized,
	} {
		body := ratedBody("c1")
		request := newRequest(t, http.MethodPost, body)
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, body))
		assert.Equal(t, status, serve(receiver, request).Code)
	}
}

func TestASinkTakesTheEventInsteadOfTheHandlers(t *testing.T) {
	t.Parallel()
	sink := &handlerLog{}
	receiver, log := newReceiver(webhook.WithSink(sinkFunc(sink.handle)))
	sink.answer = func() error { return errors.New("full") }
	answer := post(t, receiver, ratedBody("c1"))
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.NotEmpty(t, answer.Header().Get("Retry-After"))
	sink.answer = nil
	for range 2 {
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	}
	assert.Equal(t, 2, sink.calls())
	assert.Zero(t, log.calls())

	require.NoError(t, receiver.Dispatch(t.Context(), sink.events[1]))
	assert.Equal(t, 1, log.calls(), "the handlers are there for whoever empties the sink")
}

type sinkFunc func(context.Context, webhook.Event) error

func (f sinkFunc) Enqueue(ctx context.Context, event webhook.Event) error { return f(ctx, event) }

type nilSink struct{ name string }

func (s *nilSink) Enqueue(context.Context, webhook.Event) error { s.name = ""; return nil }

type nilStore struct{ webhook.DedupStore }

type nilVerifier struct{ name string }

func (v *nilVerifier) Verify(http.Header, []byte) error { v.name = ""; return nil }

// W16.
func TestWhatIsNilOrWasNotMadeIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	var none context.Context
	handle := func(context.Context, webhook.Event) error { return nil }
	secret := webhook.HMAC(salesiq.NewSecret(hookSecret))
	pool := testkit.Must(webhook.NewWorkerPool(1, 1, handle, nil))
	for name, use := range map[string]func() error{
		"zero Receiver, OnAny": func() error { return webhook.OnAny(new(webhook.Receiver), handle) },
		"nil Receiver, OnAny":  func() error { return webhook.OnAny(nil, handle) },
		"zero Receiver, Dispatch": func() error {
			return new(webhook.Receiver).Dispatch(t.Context(), testkit.Must(webhook.Parse(ratedBody("c1"))))
		},
		"nil Receiver, Dispatch": func() error {
			return (*webhook.Receiver)(nil).Dispatch(t.Context(), testkit.Must(webhook.Parse(ratedBody("c1"))))
		},
		"Dispatch of nothing": func() error { receiver, _ := newReceiver(); return receiver.Dispatch(t.Context(), nil) },
		"Dispatch of a typed nil": func() error {
			receiver, _ := newReceiver()
			return receiver.Dispatch(t.Context(), (*webhook.ChatRated)(nil))
		},
		"typed nil verifier": func() error { _, err := webhook.NewReceiver((*nilVerifier)(nil)); return err },
		"typed nil in AnyOf": func() error { _, err := webhook.NewReceiver(webhook.AnyOf((*nilVerifier)(nil))); return err },
		"typed nil sink":     func() error { _, err := webhook.NewReceiver(secret, webhook.WithSink((*nilSink)(nil))); return err },
		"typed nil store": func() error {
			_, err := webhook.NewReceiver(secret, webhook.WithDedupStore((*nilStore)(nil)))
			return err
		},
		"zero WorkerPool, Enqueue":  func() error { return new(webhook.WorkerPool).Enqueue(t.Context(), &webhook.ChatRated{}) },
		"zero WorkerPool, Shutdown": func() error { return new(webhook.WorkerPool).Shutdown(t.Context()) },
		"Shutdown without context":  func() error { return pool.Shutdown(none) },
	} {
		assert.NotPanics(t, func() { require.ErrorIs(t, use(), salesiq.ErrInvalidInput, name) }, name)
	}
	require.NoError(t, pool.Shutdown(t.Context()))

	for _, receiver := range []*webhook.Receiver{nil, {}} {
		assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, ratedBody("c1")).Code)
	}
	receiver, log := newReceiver()
	request := newRequest(t, http.MethodPost, nil)
	request.Body, request.Header = nil, nil
	assert.Equal(t, http.StatusUnauthorized, serve(receiver, request).Code, "it is not signed")
	assert.Zero(t, log.calls())
}
