package transport

import "sync/atomic"

// What retries may cost: a reserve, for the blip of a moment, and a fifth of a
// request for each call that succeeded. An outage uses the reserve up, and then
// costs one request a call, not four.
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
