package manager

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/container"
	"github.com/reeveq/reeve/internal/shared/locking"
	"github.com/reeveq/reeve/internal/wire"
)

// How calls of shared objects come to them, from clients and from this process.

// openObjects makes the place for shared objects of a new master.
func (m *Master) openObjects() {
	m.host = shared.New(shared.Config{Shutdown: m.askShutdown, Logger: m.cfg.Logger, Debug: m.cfg.Debug})
	container.Add(m.host)
	locking.Add(m.host)
	m.exposed = newExposed(m.host)
	m.host.Serve("$queues", &queuesService{m}, queuesMethods)
	m.objects = m.host.NewCaller(shared.ClientID{}, shared.Who{Name: localName})
}

// CallObject calls a method of a shared object, as a client does; see
// [reeve.Objects]. What this process holds and refers to it keeps until Close.
func (m *Master) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	return m.objects.CallObject(ctx, c)
}

// attachObjects begins the session for the shared objects, and reports whether
// they remember its client. known: the memory of requests does.
func (s *session) attachObjects(known bool) (recalled bool) {
	who := shared.Who{Name: s.worker(), Host: s.hello.Host, PID: s.hello.PID}
	id := shared.ClientID{Key: s.peer.KeyID, Process: s.hello.Client}
	s.objects, recalled = s.m.host.Attach(id, who, answers{s})
	if !known {
		s.objects.Client().Forgotten()
	}
	return recalled
}

// doCall has a method of a shared object called.
func (r *requests) doCall() error {
	m := &r.called
	r.s.objects.Call(&shared.Request{
		Req: m.Req, Low: m.Low, Waits: m.Flags&wire.FlagWaits != 0, Ref: m.Ref(), Method: m.Method, Args: m.Args,
		Reads: m.Flags&wire.FlagReads != 0, Again: m.Flags&wire.FlagAgain != 0, Timeout: m.Timeout,
	})
	return nil
}

// answers takes what methods return to a client.
type answers struct{ s *session }

func (a answers) Return(req uint64, value []byte) {
	if err := a.s.out.returned(req, value); err != nil {
		a.s.out.refuse(req, err)
		a.s.out.wake()
	}
}

func (a answers) Fail(req uint64, err error) {
	if !a.s.goesOn(err) {
		a.s.out.refuse(req, err)
		a.s.out.wake()
	}
}

var (
	_ shared.Replier = answers{}
	_ reeve.Objects  = (*Master)(nil)
)
