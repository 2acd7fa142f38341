package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Faults is what was done to everybody.
type Faults struct {
	MastersKilled int `json:"masters_killed"` // some before they listened
	WorkersKilled int `json:"workers_killed"`
	Cuts          int `json:"cuts"`
	Stalls        int `json:"stalls"`
	Slow          int `json:"slow_links"`
	Bursts        int `json:"bursts"`
}

const (
	faultEvery  = 700 * time.Millisecond // on average
	masterKills = 30                     // in the storm, on average
	burstTasks  = 5000
)

// faults makes things fail until ctx ends; the master only until the time calm.
// Nobody else uses its fields until it has returned.
type faults struct {
	d     *rand.Rand
	run   *run
	count Faults
}

func (f *faults) loop(ctx context.Context, calm time.Time) {
	masterEvery := max(f.run.cfg.storm()/masterKills, 800*time.Millisecond)
	next := time.Now().Add(f.pause(masterEvery))
	for wait(ctx, f.pause(faultEvery)) == nil {
		if err := f.run.master.check(); err != nil {
			f.run.fail(err)
			return
		}
		if now := time.Now(); now.After(next) && now.Before(calm) {
			if err := f.master(); err != nil {
				f.run.fail(err)
				return
			}
			next = time.Now().Add(f.pause(masterEvery))
			continue
		}
		f.any()
	}
}

// pause is random with the given mean.
func (f *faults) pause(mean time.Duration) time.Duration {
	return min(time.Duration(f.d.ExpFloat64()*float64(mean)), 5*mean)
}

// any has one fault happen that is not the end of a master.
func (f *faults) any() {
	l := f.run.links[f.d.IntN(len(f.run.links))]
	switch n := f.d.IntN(16); {
	case n < 3:
		if err := f.run.workers[f.d.IntN(len(f.run.workers))].replace(); err != nil {
			f.run.fail(err)
		}
		f.count.WorkersKilled++
	case n < 8:
		l.cut()
		f.count.Cuts++
	case n == 8:
		for _, l := range f.run.links {
			l.cut()
		}
		f.count.Cuts += len(f.run.links)
	case n < 12:
		l.stall(100*time.Millisecond + f.pause(time.Second))
		f.count.Stalls++
	case n < 14:
		l.slowDown(f.pause(3 * time.Second))
		f.count.Slow++
	default:
		select {
		case f.run.producers[f.d.IntN(len(f.run.producers))].burst <- burstTasks:
			f.count.Bursts++
		default: // it still puts the last one
		}
	}
}

// master kills the master and starts the next, sometimes after some that do not
// live until they listen.
func (f *faults) master() error {
	for range 1 + f.d.IntN(3)/2*f.d.IntN(3) {
		if err := f.run.master.kill(); err != nil {
			return err
		}
		time.Sleep(f.pause(200 * time.Millisecond))
		if f.d.IntN(4) > 0 {
			continue
		}
		if err := f.run.master.start(1 + f.pause(30*time.Millisecond)); err != nil {
			return fmt.Errorf("life %d: %w", f.run.master.killed(), err)
		}
	}
	if err := f.run.master.kill(); err != nil { // one that still starts
		return err
	}
	return f.run.master.start(0)
}
