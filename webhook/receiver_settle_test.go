package webhook_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// punctualStore does nothing for a context that has ended, as one over a network.
type punctualStore struct {
	webhook.DedupStore

	settled int
}

func (s *punctualStore) Done(ctx context.Context, id string, claim int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.settled++
	return s.DedupStore.Done(ctx, id, claim)
}

func (s *punctualStore) Abort(ctx context.Context, id string, claim int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.settled++
	return s.DedupStore.Abort(ctx, id, claim)
}

func TestAClaimEndsThoughTheTimeForTheEventIsOver(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := &punctualStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
			receiver, _ := newReceiver(webhook.WithDedupStore(store), webhook.WithHandlerTimeout(time.Second))
			webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
				if late {
					time.Sleep(2 * time.Second)
				}
				return nil
			})
			post(t, receiver, ratedBody("c1"))
			synctest.Wait()
			time.Sleep(time.Minute)
			assert.Equal(t, 1, store.settled, "late: %t", late)
		})
	}
}
