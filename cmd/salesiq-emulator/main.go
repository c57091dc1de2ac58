// Command salesiq-emulator serves a SalesIQ that runs in memory, for programs in
// any language that are to be tried without an account.
//
//	go run ./cmd/salesiq-emulator -addr 127.0.0.1:8080 -plan none
//
// With -dialect live it speaks as the live service's vendor publishes, instead of
// as specified; see salesiqtest.Live. A bot can then be tried in a browser:
//
//	go run ./cmd/salesiq-emulator -dialect live -addr 127.0.0.1:8080 -bot http://127.0.0.1:8090/
//
// It is told of what visitors say on the page at /widget/page. SALESIQ_BOT_KEY, which is
// printed then, is the key that its requests are signed with. What is wrong with its
// answers is told on the page, and logged.
//
// A webhook is subscribed, and something happens, with curl alone:
//
//	curl -d '{"url":"http://127.0.0.1:8090/"}' http://127.0.0.1:8080/_emulator/webhooks
//	curl -d '{"text":"Hello?"}' http://127.0.0.1:8080/_emulator/chats
//	curl -d '{"chat_id":"chat900003"}' http://127.0.0.1:8080/_emulator/chats/miss
//
// The first answer names the webhook's secret, the second one the chat's id. Other calls
// below /_emulator/ deliver any event, make calls fail, or tell what happened; see
// package salesiqtest.
//
// As soon as it serves, it prints its address and credentials on standard
// output, as lines of NAME=value: the environment that the examples, and
// salesiq.NewClientFromEnv, read. Requests are logged on standard error. It ends
// on SIGINT or SIGTERM, once the requests under way are done. What it can do, and
// how it is made to fail, is described in package salesiqtest.
//
// The credentials are the same everywhere and protect nothing. Other addresses
// than loopback ones are therefore refused unless -insecure-bind says otherwise.
// Requests must name a loopback host, the address that the program listens on, or a
// host of -host, since a page in a browser can send others. The consent page
// redirects to loopback hosts and to what -redirect-uri registers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// controlHelp says how to make something happen.
const controlHelp = `Once it runs, ADDR=127.0.0.1:8080:
  curl -d '{"url":"http://127.0.0.1:8090/"}' $ADDR/_emulator/webhooks
  	subscribe to all events; the answer has the secret
  curl -d '{"visitor_id":"visitor123","text":"Hello?"}' $ADDR/_emulator/chats
  	begin a chat; the answer has its id
  curl -d '{"chat_id":"…"}' $ADDR/_emulator/chats/miss
  	let nobody pick it up
  curl -d '{"event":"chat.rating","data":{"rating":5}}' $ADDR/_emulator/events
  	deliver any event
  curl $ADDR/_emulator/deliveries
  	what became of them
`

// grace is how long requests under way may take to end.
const grace = 3 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are what the flags say.
type settings struct {
	addr          string
	insecureBind  bool
	hosts         []string
	redirectURIs  []string
	quiet         bool
	seed          uint64
	live          bool
	bareLists     bool
	bot           string
	plan          salesiq.Plan
	window        time.Duration
	clockOffset   time.Duration
	tokenLifetime time.Duration
}

