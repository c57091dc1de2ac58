// Widget serves a shop with the chat widget for a visitor who has signed in, and
// beside it the operator's desk: what the visitor writes into the widget appears
// there, and what the operator answers, by Chats.SendMessage, appears in the
// widget.
//
//	go run ./examples/widget
//
// It prints its address. It starts an emulator, whose stand-in for the widget it
// uses. With the variables of salesiq.NewClientFromEnv set, it works on that
// account instead, and then needs the code of the account's widget:
//
//	go run ./examples/widget -code siq0123456789abcdef
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	code := flag.String("code", "siq-example", "the widget's `code`")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *addr, *code)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "widget:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, out io.Writer, addr, code string) error {
	client, err := account.Open()
	if err != nil {
		return err
	}
	defer client.Close()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newSite(client, code).handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() {
		server.Close() //nolint:errcheck // There is nothing left to do about it.
	})

	if client.Emulator != nil {
		fmt.Fprintln(out, "The emulator is at", client.Emulator.URL)
	}
	if _, err := fmt.Fprintf(out, "The page is at http://%s/\n", listener.Addr()); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// dataCenter returns where the widget's script is: on this machine, the server
// of the API has it.
func dataCenter(client *account.Account) salesiq.DataCenter {
	if client.Live() {
		return client.DataCenter()
	}
	return salesiq.Hosts{API: client.DataCenter().Hosts().API}.DataCenter()
}
