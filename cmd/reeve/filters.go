package main

import (
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// filters are the flags that say which tasks of a queue are meant: those for
// which all that are given hold.
type filters struct {
	f         reeve.Filter
	olderThan time.Duration
}

// flags are the command line's. states are those that may be asked for; with
// none of them there is no -state.
func (f *filters) flags(states ...reeve.State) []cli.Flag {
	flags := []cli.Flag{
		cmdline.Flag("id", (*idList)(&f.f.IDs), "tasks with `ID`; more than one can be given, also with commas"),
		cmdline.List("type", &f.f.Types, checkTypes, "tasks of type `NAME`; more than one can be given"),
		cmdline.Flag("key", textValue{&f.f.Key, reeve.MaxKey}, "tasks with the key `KEY`"),
		cmdline.Flag("unique", textValue{&f.f.Unique, reeve.MaxKey}, "tasks with the unique key `KEY`"),
		cmdline.Flag("error", textValue{&f.f.Error, reeve.MaxErrorText}, "tasks with `TEXT` in their last error or in what ended them"),
		cmdline.Duration("older-than", &f.olderThan, 1, "tasks that were put more than `TIME` ago"),
	}
	if len(states) > 0 {
		flags = append(flags, cmdline.Flag("state", stateList{&f.f.States, states},
			"tasks in `STATE`: "+joinStates(states, ", ")+"; more than one can be given, also with commas"))
	}
	return flags
}

// given tells whether any of the flags was.
func (f *filters) given() bool {
	return len(f.f.IDs) > 0 || len(f.f.States) > 0 || len(f.f.Types) > 0 || f.f.Key != "" || f.f.Unique != "" ||
		f.f.Error != "" || f.olderThan > 0
}

// filter is what the flags add up to at the moment.
func (f *filters) filter() reeve.Filter {
	filter := f.f
	if f.olderThan > 0 {
		filter.Before = time.Now().Add(-f.olderThan)
	}
	return filter
}
