package webhook_test

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// disabled is an event without a time: when the operator is disabled again, its body is
// the same.
func disabled(attempt int) []byte {
	return fmt.Appendf(nil, `{"event":"operator.updated","entity_id":"o1","attempt":%d,"entity":{"chat_enabled":false}}`, attempt)
}

// W21.
func TestAStateThatComesBackIsHandledAgain(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	for range 3 {
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(1)).Code)
	}
	require.Equal(t, 3, log.calls())
	for attempt := 2; attempt <= 4; attempt++ {
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(attempt)).Code)
	}
	assert.Equal(t, 3, log.calls(), "later deliveries of what was handled")
	ids := map[string]bool{}
	for _, event := range log.events {
		info := event.Info()
		ids[info.EventID] = true
		again, err := webhook.Parse(info.Body)
		require.NoError(t, err)
		assert.Equal(t, info.EventID, again.Info().EventID, "behind a queue it is the same")
		assert.Equal(t, info.EventName, again.Info().EventName)
		assert.JSONEq(t, string(info.Data), string(again.Info().Data))
	}
	assert.Len(t, ids, 3, "a queue keeps all of them")

	const timed = `{"event":"operator.updated","event_time":"1790000000123","attempt":1,"entity":{"chat_enabled":false}}`
	for _, body := range []string{timed, strings.Replace(timed, `"attempt":1`, `"attempt":2`, 1), timed} {
		post(t, receiver, []byte(body))
	}
	assert.Equal(t, 4, log.calls(), "with a time it is exact")
	post(t, receiver, []byte(strings.Replace(timed, "123", "124", 1)))
	assert.Equal(t, 5, log.calls())
}

// W21: a failure of the second is not taken for the success of the first.
func TestALaterDeliveryIsOfTheEventThatHasNotSucceeded(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	post(t, receiver, disabled(1))
	log.answer = func() error { return errors.New("no") }
	assert.Equal(t, http.StatusInternalServerError, post(t, receiver, disabled(1)).Code)
	failed := log.events[1].Info().EventID
	log.answer = nil
	assert.Equal(t, http.StatusOK, post(t, receiver, disabled(2)).Code)
	require.Equal(t, 3, log.calls())
	assert.Equal(t, failed, log.events[2].Info().EventID, "so that Once knows what has succeeded")
	post(t, receiver, disabled(3))
	assert.Equal(t, 3, log.calls())
}

// W21.
func TestAnEventWhoseFirstDeliveryNobodyGotIsHandled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		receiver, log := newReceiver()
		post(t, receiver, disabled(3))
		assert.Equal(t, 1, log.calls())
		post(t, receiver, disabled(4))
		assert.Equal(t, 1, log.calls())
		time.Sleep(10 * time.Minute)
		post(t, receiver, disabled(2))
		assert.Equal(t, 2, log.calls(), "the state came back while nobody listened")
		time.Sleep(5*time.Minute - time.Second)
		post(t, receiver, disabled(3))
		assert.Equal(t, 2, log.calls(), "five minutes are remembered, whenever they begin")
	})
}

// W21: an entity without an envelope has neither a time nor a count.
func TestABareEntityIsNeverTakenForAnother(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver(webhook.WithEventName("visitor.updated"))
	bodies := []string{`{"id":"v1"}`, `{"id":"v1"}`, "\ufeff{}", " { } ", `{"id":"v1","data":{"id":"x"}}`, `{"id":"v1","data":{"id":"x"}}`}
	for i, body := range bodies {
		assert.Equal(t, http.StatusOK, post(t, receiver, []byte(body)).Code)
		require.Equal(t, i+1, log.calls(), body)
		info := log.events[i].Info()
		assert.Equal(t, salesiq.EventName("visitor.updated"), info.EventName)
		again, err := webhook.Parse(info.Body)
		require.NoError(t, err, "%s", info.Body)
		assert.Equal(t, info.EventID, again.Info().EventID)
		assert.JSONEq(t, string(info.Data), string(again.Info().Data))
	}
	log.answer = func() error { return errors.New("no") }
	post(t, receiver, []byte(`{"id":"v2"}`))
	log.answer = nil
	post(t, receiver, []byte(`{"id":"v2"}`))
	assert.Equal(t, log.events[len(bodies)].Info().EventID, log.events[len(bodies)+1].Info().EventID, "it had not succeeded")

	named := []byte(`{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"c1"}}`)
	post(t, receiver, named)
	post(t, receiver, named)
	assert.Equal(t, len(bodies)+3, log.calls())
	assert.IsType(t, &webhook.ChatRated{}, log.events[len(bodies)+2], "its own name counts")
}

