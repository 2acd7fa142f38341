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
	turns []turn     // the first one runs
	size  int64      // of all
	over  bool
	gone  sync.WaitGroup
}

// turn is one request, with about what it takes in memory.
type turn struct {
	do   func()
	size int64
}

// turnSize is what a turn takes besides the lists and texts in its request.
const turnSize = 512

// add has f carried out. When the session ends before its turn it is not. An
// error says that those before it take max bytes.
func (l *lane) add(f func(), size, max int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil
	}
	size += turnSize
	if now := l.size + size; now > max && len(l.turns) > 0 {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of one client's requests that wait for their turn", Value: now, Max: max, Set: "Config.MaxWaiting"}
	}
	l.size += size
	l.turns = append(l.turns, turn{f, size})
	if len(l.turns) == 1 {
		l.gone.Go(l.run) // waited for by end
	}
	return nil
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		t := l.turns[0]
		l.mu.Unlock()
		t.do()
		l.mu.Lock()
		l.turns[0] = turn{}
		l.turns, l.size = l.turns[1:], l.size-t.size
		if len(l.turns) == 0 || l.over {
			l.turns = nil
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

// look answers a request that changes nothing, and whose lists and texts take
// size bytes, with what f finds, in its own time: f must not use r, which is another's by
// then.
func (r *requests) look(req uint64, size int64, f func(on *Master) (*wire.Answer, error)) error {
	s := r.s
	err := s.looking.add(func() {
		s.out.hold()
		defer s.out.release() // waits while the client does not read what it asked for
		s.protected(req, 1, func() error {
			a, err := f(s.m)
			if err == nil {
				a.Req = req
				err = s.out.add(a)
			}
			if err != nil {
				s.out.refuse(req, err)
			}
			return nil
		})
	}, size, s.m.cfg.MaxWaiting)
	if err != nil {
		s.out.refuse(req, err)
	}
	return nil
}
