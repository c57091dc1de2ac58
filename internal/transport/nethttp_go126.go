//go:build !go1.27

package transport

// repeatsAfterProtocolError tells whether net/http repeats a request over HTTP/2 after a
// PROTOCOL_ERROR, which says nothing of whether the service has processed it.
const repeatsAfterProtocolError = true
