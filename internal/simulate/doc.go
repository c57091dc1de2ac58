// Package simulate runs a whole world in one process and in virtual time: clients,
// the service, its webhooks and the network between them, under faults that a seed
// draws. It is all tests. docs/simulation.md tells how to run it, how to read a
// failure, and how to add a fault.
//
//	go test ./internal/simulate -seed 7 -days 3 -v
//
// The files, in the order in which they are best read:
//
//   - simulate_test.go, report_test.go: the flags, the seeds, and what a run tells.
//   - faults_test.go: all kinds of fault, when they begin and end, and whom they hit.
//   - plan_test.go: the faults of a run, as lines, drawn from a seed.
//   - chance_test.go: random numbers that are the same in each run.
//   - world_test.go: the world, and the conductor who carries the plan out.
//   - network_*.go: connections in memory, how they break below HTTP, and TLS.
//   - service_*.go: the emulator, and what a service does wrong in front of it; its
//     answers, its limits and its clock, how it delivers events, and the CRM.
//   - process_*.go: programs that are killed and started again, with their files.
//   - work_*.go: what each program, its bot and the visitors do. Two programs are
//     packages of examples.
//   - invariants_*.go: what must hold whatever happens, by subject.
//   - shrink_test.go: a shorter plan that still fails.
//   - mutations_test.go: known faults of the packages, and whether the world finds them.
package simulate
