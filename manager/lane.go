package manager

import (
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// lane carries out those requests of one client that may take their time, one
// after another and apart from its readers: an operation over all tasks of a
// long queue holds up nothing else. A goroutine exists while there is something
// to do.
type lane struct {
	mu    sync.Mutex // guards the fields below
	tasks []func()   // the first one runs
	over  bool
	gone  sync.WaitGroup
}

// add has f carried out; false when max are under way. When the session ends
// before its turn, f is not carried out.
func (l *lane) add(f func(), max int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
		return true
	case len(l.tasks) >= max:
		return false
	}
	l.tasks = append(l.tasks, f)
	if len(l.tasks) == 1 {
		l.gone.Go(l.run) // waited for by end
	}
	return true
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		f := l.tasks[0]
		l.mu.Unlock()
		f()
		l.mu.Lock()
		l.tasks[0] = nil
		l.tasks = l.tasks[1:]
		if len(l.tasks) == 0 || l.over {
			l.tasks = nil
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

// end drops what has not begun and waits for what has.
func (l *lane) end() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.gone.Wait()
}

func (s *session) tooManyOperations() error {
	most := int64(s.m.cfg.MaxOperations)
	return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "operations of one client that are under way", Value: most + 1, Max: most, Set: "Config.MaxOperations"}
}

// look answers a request that changes nothing with what f finds, in its own
// time: f must not use r, which is another's by then.
func (r *requests) look(req uint64, f func(on *Master) (*wire.Answer, error)) error {
	s := r.s
	ok := s.looking.add(func() {
		s.out.hold()
		defer s.out.release() // waits while the client does not read what it asked for
		s.protected(req, 1, func() error {
			a, err := f(s.m)
			if err == nil {
				a.Req = req
				err = s.out.add(a)
			}
			if err != nil {
				s.out.message(wire.ErrorFor(req, err, ""))
			}
			return nil
		})
	}, s.m.cfg.MaxOperations)
	if !ok {
		s.out.message(wire.ErrorFor(req, s.tooManyOperations(), ""))
	}
	return nil
}
