package proxy

import (
	"context"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// supply is where tasks come from: one queue, or several.
type supply struct {
	c       *Client
	name    string
	sources []reeve.Source // in place of name
	several bool           // made by From
}

// From is a supply from several queues of the master; see [reeve.Operator].
func (c *Client) From(sources ...reeve.Source) reeve.Supply {
	return &supply{c: c, sources: slices.Clone(sources), several: true}
}

func (s *supply) check(want *reeve.GetOptions) error {
	if err := want.Validate(); err != nil {
		return err
	}
	if !s.several {
		return checkName(s.name)
	}
	for _, from := range s.sources {
		if err := checkName(from.Queue); err != nil {
			return err
		}
	}
	return reeve.CheckSources(s.sources)
}

// size bounds what a supply and what is wanted of it take in a frame.
func (s *supply) size(want *reeve.GetOptions) int {
	n := 128 + len(s.name)
	for _, from := range s.sources {
		n += 16 + len(from.Queue)
	}
	for _, texts := range [][]string{want.Types, want.Labels} {
		for _, t := range texts {
			n += 3 + len(t)
		}
	}
	return n
}

func (s *supply) Get(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return s.get(ctx, max, false, opts)
}

func (s *supply) TryGet(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return s.get(ctx, max, true, opts)
}

func (s *supply) get(ctx context.Context, max int, noWait bool, opts []reeve.GetOption) ([]*reeve.Lease, error) {
	if err := checkCount("tasks of one Get", max, 1, reeve.MaxBatch); err != nil {
		return nil, err
	}
	k := &getting{from: s, max: max, noWait: noWait}
	if len(opts) > 0 {
		k.want = reeve.NewGetOptions(opts...)
	}
	if err := s.check(&k.want); err != nil {
		return nil, err
	}
	k.call = call{req: k, traits: giving}
	if !noWait {
		k.traits |= parks
	}
	if err := s.c.do(ctx, &k.call); err != nil {
		return nil, err
	}
	return k.leases, nil
}

// getting is a Get.
type getting struct {
	call
	from   *supply
	want   reeve.GetOptions
	max    int
	noWait bool
}

func (k *getting) size() int { return k.from.size(&k.want) }

func (k *getting) encode(b *wire.Builder, id, low uint64) error {
	return b.Message(wire.Get{Req: id, Low: low, Queue: k.from.name, Sources: wire.SourcesOf(k.from.sources),
		Max: uint64(k.max), NoWait: k.noWait, Types: k.want.Types, Labels: k.want.Labels, UntilEmpty: k.want.UntilEmpty})
}

func (s *supply) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	if err := checkCount("slots of a Consumer", slots, 1, reeve.MaxSlots); err != nil {
		return nil, err
	}
	want := reeve.NewGetOptions(opts...)
	if err := s.check(&want); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctxError(ctx)
	}
	return s.c.consume(ctx, newConsumer(s, slots, want))
}

func (s *supply) String() string {
	if s.several {
		return fmt.Sprintf("%d queues", len(s.sources))
	}
	return fmt.Sprintf("%q", s.name)
}

var _ reeve.Supply = (*supply)(nil)
