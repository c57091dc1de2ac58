package simulate

import "time"

// The programs.
const (
	desk  = "desk"  // Answers visitors, from a queue in memory. HTTP/1.
	inbox = "inbox" // Works through events that it keeps in a file. HTTP/1.
	batch = "batch" // Goes through lists, as a batch. HTTP/2.
	clerk = "clerk" // Works with the live service, in its dialect. HTTP/1.

	// What examples/crmsync and examples/autoassign do. HTTP/1.
	crm        = "crm"        // Makes leads of visitors, now and then.
	dispatcher = "dispatcher" // Assigns chats to operators.
)

var programs = []string{desk, inbox, batch, clerk, crm, dispatcher}

// patience is how long a program waits for a call that somebody else waits for.
const patience = 150 * time.Second

// begins waits as long as a program takes to start, which is hardly ever the same.
func (p *process) begins() {
	p.sleep(latency(p.world.dice.roll("begins "+p.name, time.Now().UnixNano()).Int64()))
}

// waits waits a little longer than d, so that no two parts of a program go on at once.
func (p *process) waits(part string, d time.Duration) bool {
	roll := p.world.dice.roll("waits "+p.name+part, time.Now().UnixNano())
	return p.sleep(d + time.Duration(roll.Int64N(int64(d/8))))
}
