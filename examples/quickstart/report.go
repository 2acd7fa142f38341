package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"text/tabwriter"
)

// shown is how many differences are listed.
const shown = 10

// report prints the totals and compares every result with the direct one. The
// error says how much differs.
func report(out io.Writer, files []string, o *outcome, direct map[string]string) error {
	var viaQueues, directly totals
	lost, doubled, wrong, results := 0, 0, 0, 0
	for _, file := range files {
		got, want := o.results[file], direct[file]
		results += len(got)
		directly.add(want)
		switch {
		case len(got) == 0:
			lost++
		case len(got) > 1:
			doubled++
		case got[0] != want:
			wrong++
		}
		if len(got) > 0 {
			viaQueues.add(got[0])
		}
		if (len(got) != 1 || got[0] != want) && lost+doubled+wrong <= shown {
			fmt.Fprintf(out, "%s: want %q, got %q\n", file, want, got)
		}
	}
	for _, d := range o.dead {
		fmt.Fprintf(out, "%s: %s: %s\n", d.Payload, d.Reason, d.Error)
	}

	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n\tby the workers\tdirectly\n")
	fmt.Fprintf(w, "files\t%d\t%d\n", viaQueues.files, directly.files)
	fmt.Fprintf(w, "lines\t%d\t%d\n", viaQueues.lines, directly.lines)
	fmt.Fprintf(w, "SHA-256 of all\t%.12s...\t%.12s...\n", viaQueues.digest(), directly.digest())
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d files, %d results, %d lost, %d worker killed, %d redelivered\n",
		len(files), results, lost, o.killed, o.redelivered)

	foreign := 0 // results of no task
	for file := range o.results {
		if _, known := direct[file]; !known {
			foreign++
		}
	}
	if lost+doubled+wrong+foreign > 0 || o.killed != 1 {
		return fmt.Errorf("%d files lost, %d with several results, %d with a wrong one, %d foreign results, %d workers killed",
			lost, doubled, wrong, foreign, o.killed)
	}
	return nil
}

// totals add up results of the form "SHA256 LINES", in the order of the files.
type totals struct {
	files, lines int
	all          []byte
}

func (t *totals) add(result string) {
	var sum string
	var lines int
	if _, err := fmt.Sscan(result, &sum, &lines); err == nil {
		t.lines += lines
	}
	t.files++
	t.all = append(t.all, result...)
}

func (t *totals) digest() string { return fmt.Sprintf("%x", sha256.Sum256(t.all)) }
