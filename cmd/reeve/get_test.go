package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

// counter is a queue that hands over one task and knows who asked for it.
type counter struct {
	reeve.Queue // nil: nothing else is called

	asked reeve.GetOptions
	lease *reeve.Lease
}

func (c *counter) TryGet(_ context.Context, _ int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	c.asked = reeve.NewGetOptions(opts...)
	if c.lease == nil {
		return nil, reeve.ErrEmpty
	}
	l := c.lease
	c.lease = nil
	return []*reeve.Lease{l}, nil
}

// accepting ends every lease.
type accepting struct{ reeve.Settler }

func (accepting) Settle(_ *reeve.Lease, _ *reeve.Outcome, done func(error)) { done(nil) }

// shop is a master with a counter.
type shop struct {
	reeve.Operator
	reeve.Backuper
	reeve.Objects
	reeve.QueueDeclarer
	ender
	counter *counter
}

func (s shop) Queue(string) reeve.Queue { return s.counter }
func (s shop) Close() error             { return nil }

func TestGet_AsksForTypesAndLabelsAndShowsWhatTasksHave(t *testing.T) {
	t.Parallel()
	put := time.Date(2030, 1, 31, 18, 30, 0, 0, time.UTC)
	task := reeve.Task{ID: 0xc05, Type: "video", Priority: 7, Attempt: 1, PutAt: put, Payload: []byte{0xa1, 'a', 'n', 12}, Rules: &reeve.Rules{Key: "k"}}
	c := &counter{lease: reeve.NewLease("tasks", task, accepting{})}
	dial := func(context.Context, string, proxy.Config) (master, error) { return shop{counter: c}, nil }
	code, stdout, stderr := runWith(t, strings.Repeat("long enough ", 4), dial, "", "get", "tasks", "-json", "-type", "video", "-type", "", "-label", "gpu")
	if code != 0 || stdout != `{"id":"0000000000000c05","type":"video","priority":7,"attempt":1,"put_at":"2030-01-31T18:30:00Z","key":"k","payload_base64":"oWFuDA==","payload_cbor":{"n":12}}`+"\n" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if len(c.asked.Types) != 2 || c.asked.Types[0] != "video" || len(c.asked.Labels) != 1 || c.asked.Labels[0] != "gpu" {
		t.Errorf("%+v", c.asked)
	}
	if runWith(t, strings.Repeat("long enough ", 4), dial, "", "get", "tasks"); c.asked.Types != nil || c.asked.Labels != nil {
		t.Errorf("%+v", c.asked)
	}
}
