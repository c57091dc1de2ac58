//go:build !unix

package main

import "time"

var began = time.Now()

// processorTime stands in for what the system does not tell.
func processorTime() time.Duration { return time.Since(began) }
