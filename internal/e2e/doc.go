// Package e2e holds tests that need more than Go: a real browser. Where that is
// missing, they are skipped, and say so.
package e2e