// W22: what Parse reads of a body is read, too, if the receiver has a name for it.
func TestABodyThatOnlyLacksANameKeepsItsTimeAndItsAttempts(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver(webhook.WithEventName("visitor.updated"), webhook.WithTolerance(time.Hour))
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	for _, attempt := range []string{"1", "2"} {
		assert.Equal(t, http.StatusOK, post(t, receiver, []byte(`{"event_time":"`+now+`","attempt":`+attempt+`,"data":{"id":"v1"}}`)).Code)
		assert.Equal(t, http.StatusOK, post(t, receiver, []byte(`{"event_time":"`+now+`","attempt":`+attempt+`,"id":"v2"}`)).Code)
	}
	require.Equal(t, 2, log.calls(), "an attempt is no other event")
	assert.JSONEq(t, `{"id":"v1"}`, string(log.events[0].Info().Data))
	for _, event := range log.events {
		assert.False(t, event.Info().EventTime.IsZero())
		assert.EqualValues(t, "visitor.updated", event.Info().EventName)
	}
	assert.Equal(t, http.StatusForbidden, post(t, receiver, []byte(`{"event_time":"1772703667250","id":"v3"}`)).Code, "it is old")
}

// W21.
func TestDispatchWithOnceTellsEqualBodiesApart(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	calls, failing := 0, false
	require.NoError(t, errors.Join(
		webhook.OnAny(receiver, func(context.Context, webhook.Event) error { calls++; return nil }, webhook.Once("mail")),
		webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
			if failing {
				return errors.New("no")
			}
			return nil
		})))
	for i, row := range []struct {
		attempt int
		fails   bool
		calls   int
	}{{1, false, 1}, {2, false, 1}, {1, true, 2}, {2, false, 2}, {3, false, 2}, {1, false, 3}} {
		event := testkit.Must(webhook.Parse(disabled(row.attempt)))
		failing = row.fails
		assert.Equal(t, row.fails, receiver.Dispatch(t.Context(), event) != nil, i)
		assert.Equal(t, row.calls, calls, i)
	}
}

// W21.
func TestEqualBodiesAtOnceAreAllHandled(t *testing.T) {
	t.Parallel()
	const copies = 40
	receiver, log := newReceiver()
	var running sync.WaitGroup
	for range copies {
		running.Go(func() { assert.Equal(t, http.StatusOK, post(t, receiver, disabled(1)).Code) })
	}
	running.Wait()
	require.Equal(t, copies, log.calls())
	for range copies {
		running.Go(func() { assert.Equal(t, http.StatusOK, post(t, receiver, disabled(2)).Code) })
	}
	running.Wait()
	assert.Equal(t, copies, log.calls())
	ids := map[string]bool{}
	for _, event := range log.events {
		ids[event.Info().EventID] = true
	}
	assert.Len(t, ids, copies)
}

// W21.
func TestALaterDeliveryWaitsForTheOneThatIsBeingHandled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
		webhook.OnAny(receiver, func(context.Context, webhook.Event) error { calls++; time.Sleep(time.Second); return nil })
		var running sync.WaitGroup
		running.Go(func() { post(t, receiver, disabled(1)) })
		synctest.Wait()
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(2)).Code)
		running.Wait()
		assert.Equal(t, 1, calls)
	})
}

