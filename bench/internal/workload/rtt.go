package workload

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// rtt is one item at a time, put by who waits for it.
func rtt() Workload {
	return Workload{
		Name:     "rtt",
		About:    "one client puts one item of 100 bytes and has it from its consumer, which was waiting",
		settings: system.Settings{ItemBytes: itemBytes, Backlog: 1000},
		measure: func(ctx context.Context, m *Measurement) error {
			c, err := m.start(ctx, "rtt", order{})
			if err != nil {
				return err
			}
			if _, err := m.ask(ctx, c, order{Tasks: 100}); err != nil { // warm
				return err
			}
			o := order{Tasks: m.Tasks}
			if m.Tasks == 0 {
				o = order{Tasks: 1_000_000, Time: m.Time}
			}
			r, err := m.ask(ctx, c, o)
			if err != nil {
				return err
			}
			m.add(Figure{Metric: "put to get, median", Unit: "µs", Lower: true, Main: true, Value: micros(r.P50)})
			m.add(Figure{Metric: "put to get, 99th percentile", Unit: "µs", Lower: true, Value: micros(r.P99)})
			return nil
		},
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// parkPause is left before each put, so that the consumer's request has arrived
// where it waits: for a system in which one has to be made.
const parkPause = 100 * time.Microsecond

// arrival is an item that a waiting consumer was given.
type arrival struct {
	at     time.Time
	number uint64
	err    error
}

// roundTrips puts items one by one for its own consumer.
func (j *job) roundTrips(ctx context.Context) error {
	c, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if t, ok := c.(system.Timed); ok {
		return j.each(func(o order) (report, error) { return timedThere(ctx, t, o) })
	}
	arrivals, next := make(chan arrival), make(chan struct{}, 1)
	next <- struct{}{}
	if err := park(ctx, c, arrivals, next); err != nil {
		return err
	}
	number := uint64(0)
	return j.each(func(o order) (report, error) {
		return j.timed(o, func() (time.Duration, error) {
			number++
			return trip(ctx, c, number, arrivals, next)
		})
	})
}

// timed does one thing again and again, as often or as long as o says, and
// reports how long it took in the middle.
func (j *job) timed(o order, once func() (time.Duration, error)) (report, error) {
	var took []time.Duration
	for began := time.Now(); o.goesOn(len(took), began); {
		d, err := once()
		if err != nil {
			return report{}, err
		}
		took = append(took, d)
	}
	return middle(took), nil
}

// timedPiece is how many round trips a client of another language makes before
// it is asked whether there is time for more.
const timedPiece = 500

// timedThere is timed of round trips that another program makes and times.
func timedThere(ctx context.Context, t system.Timed, o order) (report, error) {
	var took []time.Duration
	for began := time.Now(); o.goesOn(len(took), began); {
		some, err := t.RoundTrips(ctx, tasksQueue, itemBytes, min(o.Tasks-len(took), timedPiece))
		if err != nil {
			return report{}, err
		}
		took = append(took, some...)
	}
	return middle(took), nil
}

// goesOn says whether there is more to do after so much since then.
func (o order) goesOn(done int, began time.Time) bool {
	return done < o.Tasks && (o.Time == 0 || time.Since(began) < o.Time)
}

// middle reports how long things took, of which there was at least one.
func middle(took []time.Duration) report {
	slices.Sort(took)
	return report{Tasks: len(took), P50: took[len(took)/2], P99: took[len(took)*99/100]}
}

// park has a consumer of c wait for items, until ctx ends. Each comes as an
// arrival; when it was acknowledged, and the consumer is about to wait again,
// next gets a value.
func park(ctx context.Context, c system.Client, arrivals chan<- arrival, next chan<- struct{}) error {
	in, err := c.Consume(ctx, tasksQueue, 1)
	if err != nil {
		return err
	}
	tell := func(a arrival) bool {
		select {
		case arrivals <- a:
			return a.err == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() { // ends with ctx, or an error
		items := make([]system.Item, 0, 1)
		for {
			var a arrival
			items, a.err = in.Next(ctx, items[:0], 1)
			a.at = time.Now()
			if a.err == nil {
				a.number, a.err = numberOf(items[0].Payload)
			}
			if !tell(a) {
				return
			}
			err := in.End(ctx, items, "", nil)
			if err == nil {
				err = in.Flush(ctx)
			}
			if err != nil {
				tell(arrival{err: err})
				return
			}
			next <- struct{}{}
		}
	}()
	return nil
}

func numberOf(payload []byte) (uint64, error) {
	if len(payload) < 8 {
		return 0, fmt.Errorf("an item has %d bytes", len(payload))
	}
	return binary.BigEndian.Uint64(payload), nil
}

// trip puts an item and waits until it has arrived.
func trip(ctx context.Context, c system.Client, number uint64, arrivals <-chan arrival, next <-chan struct{}) (time.Duration, error) {
	select {
	case <-next:
	case a := <-arrivals:
		if a.err == nil {
			a.err = fmt.Errorf("item %d came again", a.number)
		}
		return 0, a.err
	}
	item := new(maker).item(number)
	time.Sleep(parkPause)
	began := time.Now()
	if err := c.Put(ctx, tasksQueue, [][]byte{item}); err != nil {
		return 0, err
	}
	select {
	case a := <-arrivals:
		switch {
		case a.err != nil:
			return 0, a.err
		case a.number != number:
			return 0, fmt.Errorf("item %d came instead of %d", a.number, number)
		}
		return a.at.Sub(began), nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
