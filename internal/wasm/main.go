// Command wasm reads a list in the way of a program for browsers: compiled for
// js/wasm, it has no sockets, and fetch makes its requests. Its test runs it in
// Node.js against the emulator.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/salesiq-go/salesiq"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run prints the IDs of the operators, one a line, and the code of a refusal.
func run(ctx context.Context, address, token string) error {
	client, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(address))
	if err != nil {
		return err
	}
	for operator, err := range client.Operators.All(ctx, nil) {
		if err != nil {
			return err
		}
		fmt.Println(operator.ID)
	}
	_, err = client.Chats.SendMessage(ctx, "nobody", salesiq.TextMessage("hello"))
	fmt.Println(err)
	return nil
}
