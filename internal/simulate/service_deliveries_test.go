package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// subscribe makes the webhooks: the desk's for all that happens in chats, those of others
// for what they have work with.
func (w *world) subscribe() {
	for _, hook := range [][2]string{{desk, `"chat.started","chat.ended","message.received"`}, {inbox, `"chat.started","chat.ended"`}, {dispatcher, `"chat.started"`}} {
		status, body := w.service.console("POST", "/api/v2/webhooks", fmt.Sprintf(`{"name":%q,"url":"http://%s/","secret":%q,"enabled":true,"events":[%s]}`,
			hook[0], host(hook[0]), webhookSecret, hook[1]))
		if status >= 300 {
			panic(string(body))
		}
	}
}

// courier delivers events, in more ways than the service would want to.
type courier struct {
	world *world
	wire  http.RoundTripper
}

func newCourier(w *world) *courier {
	return &courier{world: w, wire: &http.Transport{DialContext: w.network.dialer(nil), DisableKeepAlives: false, IdleConnTimeout: time.Minute}}
}

// RoundTrip implements [http.RoundTripper].
func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	w := c.world
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	program, _, _ := strings.Cut(r.URL.Host, ".")
	roll := w.dice.roll("delivery "+program+string(body), time.Now().UnixNano())
	if w.hits("late", "all", roll) {
		time.Sleep(time.Duration(roll.Int64N(int64(5 * time.Second))))
	}
	status, answer, err := c.deliver(r.Context(), r, body)
	w.delivers(program, body, status)
	if w.hits("again", "all", roll) {
		pause := time.Duration(roll.Int64N(int64(rememberedFor / 2)))
		w.works.Go(func() {
			if w.sleep(pause) {
				again, _, _ := c.deliver(w.context, r, body)
				w.delivers(program, body, again)
			}
		})
	}
	if err != nil {
		return nil, err
	}
	if w.hits("lost-word", "all", roll) {
		return nil, errReset
	}
	return answer, nil
}

// deliver delivers an event once. Its answer is read to the end.
func (c *courier) deliver(ctx context.Context, r *http.Request, body []byte) (status int, answer *http.Response, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	again := r.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	if answer, err = c.wire.RoundTrip(again); err != nil {
		return 0, nil, err
	}
	said, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(said))
	return answer.StatusCode, answer, err
}
