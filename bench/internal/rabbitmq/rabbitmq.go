// Package rabbitmq measures RabbitMQ: publishing with confirms that arrive later,
// consumers with prefetch, acknowledgements of many deliveries at a time. Queues
// are classic and forgotten with the server, or quorum queues where what is
// confirmed has to survive.
package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/reeveq/reeve/bench/internal/system"
)

// batch is how many messages are published before their confirms are waited for.
const batch = 100

// Systems are the ways of using it.
func Systems() []system.System { return []system.System{rabbitMQ{}} }

type rabbitMQ struct{}

func (rabbitMQ) Name() string { return "rabbitmq" }

func (rabbitMQ) About() string {
	return fmt.Sprintf("RabbitMQ: classic queues (durable: quorum), confirms of %d awaited at a time, prefetch, ack multiple after the result's confirm", batch)
}

func (rabbitMQ) Group() system.Group { return system.Peer }

func (rabbitMQ) Batch() int { return batch }

func (rabbitMQ) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	n, err := startNode(ctx, set)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, n.addr)
	if err != nil {
		return nil, errors.Join(err, n.stop())
	}
	version, _ := conn.Properties["version"].(string)
	if err := conn.Close(); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	endpoint := n.addr
	if set.Durable {
		endpoint += durableSuffix
	}
	return &system.Server{Endpoint: endpoint, Version: version, PID: n.pid, Stop: n.stop}, nil
}

// durableSuffix of an endpoint is that queues are durable.
const durableSuffix = " durable"

func (rabbitMQ) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	addr, durable := strings.CutSuffix(endpoint, durableSuffix)
	conn, err := connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, durable: durable, declared: make(map[string]bool)}, nil
}

// connect makes a connection as the user that every new node has.
func connect(ctx context.Context, addr string) (*amqp.Connection, error) {
	return amqp.DialConfig("amqp://guest:guest@"+addr+"/", amqp.Config{
		Dial: func(network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			// The library ends the deadline when the connection is open.
			if by, ok := ctx.Deadline(); ok {
				err = c.SetDeadline(by)
			}
			return c, err
		},
	})
}
