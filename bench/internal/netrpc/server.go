package netrpc

import (
	"context"
	"errors"
	"net"
	"net/rpc"
	"sync"
)

// defaultCapacity is of a channel when the workload names no backlog.
const defaultCapacity = 1 << 16

// serve serves until ctx ends. A Get for which nothing comes waits until the
// process ends: net/rpc has no way to end it.
func serve(ctx context.Context, ln net.Listener, capacity int) error {
	if capacity <= 0 {
		capacity = defaultCapacity
	}
	s := rpc.NewServer()
	err := errors.Join(
		s.RegisterName("Queues", &Queues{capacity: capacity, queues: make(map[string]chan []byte)}),
		s.RegisterName("Objects", &Objects{lock: make(chan struct{}, 1), values: make(map[string][]byte)}))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		c, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		context.AfterFunc(ctx, func() { c.Close() })
		go s.ServeConn(c) // ends with the connection
	}
}

// Queues is the service that has the queues. A queue is there when it is first
// named.
type Queues struct {
	capacity int

	mu     sync.RWMutex // guards queues
	queues map[string]chan []byte
}

// Items are payloads for a queue.
type Items struct {
	Queue    string
	Payloads [][]byte
}

// One is one payload for a queue.
type One struct {
	Queue   string
	Payload []byte
}

// Want is how many items of a queue are wanted at most.
type Want struct {
	Queue string
	Most  int
}

func (q *Queues) queue(name string) chan []byte {
	q.mu.RLock()
	c, ok := q.queues[name]
	q.mu.RUnlock()
	if ok {
		return c
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c, ok = q.queues[name]; !ok {
		c = make(chan []byte, q.capacity)
		q.queues[name] = c
	}
	return c
}

// Put waits for room in the channel.
func (q *Queues) Put(one One, _ *struct{}) error {
	q.queue(one.Queue) <- one.Payload
	return nil
}

// PutMany is Put of several.
func (q *Queues) PutMany(items Items, _ *struct{}) error {
	c := q.queue(items.Queue)
	for _, payload := range items.Payloads {
		c <- payload
	}
	return nil
}

// Get waits for an item.
func (q *Queues) Get(name string, payload *[]byte) error {
	*payload = <-q.queue(name)
	return nil
}

// GetMany waits for an item, and takes what else is there.
func (q *Queues) GetMany(want Want, payloads *[][]byte) error {
	c := q.queue(want.Queue)
	*payloads = append(*payloads, <-c)
	for len(*payloads) < want.Most {
		select {
		case payload := <-c:
			*payloads = append(*payloads, payload)
		default:
			return nil
		}
	}
	return nil
}

// Objects is the service of what is shared besides queues.
type Objects struct {
	lock chan struct{}

	mu     sync.Mutex // guards values
	values map[string][]byte
}

// Entry is one of the map.
type Entry struct {
	Key   string
	Value []byte
}

// Echo returns its argument.
func (o *Objects) Echo(value []byte, same *[]byte) error {
	*same = value
	return nil
}

// Acquire waits for the lock.
func (o *Objects) Acquire(struct{}, *struct{}) error {
	o.lock <- struct{}{}
	return nil
}

// Release fails when nobody holds the lock.
func (o *Objects) Release(struct{}, *struct{}) error {
	select {
	case <-o.lock:
		return nil
	default:
		return errors.New("nobody holds the lock")
	}
}

// Set writes an entry.
func (o *Objects) Set(e Entry, _ *struct{}) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.values[e.Key] = e.Value
	return nil
}

// Get reads the value of a key.
func (o *Objects) Get(key string, value *[]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.values[key]
	if !ok {
		return errors.New("no such key")
	}
	*value = v
	return nil
}
