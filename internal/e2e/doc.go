// Package e2e holds tests that need more than Go: a real browser, or clients in
// other languages. Where those are missing, tests are skipped, and say so.
package e2e
