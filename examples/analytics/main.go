// Analytics reports on the chats of the last days: how many there were, by
// status, department, operator and rating, and how long visitors waited. It reads
// page by page and keeps none of them, so that a million chats take no more
// memory than a thousand.
//
//	go run ./examples/analytics
//	go run ./examples/analytics -days 7 -format html >report.html
//
// The formats are table, json, csv and html; the page needs nothing from
// elsewhere. It starts an emulator, or, with the variables of
// salesiq.NewClientFromEnv set, reads that account. It changes nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func main() {
	days := flag.Int("days", 30, "how many days to look back, 3660 at most")
	format := flag.String("format", "table", "table, json, csv or html")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *days, *format); err != nil {
		fmt.Fprintln(os.Stderr, "analytics:", err)
		os.Exit(1)
	}
}

// formats writes a report in each of the formats.
var formats = map[string]func(io.Writer, *report) error{
	"table": writeTable,
	"json":  writeJSON,
	"csv":   writeCSV,
	"html":  writeHTML,
}

// maxDays keeps charts of days from becoming longer than anybody would look at.
const maxDays = 3660

func run(ctx context.Context, out io.Writer, days int, format string) error {
	write, ok := formats[format]
	if !ok || days < 1 || days > maxDays {
		return fmt.Errorf("no report over %d days in format %q: see -help", days, format)
	}
	now := time.Now()
	played, err := busyMonth(now)
	if err != nil {
		return err
	}
	client, err := account.OpenOrEmulate([]salesiqtest.Option{salesiqtest.WithData(played)})
	if err != nil {
		return err
	}
	defer client.Close()
	r, err := collect(ctx, client.Client, now.AddDate(0, 0, -days), now)
	if err != nil {
		return err
	}
	return write(out, r)
}

// collect makes the report over all chats that began in a time.
func collect(ctx context.Context, client *salesiq.Client, from, to time.Time) (*report, error) {
	r := newReport(from, to)
	for chat, err := range client.Chats.All(ctx, &salesiq.ChatListParams{FromDate: from, ToDate: to}) {
		if err != nil {
			return nil, fmt.Errorf("listing chats: %w", err)
		}
		r.add(chat)
	}
	n, err := lookUpNames(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("looking up names: %w", err)
	}
	r.name(n)
	return r, nil
}

// names tells what ids stand for.
type names struct{ departments, operators map[string]string }

func lookUpNames(ctx context.Context, client *salesiq.Client) (n names, err error) {
	n = names{departments: map[string]string{}, operators: map[string]string{}}
	for operator, err := range client.Operators.All(ctx, nil) {
		if err != nil {
			return n, err
		}
		n.operators[operator.ID] = operator.Name
	}
	for brand, err := range client.Brands.All(ctx, nil) {
		if err != nil {
			return n, err
		}
		for _, department := range brand.Departments {
			n.departments[department.ID] = department.Name
		}
	}
	return n, nil
}
