package manager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// How long a Command waits for the workers' answers.
const (
	defaultAnswerTime = 5 * time.Second
	maxAnswerTime     = time.Minute
)

// maxTold bounds the workers of one Command: their reports are one answer.
const maxTold = wire.MaxEntries

// Command has workers carry out a command; see [reeve.Operator].
func (m *Master) Command(ctx context.Context, to reeve.WorkerSelector, c reeve.Command, timeout time.Duration) ([]reeve.Report, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	answer := make(chan []reeve.Report, 1)
	g, err := m.tell(&to, &c, timeout, func(rs []reeve.Report) { answer <- rs })
	if err != nil {
		return nil, err
	}
	select {
	case rs := <-answer:
		return rs, nil
	case <-ctx.Done():
		g.close()
		return nil, ctx.Err()
	case <-m.ctx.Done():
		g.close()
		return nil, m.Err()
	}
}

func checkCommand(to *reeve.WorkerSelector, c *reeve.Command, timeout time.Duration) error {
	if len(to.IDs) > maxTold {
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "workers of one Command", Value: int64(len(to.IDs)), Max: maxTold}
	}
	if err := reeve.CheckLabels(to.Labels); err != nil {
		return err
	}
	switch c.Do {
	case reeve.CommandReport, reeve.CommandDrain:
	case reeve.CommandConcurrency:
		if c.Concurrency < 1 || c.Concurrency > reeve.MaxSlots {
			return fmt.Errorf("%w: Command.Concurrency is %d, want 1 to %d", reeve.ErrInvalid, c.Concurrency, reeve.MaxSlots)
		}
	default:
		return fmt.Errorf("%w: Command.Do is %.100q, want report, drain or concurrency", reeve.ErrInvalid, c.Do)
	}
	if timeout < 0 || timeout > maxAnswerTime {
		return fmt.Errorf("%w: timeout of %v, want 0 (%v) to %v", reeve.ErrInvalid, timeout, defaultAnswerTime, maxAnswerTime)
	}
	return nil
}

// tell sends a command to the workers that are meant. done is called once with
// their reports, unless the gathering is closed before; it must not block.
func (m *Master) tell(to *reeve.WorkerSelector, c *reeve.Command, timeout time.Duration, done func([]reeve.Report)) (*gathering, error) {
	if err := checkCommand(to, c, timeout); err != nil {
		return nil, err
	}
	if timeout == 0 {
		timeout = defaultAnswerTime
	}
	sessions, reports := m.meant(to)
	if n := len(sessions) + len(reports); n > maxTold {
		return nil, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "workers of one Command", Value: int64(n), Max: maxTold}
	}
	g := &gathering{missing: map[*session]int{}, done: done, reports: reports}
	for _, s := range sessions {
		g.missing[s] = len(g.reports)
		g.reports = append(g.reports, reeve.Report{Worker: s.worker(), ID: s.id})
	}
	if len(sessions) == 0 {
		g.end("")
		return g, nil
	}
	seqs := make([]uint64, len(sessions)) // 0: not to be told
	for i, s := range sessions {
		var err error
		if seqs[i], err = s.told.add(g, m.cfg.MaxCommands); err != nil {
			g.report(s, reeve.Report{Error: err.Error()})
		}
	}
	g.limit(timeout)
	for i, s := range sessions {
		if seqs[i] > 0 {
			s.out.command(wire.Command{Seq: seqs[i], Kind: string(c.Do), Concurrency: uint64(c.Concurrency)})
		}
	}
	return g, nil
}

// meant returns the sessions that a selector means, and the reports of those it
// names that cannot be asked.
func (m *Master) meant(to *reeve.WorkerSelector) (sessions []*session, cannot []reeve.Report) {
	ids := map[uint64]bool{} // named, and not found yet
	for _, id := range to.IDs {
		ids[id] = true
	}
	for _, s := range m.inOrder() {
		named := ids[s.id]
		delete(ids, s.id)
		switch {
		case len(to.IDs) > 0 && !named, !s.hasLabels(to.Labels):
		case s.hello.Commands:
			sessions = append(sessions, s)
		case named:
			cannot = append(cannot, reeve.Report{Worker: s.worker(), ID: s.id, Error: fmt.Sprintf("%v: it takes no commands", reeve.ErrUnsupported)})
		}
	}
	for _, id := range to.IDs {
		if ids[id] {
			delete(ids, id)
			cannot = append(cannot, reeve.Report{ID: id, Error: "there is no such worker"})
		}
	}
	return sessions, cannot
}

