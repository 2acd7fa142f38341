package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
)

// queues is the value of -queue: NAME or NAME=WEIGHT, several with commas
// between them or by giving the flag again. The first takes the place of the
// default. A name that ends in = and a number needs its weight given.
type queues struct {
	list  []reeve.Source
	given bool
}

func (q *queues) Set(s string) error {
	var list []reeve.Source
	if q.given {
		list = q.list
	}
	for part := range strings.SplitSeq(s, ",") {
		source, err := parseSource(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		list = append(list, source)
	}
	q.list, q.given = list, true
	return nil
}

// parseSource leaves the weight 0 if there is none.
func parseSource(s string) (reeve.Source, error) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		i = len(s)
	}
	source := reeve.Source{Queue: s[:i]}
	if source.Queue == "" {
		return source, errors.New("-queue must not be empty, want NAME or NAME=WEIGHT")
	}
	if i < len(s) {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n < 1 || n > reeve.MaxWeight {
			return source, fmt.Errorf("queue %q: weight %q, want a whole number from 1 to %d", source.Queue, s[i+1:], reeve.MaxWeight)
		}
		source.Weight = n
	}
	return source, nil
}

func (q *queues) Get() any { return q.list }

func (q *queues) String() string {
	texts := make([]string, len(q.list))
	for i, s := range q.list {
		texts[i] = s.Queue
		if s.Weight > 0 {
			texts[i] += "=" + strconv.Itoa(s.Weight)
		}
	}
	return strings.Join(texts, ",")
}

// sources is what is asked of the master. If nothing is said, no queue goes
// before another: one that does not get empty would shut out the rest.
func (q *queues) sources(strict bool) ([]reeve.Source, error) {
	sources := make([]reeve.Source, len(q.list))
	for i, s := range q.list {
		switch {
		case !strict:
			s.Weight = max(s.Weight, 1)
		case s.Weight > 0:
			return nil, fmt.Errorf("-strict and the weight of queue %q: want one of the two", s.Queue)
		}
		sources[i] = s
	}
	if err := reeve.CheckSources(sources); err != nil {
		return nil, fmt.Errorf("-queue: %w", cmdline.Plain(err))
	}
	return sources, nil
}

var _ flag.Getter = (*queues)(nil)
