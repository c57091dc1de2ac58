//go:build !go1.27

package transport

// repeatsBlamed tells that net/http repeats a request after a PROTOCOL_ERROR.
const repeatsBlamed = true
