package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/transport"
)

// A server that answers, and a client that asks, both with the same key.
func Example() {
	ctx := context.Background()
	key, err := auth.ParseKey([]byte("a long passphrase"))
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := transport.Config{Key: key}
	l, err := transport.Listen(ctx, "127.0.0.1:0", cfg) // or "unix:/path"
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	answered := make(chan error, 1)
	go func() { // joined below
		c, err := l.Accept(ctx)
		if err != nil {
			answered <- err
			return
		}
		defer c.Close()
		var n int
		for {
			if err := c.Recv(ctx, &n); err != nil {
				answered <- err
				return
			}
			if err := c.Send(ctx, n*n); err != nil {
				answered <- err
				return
			}
		}
	}()

	c, err := transport.Dial(ctx, l.Addr().String(), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := range 3 {
		var square int
		err := errors.Join(c.Send(ctx, n), c.Recv(ctx, &square))
		fmt.Println(square, err)
	}
	c.Close()
	fmt.Println(errors.Is(<-answered, io.EOF))
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 4 <nil>
	// true
}

// One goroutine for the connections of several workers.
func ExampleWait() {
	ctx := context.Background()
	near, far := make([]*transport.Conn, 3), make([]*transport.Conn, 3)
	for i := range near {
		near[i], far[i] = transport.Pipe()
	}
	if err := far[1].Send(ctx, "done"); err != nil {
		fmt.Println(err)
	}
	ready, err := transport.Wait(ctx, near...)
	for _, c := range ready {
		var text string
		err := errors.Join(err, c.Recv(ctx, &text))
		fmt.Println(text, err)
	}
	for i := range near {
		near[i].Close()
		far[i].Close()
	}
	// Output: done <nil>
}