// W21.
func TestAnEventKeepsItsIdentityBehindAQueue(t *testing.T) {
	t.Parallel()
	for _, bodies := range [][2]string{
		{string(disabled(1)), string(disabled(2))},
		{`{"attempt":1,"entity":{"id":"o1"}}`, `{"attempt":2,"entity":{"id":"o1"}}`},
		{`{"attempt":1,"id":"o1"}`, `{"attempt":2,"id":"o1"}`},
	} {
		receiver, log := newReceiver()
		for _, body := range bodies {
			post(t, receiver, []byte(body))
		}
		require.Equal(t, 1, log.calls(), bodies[0])
		calls := 0
		worker := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
		webhook.OnAny(worker, func(context.Context, webhook.Event) error { calls++; return nil }, webhook.Once("mail"))
		for range 2 { // The queue gives it out again.
			event := testkit.Must(webhook.Parse(log.events[0].Info().Body))
			require.NoError(t, worker.Dispatch(t.Context(), event))
			assert.Equal(t, log.events[0].Info().EventID, event.Info().EventID)
		}
		assert.Equal(t, 1, calls, bodies[0])
	}
}

// lastingStore outlives the processes that use it. Their claims do not.
type lastingStore struct {
	mu      sync.Mutex
	state   map[string]webhook.DedupState
	process int // Those before it have ended.
}

// processStore is the store as one process uses it.
type processStore struct {
	*lastingStore
	process int
}

var errEnded = errors.New("the process has ended")

func (s *lastingStore) restart() webhook.DedupStore {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process++
	maps.DeleteFunc(s.state, func(_ string, state webhook.DedupState) bool { return state == webhook.DedupClaimed })
	return &processStore{s, s.process}
}

func (s *processStore) Begin(_ context.Context, id string, _ int64) (webhook.DedupState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != s.lastingStore.process {
		return webhook.DedupFree, errEnded
	}
	state := s.state[id]
	if state == webhook.DedupFree {
		s.state[id] = webhook.DedupClaimed
	}
	return state, nil
}

func (s *processStore) end(id string, from, to webhook.DedupState) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != s.lastingStore.process {
		return errEnded
	}
	if s.state[id] == from {
		s.state[id] = to
	}
	return nil
}

func (s *processStore) Done(_ context.Context, id string, _ int64) error {
	return s.end(id, webhook.DedupClaimed, webhook.DedupDone)
}

func (s *processStore) Abort(_ context.Context, id string, _ int64) error {
	return s.end(id, webhook.DedupClaimed, webhook.DedupFree)
}

// W21: the example in the documentation of the package.
func TestADeliveryWithoutATimeChangesTheTwoKeysOfItsEvent(t *testing.T) {
	t.Parallel()
	store := &lastingStore{state: map[string]webhook.DedupState{}}
	receiver, log := newReceiver(webhook.WithDedupStore(store.restart()))
	for i, row := range []struct {
		attempt  int
		fails    error
		of       int // The event, from 0.
		status   int
		expected map[string]webhook.DedupState // By key, with the number of the event.
	}{
		{1, nil, 0, http.StatusOK, map[string]webhook.DedupState{"seen/0": webhook.DedupDone, "0": webhook.DedupDone}},
		{1, errors.New("no"), 1, http.StatusInternalServerError, map[string]webhook.DedupState{
			"seen/0": webhook.DedupDone, "0": webhook.DedupDone, "seen/1": webhook.DedupDone, "1": webhook.DedupFree,
		}},
		{2, nil, 1, http.StatusOK, map[string]webhook.DedupState{
			"seen/0": webhook.DedupDone, "0": webhook.DedupDone, "seen/1": webhook.DedupDone, "1": webhook.DedupDone,
		}},
	} {
		log.answer = func() error { return row.fails }
		assert.Equal(t, row.status, post(t, receiver, disabled(row.attempt)).Code, i)
		require.Equal(t, i+1, log.calls())
		assert.Equal(t, log.events[row.of].Info().EventID, log.events[i].Info().EventID, i)
		got := map[string]webhook.DedupState{}
		for n := range row.of + 1 {
			id := log.events[n].Info().EventID
			got[fmt.Sprint(n)], got[fmt.Sprint("seen/", n)] = store.state[id], store.state["seen/"+id]
		}
		assert.Equal(t, row.expected, got, i)
	}
}

// sending is one event on its way, as the live service sends it: four times, a minute
// apart, until it is answered with success.
type sending struct {
	at      time.Time
	body    string // With %d for the attempt.
	attempt int
	timed   bool
	rare    bool // Its body comes again after more than ten minutes.
	answers bool // It was answered, and is sent once more all the same.
}

type sendings []*sending

func (s sendings) Len() int           { return len(s) }
func (s sendings) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s sendings) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sendings) Push(x any)        { *s = append(*s, x.(*sending)) }
func (s *sendings) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// service sends events to a receiver that fails and restarts.
type service struct {
	random  *rand.Rand
	queue   sendings
	begun   map[string]int // Events, by body.
	effects map[string]int // Of the handler, by body.
	mails   map[string]int // Of the handler with Once.
	ids     map[string]bool
	posts   int

	store    *lastingStore
	receiver *webhook.Receiver
	fate     string // Of the delivery that is being made.
}

func (s *service) restart(t *testing.T) {
	t.Helper()
	s.receiver = testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(s.store.restart())))
	require.NoError(t, errors.Join(
		webhook.OnAny(s.receiver, func(_ context.Context, event webhook.Event) error {
			if s.fate == "ends at once" {
				s.store.restart()
				return errEnded
			}
			s.mails[string(event.Info().Data)]++
			return nil
		}, webhook.Once("mail")),
		webhook.OnAny(s.receiver, func(_ context.Context, event webhook.Event) error {
			switch s.fate {
			case "fails":
				return errors.New("no")
			case "ends":
				s.store.restart()
				return errEnded
			}
			s.effects[string(event.Info().Data)]++
			assert.False(t, s.ids[event.Info().EventID], "each event has an id of its own")
			s.ids[event.Info().EventID] = true
			return nil
		})))
}

// fateOf says what becomes of a delivery. The last one arrives, and is handled.
func (s *service) fateOf(e *sending) string {
	fates := []string{"", "", "", "", "fails", "ends", "ends at once", "answer is lost"}
	if e.attempt > 1 || e.timed || e.rare {
		fates = append(fates, "does not arrive")
	}
	if e.attempt >= 4 {
		return ""
	}
	return fates[s.random.IntN(len(fates))]
}

// deliver makes the next delivery.
func (s *service) deliver(t *testing.T) {
	t.Helper()
	e := heap.Pop(&s.queue).(*sending)
	time.Sleep(time.Until(e.at))
	s.posts++
	if s.fate = s.fateOf(e); s.fate != "does not arrive" {
		answer := post(t, s.receiver, fmt.Appendf(nil, e.body, e.attempt))
		switch {
		case strings.HasPrefix(s.fate, "ends"):
			s.restart(t)
		case s.fate == "":
			assert.Equal(t, http.StatusOK, answer.Code, "%s, attempt %d", e.body, e.attempt)
			s.repeat(e)
			return
		}
	}
	e.attempt++
	e.at = e.at.Add(time.Minute)
	heap.Push(&s.queue, e)
}

// repeat sends again, now and then, what was answered with success.
func (s *service) repeat(e *sending) {
	if e.answers || s.random.IntN(2) > 0 {
		return
	}
	e.answers = true
	if !e.timed || s.random.IntN(2) > 0 {
		e.attempt++
	}
	e.at = e.at.Add(time.Duration(s.random.IntN(60)) * time.Second)
	heap.Push(&s.queue, e)
}

