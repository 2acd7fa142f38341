package manager

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// queuesService is the service $queues: clients declare and delete queues with
// it. What it changes is answered when it is durable.
type queuesService struct{ m *Master }

var queuesMethods = []reeve.MethodInfo{
	{Name: "declare", Signature: "declare(name, config)"},
	{Name: "delete", Signature: "delete(name, force)"},
	{Name: "list", Signature: "list(after, max) (queues, next)", Reads: true},
}

// maxQueuesPage bounds one page of list.
const maxQueuesPage = 1000

// queueItem is one queue of list.
type queueItem struct {
	Name   string `cbor:"1,keyasint"`
	Config string `cbor:"2,keyasint"` // as declare takes it, with all defaults filled in
}

func (s *queuesService) Call(c *shared.Call) {
	var err error
	switch c.Method {
	case "declare":
		err = s.declare(c)
	case "delete":
		err = s.delete(c)
	case "list":
		err = s.list(c)
	}
	if err != nil {
		c.Fail(err)
	}
}

func (s *queuesService) declare(c *shared.Call) error {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Name   string
		Config string
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	cfg, err := decodeConfig(a.Config)
	if err != nil {
		return err
	}
	if err := s.m.declare(a.Name, cfg); err != nil {
		return err
	}
	s.durable(c)
	return nil
}

// decodeConfig reads a configuration: what it does not say is as usual, what it
// says and this version does not know is an error.
func decodeConfig(text string) (c reeve.QueueConfig, err error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err = d.Decode(&c); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something stands behind it")
		}
	}
	if err != nil {
		return c, fmt.Errorf("%w: the configuration of a queue: %v", reeve.ErrInvalid, err)
	}
	return c, nil
}

func (s *queuesService) delete(c *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		Name  string
		Force bool
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	if c.Again {
		// The queue of that name may be another one than was meant: one that was
		// declared after this was carried out.
		if _, err := s.m.engine.Lookup(a.Name); err == nil {
			return fmt.Errorf("%w: delete of queue %q", reeve.ErrOutcomeUnknown, a.Name)
		}
	} else if err := s.m.engine.Delete(a.Name, a.Force); err != nil {
		return err
	}
	s.durable(c)
	return nil
}

// durable answers c when everything that was done so far is durable.
func (s *queuesService) durable(c *shared.Call) {
	s.m.engine.After(func(err error) {
		if err != nil {
			c.Fail(err)
		} else {
			c.Return(nil)
		}
	})
}

// list tells of the queues whose names come after a name, in the order of these.
func (s *queuesService) list(c *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		After string
		Max   uint64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	if a.Max < 1 || a.Max > maxQueuesPage {
		return fmt.Errorf("%w: a page of %d queues, want 1 to %d", reeve.ErrInvalid, a.Max, maxQueuesPage)
	}
	var answer struct {
		_     struct{} `cbor:",toarray"`
		Items []queueItem
		Next  string
	}
	names := s.m.engine.Names()
	slices.Sort(names)
	first, _ := slices.BinarySearch(names, a.After+"\x00")
	for _, name := range names[first:] {
		cfg, ok := s.m.engine.ConfigOf(name)
		if !ok { // it was deleted just now
			continue
		}
		text, err := json.Marshal(cfg)
		if err != nil {
			return err
		}
		answer.Items = append(answer.Items, queueItem{name, string(text)})
		if len(answer.Items) == int(a.Max) {
			answer.Next = name
			break
		}
	}
	shared.ReturnValue(c, answer)
	return nil
}

func (s *queuesService) Lost(*shared.Client) {}
func (s *queuesService) Gone(*shared.Client) {}
func (s *queuesService) Close(error)         {}
func (s *queuesService) Describe() string    { return "the queues" }

var _ shared.Object = (*queuesService)(nil)
