package beanstalk

import (
	"context"
	"errors"
	"io"
	"sync"
)

// pool is the connections of one client. As a reserve keeps what follows it
// waiting, a consumer has one of its own, and so has every Put that runs at the
// same time as another.
type pool[C io.Closer] struct {
	dial func(ctx context.Context) (C, error)

	mu   sync.Mutex // guards idle
	idle []C
}

// take returns a connection that nobody uses.
func (p *pool[C]) take(ctx context.Context) (C, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		defer p.mu.Unlock()
		last := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return last, nil
	}
	p.mu.Unlock()
	return p.dial(ctx)
}

// give gives a connection back.
func (p *pool[C]) give(c C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// Close closes the connections that nobody uses.
func (p *pool[C]) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, c := range p.idle {
		err = errors.Join(err, c.Close())
	}
	p.idle = nil
	return err
}
