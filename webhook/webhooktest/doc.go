// Package webhooktest has the tests that every [webhook.DedupStore] and every
// [webhook.Sink] must pass: those of this repository do, and one of your own can be
// held to them as well.
//
//	func TestStore(t *testing.T) {
//		webhooktest.TestDedupStore(t, func(t *testing.T) webhook.DedupStore {
//			return NewStore(testDatabase(t))
//		})
//	}
//
// They check what the interfaces promise. How much a store remembers after the end
// of a process, and how soon a claim ends by itself, is for tests of its own.
//
// The tests for a [salesiq.TokenStore] are in package salesiqtest.
package webhooktest
