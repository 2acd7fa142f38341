package redis

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// options are for one pool of connections. Nothing is tried again: what was put
// twice would be an item too many.
func options(endpoint string) *redis.Options {
	return &redis.Options{
		Addr:                     endpoint,
		Protocol:                 2,
		DisableIdentity:          true,
		MaxRetries:               -1,
		ReadTimeout:              time.Minute, // of a server that hangs; blocking commands have none
		WriteTimeout:             time.Minute,
		PipelinePoolSize:         -1, // pipelines go over the same connections
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// conns is a client's connections other than its consumers'. They are made when
// they are first needed.
type conns struct {
	endpoint string
	pool     *redis.Client
}

func dial(endpoint string) conns {
	return conns{endpoint: endpoint, pool: redis.NewClient(options(endpoint))}
}

func (c conns) Close() error { return c.pool.Close() }

// link is a consumer's own connection.
type link struct {
	*redis.Client
	id   atomic.Int64  // the server's number of the connection
	pool *redis.Client // another way to the same server
}

func (c conns) link(ctx context.Context) (*link, error) {
	l := &link{pool: c.pool}
	opt := options(c.endpoint)
	opt.PoolSize = 1
	opt.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		id, err := conn.ClientID(ctx).Result()
		l.id.Store(id)
		return err
	}
	l.Client = redis.NewClient(opt)
	if err := l.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// blocking does a call that waits in the server, and ends it when ctx ends: the
// server is told to unblock the connection, so that no answer is lost with an
// item in it. A call that was ended so has the error redis.Nil.
func (l *link) blocking(ctx context.Context, call func() error) error {
	returned, told := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		l.unblock(returned)
	})
	err := call()
	if !stop() {
		close(returned)
		<-told // what comes next on the connection is not to be unblocked
		if errors.Is(err, redis.Nil) {
			return ctx.Err()
		}
	}
	return err
}

// unblock ends the connection's blocking command, until it has returned: the
// command may not have reached the server when ctx ends.
func (l *link) unblock(returned <-chan struct{}) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := l.pool.ClientUnblock(ctx, l.id.Load()).Result()
		cancel()
		if err != nil {
			_ = l.Close() // the server does not listen: the call ends with an error
			return
		}
		select {
		case <-returned:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// move waits for an item of a list, and takes it to another.
func (l *link) move(ctx context.Context, from, to string) (payload []byte, err error) {
	err = l.blocking(ctx, func() error {
		payload, err = l.BLMove(ctx, from, to, "right", "left", 0).Bytes()
		return err
	})
	return payload, err
}

// failed is the first error of a pipeline's commands that is not that a list
// or stream was empty.
func failed(cmds []redis.Cmder, err error) error {
	if err == nil || !errors.Is(err, redis.Nil) {
		return err
	}
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}

// room is how many items a consumer may still take.
func room(held, prefetch, most int) (int, error) {
	n := min(most, prefetch-held)
	if n <= 0 {
		return 0, fmt.Errorf("%d items are not ended, of %d at a time, and %d more are wanted", held, prefetch, most)
	}
	return n, nil
}

// bytesOf is a string that the library has read for us alone, without a copy.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }
