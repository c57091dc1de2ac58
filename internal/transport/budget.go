package transport

import "sync/atomic"

// Retries are paid for, so that an outage does not multiply the requests: there is
// a reserve, and each call that succeeds earns a part of another retry. Once the
// reserve is spent, a call of an outage is one request. Repeats after a refused token or
// a 429 cost nothing, and neither do those without a pause: see again.
const (
	retryReserve = 20 // Retries.
	retryPrice   = 5  // Successes that pay for one retry.
)

// budget is shared by the calls of a pipeline. The zero budget is full.
type budget struct{ debt atomic.Int64 } // In successes.

// spend takes one retry, unless there is none left.
func (b *budget) spend() bool {
	for {
		debt := b.debt.Load()
		if debt > (retryReserve-1)*retryPrice {
			return false
		}
		if b.debt.CompareAndSwap(debt, debt+retryPrice) {
			return true
		}
	}
}

// earn notes a success.
func (b *budget) earn() {
	for {
		debt := b.debt.Load()
		if debt == 0 || b.debt.CompareAndSwap(debt, debt-1) {
			return
		}
	}
}
