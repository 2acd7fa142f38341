package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/workload"
)

// options is the command line of run.
type options struct {
	workloads []workload.Workload
	systems   []system.System

	repeat, tasks        int
	time, timeout        time.Duration
	json, chart, table   string
	dir, profile         string
	keepLog              bool
	workloadArg, sysArgs string
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.workloadArg, "workloads", "all", "which, with commas; pipeline stands for all that begin with pipeline-")
	fs.StringVar(&o.sysArgs, "systems", "all", "which, with commas; reeves, limits and peers stand for all of a group")
	fs.IntVar(&o.repeat, "repeat", 3, "how often each is measured, in turns")
	fs.IntVar(&o.tasks, "tasks", 0, "measure so many tasks or rounds (payload: a hundredth of it); 0: as many as take -time")
	fs.DurationVar(&o.time, "time", time.Second, "how long one measurement is to take, about")
	fs.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long one may take, with the start of the server; programs are built before")
	fs.StringVar(&o.json, "json", "", "write the figures as JSON to this file, too")
	fs.StringVar(&o.chart, "chart", "", "draw the main figures to this file, .svg or .png")
	fs.StringVar(&o.table, "o", "", "write the table to this file; empty: to the standard output")
	fs.StringVar(&o.dir, "dir", os.TempDir(), "a directory on the disk that is measured; servers keep their data below it")
	fs.StringVar(&o.profile, "profile", "", "write profiles of servers and clients to this directory")
	fs.BoolVar(&o.keepLog, "keep-log", false, "keep what servers and clients print, and say where")
	if err := fs.Parse(args); err != nil {
		return nil, flag.ErrHelp
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.repeat < 1:
		return nil, errors.New("-repeat: want at least 1")
	case o.tasks < 0:
		return nil, errors.New("-tasks: want at least 0")
	case o.time <= 0 || o.timeout <= 0:
		return nil, errors.New("-time and -timeout: want more than 0")
	case o.chart != "" && !slices.Contains([]string{".svg", ".png"}, filepath.Ext(o.chart)):
		return nil, errors.New("-chart: want a name that ends with .svg or .png")
	}
	return o, o.choose()
}

// choose finds the workloads and systems that were named.
func (o *options) choose() (err error) {
	o.workloads, err = pick("-workloads", o.workloadArg, workload.All(), func(w workload.Workload, name string) bool {
		return w.Name == name || strings.HasPrefix(w.Name, name+"-")
	})
	if err != nil {
		return err
	}
	o.systems, err = pick("-systems", o.sysArgs, systems(), func(s system.System, name string) bool {
		return s.Name() == name || string(s.Group())+"s" == name
	})
	return err
}

// pick returns those of all that are among names, in the order of all.
func pick[T any](flag, names string, all []T, is func(t T, name string) bool) (list []T, err error) {
	picked := make([]bool, len(all))
	for name := range strings.SplitSeq(names, ",") {
		any := false
		for i, t := range all {
			if name == "all" || is(t, name) {
				picked[i], any = true, true
			}
		}
		if !any {
			return nil, fmt.Errorf("%s: no %q; see: bench list", flag, name)
		}
	}
	for i, t := range all {
		if picked[i] {
			list = append(list, t)
		}
	}
	return list, nil
}
