package transport

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
)

// Wait waits until at least one of the connections has a message, or is over,
// and returns those: for each of them Recv does not wait for a message to begin.
// When ctx ends first, its cause is returned. A connection from which another
// goroutine receives at the same time may come too late.
func Wait(ctx context.Context, conns ...*Conn) ([]*Conn, error) {
	if len(conns) == 0 {
		return nil, fmt.Errorf("%w: no connections to wait for", reeve.ErrInvalid)
	}
	all, cancel := context.WithCancel(ctx)
	defer cancel()
	polled := make([]error, len(conns))
	var polls sync.WaitGroup
	for i, c := range conns {
		polls.Go(func() { // joined below
			if polled[i] = c.Poll(all); polled[i] == nil {
				cancel() // the others give up: they have taken nothing
			}
		})
	}
	polls.Wait()
	var ready []*Conn
	for i, c := range conns {
		if polled[i] == nil {
			ready = append(ready, c)
		}
	}
	switch {
	case len(ready) > 0:
		return ready, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, polled[0] // all only send
}
