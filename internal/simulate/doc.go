// Package simulate runs a whole world in one process and in virtual time: clients,
// the service, its webhooks and the network between them, under faults that a seed
// draws. It is all tests. docs/simulation.md tells how to run it, how to read a
// failure, and how to add a fault.
//
//	go test ./internal/simulate -seed 7 -days 3 -v
//
// The files, in the order in which they are best read:
//
//   - plan_test.go: the faults of a run, as lines, drawn from a seed.
//   - world_test.go: the world, and the conductor who carries the plan out.
//   - wire_test.go: connections that break below HTTP.
//   - service_test.go: the emulator, with what a service does wrong in front of it.
//   - process_test.go: programs that are killed and started again, with their files.
//   - work_test.go: what the programs and the visitors do.
//   - invariants_test.go: what must hold whatever happens.
//   - shrink_test.go: a shorter plan that still fails.
//   - mutations_test.go: known faults of the packages, and whether the world finds them.
package simulate