// hasLabels reports whether the session's consumers have all these labels.
func (s *session) hasLabels(labels []string) bool {
	if len(labels) == 0 {
		return true
	}
	queues, _, _ := s.holder.Info()
	for _, l := range labels {
		if !slices.ContainsFunc(queues, func(q reeve.WorkerQueue) bool { return slices.Contains(q.Labels, l) }) {
			return false
		}
	}
	return true
}

// gathering is one command on its way to workers, with their reports as they
// come in.
type gathering struct {
	mu      sync.Mutex       // guards the fields below; nothing else is locked with it held
	missing map[*session]int // who has not answered, and where its report stands
	reports []reeve.Report
	done    func([]reeve.Report) // nil: it was called, or will not be
	timer   *time.Timer
}

// limit ends the gathering after d, if it has not ended before.
func (g *gathering) limit(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done != nil {
		g.timer = time.AfterFunc(d, func() { g.end(fmt.Sprintf("no answer within %v", d)) })
	}
}

// report notes the answer of one worker; the first counts.
func (g *gathering) report(s *session, r reeve.Report) {
	g.mu.Lock()
	at, ok := g.missing[s]
	if ok {
		delete(g.missing, s)
		g.reports[at].Error, g.reports[at].Status = r.Error, r.Status
	}
	last := ok && len(g.missing) == 0
	g.mu.Unlock()
	if last {
		g.end("")
	}
}

// end hands over the reports; those that are missing have the error why.
func (g *gathering) end(why string) {
	if done, missing := g.close(); done != nil {
		for _, at := range missing {
			g.reports[at].Error = why
		}
		done(g.reports) // nobody changes them any more
	}
}

// close ends the gathering. done is nil when it had ended before.
func (g *gathering) close() (done func([]reeve.Report), missing map[*session]int) {
	g.mu.Lock()
	done, missing = g.done, g.missing
	g.done, g.missing = nil, nil
	if g.timer != nil {
		g.timer.Stop()
	}
	g.mu.Unlock()
	for s := range missing {
		s.told.forget(g)
	}
	return done, missing
}

// told are the commands that a client has not answered yet, by the number each
// was given.
type told struct {
	mu    sync.Mutex // guards the fields below; nothing else is locked with it held
	last  uint64
	bySeq map[uint64]*gathering
	over  bool
}

// add gives a command for the client its number.
func (t *told) add(g *gathering, max int) (seq uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over:
		return 0, errWorkerLeft
	case len(t.bySeq) >= max:
		return 0, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "commands that one client has not answered", Value: int64(len(t.bySeq)) + 1, Max: int64(max), Set: "Config.MaxCommands"}
	}
	t.last++
	if t.bySeq == nil {
		t.bySeq = map[uint64]*gathering{}
	}
	t.bySeq[t.last] = g
	return t.last, nil
}

// take returns what waits for the answer to seq, or nil.
func (t *told) take(seq uint64) *gathering {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.bySeq[seq]
	delete(t.bySeq, seq)
	return g
}

// forget takes out what is waited for no more.
func (t *told) forget(g *gathering) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.bySeq, func(_ uint64, other *gathering) bool { return other == g })
}

// end answers for a client that is gone.
func (t *told) end(s *session) {
	t.mu.Lock()
	all := t.bySeq
	t.bySeq, t.over = nil, true
	t.mu.Unlock()
	for _, g := range all {
		g.report(s, reeve.Report{Error: errWorkerLeft.Error()})
	}
}

var errWorkerLeft = fmt.Errorf("%w before it answered", reeve.ErrDisconnected)

// reported passes on a worker's answer to a command.
func (s *session) reported(m *wire.Report) {
	if g := s.told.take(m.Seq); g != nil { // else it comes too late
		g.report(s, reeve.Report{Error: shown(m.Error, maxReportError), Status: (*reeve.WorkerStatus)(m.Status)})
	}
}

// maxReportError bounds the error of one report, in bytes: thousands of them
// are one answer.
const maxReportError = 512
