package beanstalk

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/beanstalkd/go-beanstalk"
	"github.com/reeveq/reeve/bench/internal/system"
)

// naiveConn is a connection of go-beanstalk, which can be cut when a ctx ends.
type naiveConn struct {
	net net.Conn
	*beanstalk.Conn
}

func dialNaive(ctx context.Context, addr string) (naiveConn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return naiveConn{}, err
	}
	return naiveConn{net: c, Conn: beanstalk.NewConn(c)}, nil
}

// bound closes the connection when ctx ends, until stop: the library can do no
// more with one that was cut.
func (c naiveConn) bound(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { c.net.Close() })
}

// naiveClient puts one job after the other.
type naiveClient struct{ pool[naiveConn] }

func (c *naiveClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	used, err := c.take(ctx)
	if err != nil {
		return err
	}
	if err := used.put(ctx, queue, payloads); err != nil {
		return errors.Join(err, used.Close())
	}
	c.give(used)
	return nil
}

func (c naiveConn) put(ctx context.Context, queue string, payloads [][]byte) error {
	defer c.bound(ctx)()
	tube := beanstalk.NewTube(c.Conn, queue)
	for _, payload := range payloads {
		if _, err := tube.Put(payload, 0, 0, lease); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *naiveClient) Consume(ctx context.Context, queue string, _ int) (system.Consumer, error) {
	own, err := c.take(ctx)
	if err != nil {
		return nil, err
	}
	return &naiveConsumer{conn: own, tubes: beanstalk.NewTubeSet(own.Conn, queue)}, nil
}

// naiveConsumer has one job at a time.
type naiveConsumer struct {
	conn  naiveConn
	tubes *beanstalk.TubeSet
}

func (in *naiveConsumer) Next(ctx context.Context, items []system.Item, _ int) ([]system.Item, error) {
	defer in.conn.bound(ctx)()
	for {
		id, body, err := in.tubes.Reserve(time.Hour)
		switch {
		case err == nil:
			return append(items, system.Item{Payload: body, Handle: id}), nil
		case ctx.Err() != nil:
			return items, ctx.Err()
		case !errors.Is(err, beanstalk.ErrTimeout):
			return items, err
		}
	}
}

func (in *naiveConsumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if len(results) > 0 {
		if err := in.conn.put(ctx, to, results); err != nil {
			return err
		}
	}
	defer in.conn.bound(ctx)()
	for _, item := range items {
		if err := in.conn.Delete(item.Handle.(uint64)); err != nil {
			return err
		}
	}
	return nil
}

// Flush has nothing to wait for.
func (*naiveConsumer) Flush(context.Context) error { return nil }

// Close closes the connection, if the end of a ctx did not.
func (in *naiveConsumer) Close() error {
	if err := in.conn.net.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
