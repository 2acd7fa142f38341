package manager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// Workers lists the connected clients; see [reeve.Operator].
func (m *Master) Workers(ctx context.Context) ([]reeve.WorkerInfo, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	sessions := m.inOrder()
	infos := make([]reeve.WorkerInfo, len(sessions))
	for i, s := range sessions {
		infos[i] = s.info()
	}
	wire.SortWorkers(infos)
	return infos, nil
}

// inOrder returns the sessions in the order of their numbers.
func (m *Master) inOrder() []*session {
	all := m.allSessions()
	slices.SortFunc(all, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	return all
}

// info is what operators see of the session's client: not more than goes into
// one answer.
func (s *session) info() reeve.WorkerInfo {
	queues, running, leased := s.holder.Info()
	size := 0
	for i := range queues {
		if size += supplyBytes(&queues[i]); size > answerBytes && i > 0 {
			queues = queues[:i:i]
			break
		}
	}
	return reeve.WorkerInfo{
		ID: s.id, Name: shown(s.hello.Name, maxPart), Host: shown(s.hello.Host, maxPart), PID: int(s.hello.PID),
		Impl: shown(s.hello.Impl, maxPart), Addr: s.peer.Remote.String(), Since: s.since,
		Heard: s.holder.Heard(), Queues: queues, Running: running, Leased: leased,
	}
}

// maxPart bounds each of the texts that a client tells of itself, in bytes.
const maxPart = 255

// worker is the text by which operators know the session's client, wherever
// one is named: NAME@HOST:PID#SESSION.
func (s *session) worker() string {
	name := shown(s.hello.Name, maxPart)
	if name != "" {
		name += "@"
	}
	return fmt.Sprintf("%s%s:%d#%d", name, shown(s.hello.Host, maxPart), s.hello.PID, s.id)
}

// shown is what of a text that a client chose is shown: what prints, and not
// too much of it.
func shown(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
