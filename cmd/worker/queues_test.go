package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestQueues_AreNamesWithWeights(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]reeve.Source{
		"":                        {{Queue: "tasks", Weight: 1}},
		"-queue a":                {{Queue: "a", Weight: 1}},
		"-queue high=3,low=1":     {{Queue: "high", Weight: 3}, {Queue: "low", Weight: 1}},
		"-queue a=2 -queue b,c":   {{Queue: "a", Weight: 2}, {Queue: "b", Weight: 1}, {Queue: "c", Weight: 1}},
		"-queue k=v=7":            {{Queue: "k=v", Weight: 7}},
		"-strict -queue high,low": {{Queue: "high"}, {Queue: "low"}},
		"-strict":                 {{Queue: "tasks"}},
	} {
		o := newOptions(func(string) string { return "" })
		for _, a := range strings.Fields(args) {
			switch a {
			case "-queue":
			case "-strict":
				o.strict = true
			default:
				if err := o.queues.Set(a); err != nil {
					t.Errorf("%s: %v", args, err)
				}
			}
		}
		if got, err := o.queues.sources(o.strict); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", args, got, err, want)
		}
	}
	q := newOptions(func(string) string { return "" }).queues
	for _, s := range []string{"a=2", "b"} {
		if err := q.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := q.String(); s != "a=2,b" {
		t.Errorf("written as %q", s)
	}
	if err := q.Set("c=no"); err == nil || q.String() != "a=2,b" {
		t.Errorf("%v, and the queues are %q", err, q.String())
	}
}
