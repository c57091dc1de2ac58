//go:build !go1.27

package transport

// repeatsBlamed tells that net/http takes a PROTOCOL_ERROR for a refusal.
const repeatsBlamed = true
