package account

import (
	"flag"
	"fmt"
	"os"
)

// ParseFlags reads the command line, which has flags alone. The flag package
// would leave unread what follows the first word that is none, such as a -dry-run.
func ParseFlags() {
	flag.Parse() //nolint:revive // It is for main.
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "%q is no flag: see -help\n", flag.Arg(0))
		os.Exit(2) //nolint:revive // As the flag package does.
	}
}