// run serves until ctx ends, and returns the program's exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "salesiq-emulator:", err)
		return exitUsage
	}
	if err := serve(ctx, set, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "salesiq-emulator:", err)
		return exitFailure
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (set settings, err error) {
	flags := flag.NewFlagSet("salesiq-emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // One line for an error is enough; see below for the help.
	flags.StringVar(&set.addr, "addr", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	plan := flags.String("plan", "enterprise", "rate limits: free, basic, professional, enterprise or none")
	flags.DurationVar(&set.window, "window", time.Minute, "`duration` of what the plan calls a minute")
	dialect := flags.String("dialect", "specified", "specified, or live for what the vendor publishes about the live service")
	flags.StringVar(&set.bot, "bot", "", "`URL` of a bot on this machine, which answers what visitors say; with -dialect live")
	flags.Uint64Var(&set.seed, "seed", 1, "`number` that random faults follow from")
	flags.BoolVar(&set.bareLists, "without-listed-transcripts", false, "list chats without their transcripts, as the service may")
	flags.BoolVar(&set.quiet, "quiet", false, "do not log requests")
	flags.DurationVar(&set.clockOffset, "clock-offset", 0, "`duration` by which the server's clock is wrong")
	flags.DurationVar(&set.tokenLifetime, "token-lifetime", time.Hour, "`duration` for which an access token is valid")
	flags.BoolVar(&set.insecureBind, "insecure-bind", false, "permit an address that other machines can reach")
	several(flags, &set.hosts, "host", "`name` by which requests may call this machine, beside loopback ones; may be repeated")
	several(flags, &set.redirectURIs, "redirect-uri", "`URL` that the consent page may redirect to, beside loopback ones; may be repeated")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "Usage of salesiq-emulator:")
			flags.SetOutput(stderr)
			flags.PrintDefaults()
			fmt.Fprint(stderr, controlHelp)
		}
		return set, fmt.Errorf("flags: %w", err)
	}
	if set.plan, err = salesiq.LookupPlan(*plan); err != nil {
		return set, fmt.Errorf("-plan: %w", err)
	}
	if *dialect != "specified" && *dialect != "live" {
		return set, fmt.Errorf("-dialect: there is no dialect %q", *dialect)
	}
	set.live = *dialect == "live"
	if set.bot != "" && !set.live {
		return set, errors.New("-bot: bots are the live service's: add -dialect live")
	}
	if err := set.check(flags.Args()); err != nil {
		return set, err
	}
	return set, nil
}

// several defines a flag that may be repeated.
func several(flags *flag.FlagSet, values *[]string, name, usage string) {
	flags.Func(name, usage, func(value string) error { *values = append(*values, value); return nil })
}

func (set *settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("there are no arguments but flags: %q", strings.Join(rest, " "))
	}
	if set.window < time.Second {
		return errors.New("-window: must be a second at least")
	}
	if set.tokenLifetime < time.Second {
		return errors.New("-token-lifetime: must be a second at least")
	}
	host, _, err := net.SplitHostPort(set.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if !set.insecureBind && !input.IsLoopback(host) {
		return fmt.Errorf("-addr: %q is not a loopback address: anyone could sign in (see -insecure-bind)", host)
	}
	return nil
}

// checkBound refuses an address that is not loopback although its name looks like that.
func (set *settings) checkBound(at net.Addr) error {
	host, _, err := net.SplitHostPort(at.String())
	if err == nil && !set.insecureBind && !input.IsLoopback(host) {
		err = fmt.Errorf("-addr: %q means %s, which is not a loopback address: anyone could sign in (see -insecure-bind)", set.addr, host)
	}
	return err
}

func serve(ctx context.Context, set settings, stdout, stderr io.Writer) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", set.addr)
	if err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	if err := set.checkBound(listener.Addr()); err != nil {
		listener.Close()
		return err
	}
	opts := []salesiqtest.Option{
		salesiqtest.WithListener(listener),
		salesiqtest.WithPlan(set.plan),
		salesiqtest.WithWindow(salesiqtest.AlignedWindow, set.window),
		salesiqtest.WithSeed(set.seed),
		salesiqtest.WithClockOffset(set.clockOffset),
		salesiqtest.WithTokenLifetime(set.tokenLifetime),
		salesiqtest.WithHosts(set.hosts...),
		salesiqtest.WithRedirectURIs(set.redirectURIs...),
	}
	if set.live {
		opts = append(opts, salesiqtest.Live())
	}
	if set.bareLists {
		opts = append(opts, salesiqtest.WithoutListedTranscripts())
	}
	if set.bot != "" {
		opts = append(opts, salesiqtest.WithBot(salesiqtest.Bot{URL: set.bot}))
	}
	if !set.quiet {
		opts = append(opts, salesiqtest.WithLogger(slog.New(slog.NewTextHandler(stderr, nil))))
	}
	server, err := salesiqtest.NewServer(opts...) // It lives until Shutdown.
	if err != nil {
		listener.Close()
		return fmt.Errorf("cannot serve: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, strings.Join(server.Environment(), "\n")); err != nil {
		server.Close()
		return fmt.Errorf("cannot say where: %w", err)
	}
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(ending); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("cannot end: %w", err)
	}
	return nil
}
