package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/reeveq/reeve/bench/internal/workload"
)

// list lists what can be measured.
func list(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("list", flag.ContinueOnError)
	fs.SetOutput(stderr)
	if err := fs.Parse(args); err != nil {
		return flag.ErrHelp
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Workloads")
	for _, l := range workload.All() {
		fmt.Fprintf(w, "  %s\t%s\n", l.Name, l.About)
	}
	fmt.Fprintln(w, "\nSystems")
	for _, s := range systems() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Name(), s.Group(), s.About())
	}
	return w.Flush()
}
