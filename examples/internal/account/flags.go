package account

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// ParseFlags reads the command line, which has flags alone. The flag package
// would leave unread what follows the first word that is none, such as a -dry-run.
func ParseFlags() {
	flag.Usage = func() { printUsage(flag.CommandLine) }
	flag.Parse() //nolint:revive // It is for main.
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "%q is no flag: see -help\n", flag.Arg(0))
		os.Exit(2) //nolint:revive // As the flag package does.
	}
}

// printUsage is what the flag package prints, within the width of a terminal.
func printUsage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprintf(out, "Usage: go run ./examples/%s [flags]\n\n", filepath.Base(flags.Name()))
	flags.VisitAll(func(f *flag.Flag) {
		kind, usage := flag.UnquoteUsage(f)
		switch f.DefValue {
		case "", "0", "0s", "false":
		default:
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, "%s\n%s\n", Wrapped("  ", "-"+f.Name+" "+kind), Wrapped("        ", usage))
	})
}