// W21: in either form of the envelope, with deliveries that fail, are lost, are doubled,
// and end the process, and with states that come back within seconds.
func TestTenThousandLiveDeliveriesLoseNoneAndRunNoneTwice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			s := &service{
				random: rand.New(rand.NewPCG(seed, 19)), begun: map[string]int{}, effects: map[string]int{}, mails: map[string]int{},
				ids: map[string]bool{}, store: &lastingStore{state: map[string]webhook.DedupState{}},
			}
			s.restart(t)
			at := time.Now()
			for n := range 5000 {
				at = at.Add(time.Duration(s.random.IntN(3000)) * time.Millisecond)
				e := &sending{at: at, attempt: 1, timed: n%2 == 0, rare: n%600 == 1}
				entity := fmt.Sprintf(`{"id":"o%d","chat_enabled":%t}`, s.random.IntN(20), s.random.IntN(2) == 0)
				if e.rare {
					entity = `{"id":"rare"}`
				}
				e.body = `{"event":"operator.updated","entity_id":"o1","attempt":%d,"entity":` + entity + `}`
				if e.timed {
					e.body = fmt.Sprintf(`{"event_time":"%d",`, at.UnixMilli()+int64(n)) + e.body[1:]
				}
				s.begun[entity]++
				heap.Push(&s.queue, e)
			}
			for s.queue.Len() > 0 {
				s.deliver(t)
			}
			assert.Equal(t, s.begun, s.effects)
			assert.Equal(t, s.begun, s.mails, "with Once")
			assert.Greater(t, s.posts, 10_000)
			t.Logf("%d deliveries of 5000 events, %d processes", s.posts, s.store.process)
		})
	}
}

// keepingSink takes each event once, as the sinks of salesiqbolt and salesiqredis do.
type keepingSink struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (s *keepingSink) Enqueue(_ context.Context, event webhook.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[event.Info().EventID] = true
	return nil
}

// W27: the sink would take the second event for the first.
func TestNoNumberIsGivenToTwoEvents(t *testing.T) {
	t.Parallel()
	nothing := func(http.Handler) {}
	for name, test := range map[string]struct {
		events  int // How many the store remembers; zero for a store that is made anew for each event.
		age     time.Duration
		between func(receiver http.Handler) // What happens between two events.
		others  int                         // Events of other bodies in between.
	}{
		"the process starts again":      {0, 0, nothing, 0},
		"the receiver is made anew":     {1000, time.Hour, nothing, 0},
		"the store forgets for its age": {1000, time.Minute, func(http.Handler) { time.Sleep(90 * time.Second) }, 0},
		"the store forgets for its size": {4, time.Hour, func(receiver http.Handler) {
			for n := range 5 {
				post(t, receiver, ratedBody(fmt.Sprint(n)))
			}
		}, 5},
		"the store forgets at once": {1, time.Nanosecond, nothing, 0},
	} {
		for _, body := range [][]byte{disabled(1), []byte(`{"id":"v1"}`)} {
			synctest.Test(t, func(t *testing.T) {
				sink := &keepingSink{ids: map[string]bool{}}
				opts := []webhook.Option{webhook.WithSink(sink)}
				if test.events > 0 {
					opts = append(opts, webhook.WithDedupStore(testkit.Must(webhook.NewMemoryDedupStore(test.events, test.age))))
				}
				for range 3 {
					receiver, _ := newReceiver(opts...)
					assert.Equal(t, http.StatusOK, post(t, receiver, body).Code)
					test.between(receiver)
				}
				assert.Len(t, sink.ids, 3+test.others, "%s: %s", name, body)
			})
		}
	}
}

