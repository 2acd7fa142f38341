package workload

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/reeveq/reeve/bench/internal/system"
)

// job is what a client process does, seen from within.
type job struct {
	sys      system.System
	endpoint string
	first    order
	orders   <-chan order // the others; closed with the input
	out      *json.Encoder
}

// jobs are the parts that client processes have in the workloads. ctx ends with
// the process's input.
var jobs = map[string]func(*job, context.Context) error{
	"rtt":       (*job).roundTrips,
	"work":      (*job).work,
	"drive":     (*job).drive,
	"carry":     (*job).carry,
	"stock":     (*job).stock,
	"park":      (*job).parkMany,
	"objects":   (*job).objects,
	"scale":     (*job).scale,
	"transport": (*job).transport,
}

// Client is what a client process does: the orders that come on in, for one of
// systems. It returns when in ends, or its work does.
func Client(ctx context.Context, systems []system.System, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan order)
	go func() { // ends with in, or with the process
		defer cancel()
		defer close(orders)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			var o order
			if json.Unmarshal(lines.Bytes(), &o) != nil {
				return
			}
			orders <- o
		}
	}()
	j := &job{endpoint: os.Getenv(endpointEnv), orders: orders, out: json.NewEncoder(out)}
	err := j.run(ctx, systems)
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, j.report(report{Error: err.Error(), Lacks: errors.Is(err, system.ErrUnsupported)}))
	}
	return nil
}

func (j *job) run(ctx context.Context, systems []system.System) error {
	j.first = <-j.orders
	for _, s := range systems {
		if s.Name() == j.first.System {
			j.sys = s
		}
	}
	do := jobs[j.first.Job]
	if j.sys == nil || do == nil {
		return fmt.Errorf("no job %q of system %q", j.first.Job, j.first.System)
	}
	if j.first.Profile != "" {
		f, err := os.Create(j.first.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return do(j, ctx)
}

func (j *job) report(r report) error { return j.out.Encode(r) }

func (j *job) dial(ctx context.Context) (system.Client, error) {
	c, err := j.sys.Dial(ctx, j.endpoint)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// each carries out the orders that follow the first, until the input ends.
func (j *job) each(do func(order) (report, error)) error {
	for o := range j.orders {
		r, err := do(o)
		if err == nil {
			err = j.report(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
