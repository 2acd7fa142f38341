package manager

import (
	"context"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// asked are the commands to workers that one client has asked for and that
// have no answer yet, by request. Who takes one out answers it.
type asked struct {
	mu    sync.Mutex            // guards the fields below; nothing else is locked with it held
	byReq map[uint64]*gathering // nil: not begun yet
}

// reserve makes a place for a request, unless there are max.
func (t *asked) reserve(req uint64, max int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byReq) >= max {
		return false
	}
	if t.byReq == nil {
		t.byReq = map[uint64]*gathering{}
	}
	t.byReq[req] = nil
	return true
}

// set fills a place; false when it was given up meanwhile.
func (t *asked) set(req uint64, g *gathering) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, wanted := t.byReq[req]
	if wanted {
		t.byReq[req] = g
	}
	return wanted
}

// get tells whether a request still waits for its answer.
func (t *asked) get(req uint64) (g *gathering, wanted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, wanted = t.byReq[req]
	return g, wanted
}

// take gives a place up; wanted is false when somebody else did before.
func (t *asked) take(req uint64) (g *gathering, wanted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, wanted = t.byReq[req]
	delete(t.byReq, req)
	return g, wanted
}

// end gives all up without an answer.
func (t *asked) end() {
	t.mu.Lock()
	all := t.byReq
	t.byReq = nil
	t.mu.Unlock()
	for _, g := range all {
		if g != nil {
			g.close()
		}
	}
}

// command has workers carry out what a client wants.
func (r *requests) command(m *wire.CommandRequest) error {
	s, req := r.s, m.Req
	if !r.mayWait(req) {
		return nil
	}
	if most := s.m.cfg.MaxCommands; !s.asked.reserve(req, most) {
		s.waiting.Add(-1)
		err := &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "commands that one client has asked for", Value: int64(most) + 1, Max: int64(most), Set: "Config.MaxCommands"}
		s.out.refuse(req, err)
		return nil
	}
	ask := func() {
		if _, wanted := s.asked.get(req); !wanted {
			return // it was cancelled
		}
		to := &reeve.WorkerSelector{IDs: m.IDs, Labels: m.Labels}
		c := &reeve.Command{Do: reeve.CommandKind(m.Kind), Concurrency: int(min(m.Concurrency, reeve.MaxSlots+1))}
		g, err := s.m.tell(to, c, m.Timeout, func(reports []reeve.Report) { s.answerCommand(req, reports, nil) })
		if err != nil {
			s.answerCommand(req, nil, err)
		} else if !s.asked.set(req, g) { // it has its answer, or was cancelled
			g.close()
		}
	}
	size := int64(8*len(m.IDs)+len(m.Kind)) + textsSize(m.Labels)
	err := s.looking.add(func() { s.protected(req, 1, func() error { ask(); return nil }) }, size, s.m.cfg.MaxWaiting)
	if err != nil {
		s.answerCommand(req, nil, err)
	}
	return nil
}

// answerCommand answers a command that the client asked for, unless that was
// done before.
func (s *session) answerCommand(req uint64, reports []reeve.Report, err error) {
	if _, wanted := s.asked.take(req); !wanted {
		return
	}
	s.waiting.Add(-1)
	if err == nil {
		a := &wire.Answer{Req: req}
		for i := range reports {
			a.Reports = append(a.Reports, wire.WorkerReportOf(&reports[i]))
		}
		err = s.out.add(a)
	}
	if err != nil {
		s.out.refuse(req, err)
	}
	s.out.wake()
}

// cancelCommand ends the wait for a command; false when req is none.
func (s *session) cancelCommand(req uint64) bool {
	g, wanted := s.asked.get(req)
	if wanted {
		s.answerCommand(req, nil, context.Canceled)
		if g != nil {
			g.close()
		}
	}
	return wanted
}