// W27: while others have the store forget, too.
func TestNoNumberIsGivenToTwoEventsAtOnce(t *testing.T) {
	t.Parallel()
	for _, events := range []int{1, 3} {
		const copies, rounds = 16, 50
		sink := &keepingSink{ids: map[string]bool{}}
		receiver, _ := newReceiver(webhook.WithSink(sink), webhook.WithDedupStore(testkit.Must(webhook.NewMemoryDedupStore(events, time.Hour))))
		var running sync.WaitGroup
		for range copies {
			running.Go(func() {
				for range rounds {
					assert.Equal(t, http.StatusOK, post(t, receiver, disabled(1)).Code)
				}
			})
		}
		running.Wait()
		assert.Len(t, sink.ids, copies*rounds, "of %d that are remembered", events)
	}
}

// W27: a store that forgets what is old still knows the deliveries of an event together.
func TestForgettingOldEventsLeavesTheNumbersAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		receiver, log := newReceiver(webhook.WithDedupStore(testkit.Must(webhook.NewMemoryDedupStore(1000, 10*time.Minute))))
		post(t, receiver, ratedBody("c1"))
		time.Sleep(9*time.Minute + 30*time.Second)
		post(t, receiver, disabled(1))
		time.Sleep(time.Minute)
		post(t, receiver, ratedBody("c1"))
		assert.Equal(t, 3, log.calls(), "the first event is forgotten")
		post(t, receiver, disabled(2))
		assert.Equal(t, 3, log.calls())
	})
}

// W27: an event that the store cannot number is handled all the same, and the sink must
// not take it for another.
func TestEventsThatTheStoreCannotNumberAreKeptApart(t *testing.T) {
	t.Parallel()
	for where, breaks := range map[string]func(*faultyStore){
		"no key can be claimed":        func(s *faultyStore) { s.begin = func(string) error { return errStoreAway } },
		"an event cannot be claimed":   func(s *faultyStore) { s.begin = ofEvent(faults["error"]) },
		"it cannot be marked as seen":  func(s *faultyStore) { s.done = ofSeen(faults["error"]) },
		"what was asked stays claimed": func(s *faultyStore) { s.done, s.abort = ofSeen(faults["error"]), ofSeen(faults["error"]) },
	} {
		for body, events := range map[string]int{string(disabled(1)): 3, string(disabled(2)): 3, `{"id":"v1"}`: 3, string(ratedBody("c1")): 1} {
			synctest.Test(t, func(t *testing.T) {
				sink := &keepingSink{ids: map[string]bool{}}
				store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(100, time.Hour))}
				breaks(store)
				receiver, _ := newReceiver(webhook.WithSink(sink), webhook.WithDedupStore(store), webhook.WithDedupFailure(webhook.DedupProcess))
				for range 3 {
					assert.Equal(t, http.StatusOK, post(t, receiver, []byte(body)).Code)
				}
				assert.Len(t, sink.ids, events, "%s: %s", where, body)
			})
		}
	}
}

// W27: Once has no other key than the identity.
func TestDispatchOfEventsThatTheStoreCannotNumberRepeatsAndDropsNoEffect(t *testing.T) {
	t.Parallel()
	for failure, effects := range map[webhook.DedupFailure]int{webhook.DedupRefuse: 0, webhook.DedupProcess: 2} {
		store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(100, time.Hour))}
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(store), webhook.WithDedupFailure(failure)))
		calls := 0
		require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { calls++; return nil }, webhook.Once("mail")))
		first, second := testkit.Must(webhook.Parse(disabled(1))), testkit.Must(webhook.Parse(disabled(1)))
		store.done = func(key string) error {
			if strings.HasPrefix(key, "seen/") {
				return errStoreAway
			}
			return nil
		}
		for _, event := range []webhook.Event{first, second} {
			assert.Equal(t, failure == webhook.DedupRefuse, receiver.Dispatch(t.Context(), event) != nil)
		}
		assert.Equal(t, effects, calls)
		store.done = nil
		for range 2 { // The queue tries both again.
			require.NoError(t, receiver.Dispatch(t.Context(), second))
			require.NoError(t, receiver.Dispatch(t.Context(), first))
		}
		assert.Equal(t, 2, calls, "each has had its effect, whichever comes first")
	}
}
