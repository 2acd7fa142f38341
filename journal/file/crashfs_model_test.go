package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve/journal"
)

// errBroken is what every promise matches that a journal broke.
var errBroken = errors.New("broken promise")

func broken(f string, a ...any) error { return fmt.Errorf("%w: "+f, append([]any{errBroken}, a...)...) }

// model is what a journal has promised: what must be found in it, and what may.
type model struct {
	frames map[journal.Pos][]byte // that were appended; the last may have been cut
	first  journal.Pos            // that was not trimmed
	last   journal.Pos            // that was appended
	tried  journal.Pos            // last, or the one behind it, whose Append ended with the power
	synced journal.Pos            // up to here all is durable
}

func newModel() *model {
	return &model{frames: make(map[journal.Pos][]byte), first: 1}
}

// heard is one frame of a Replay.
type heard struct {
	pos  journal.Pos
	data []byte
}

// replay gathers what Replay tells.
func replay(j journal.Journal) (fs []heard, last journal.Pos, err error) {
	last, err = j.Replay(context.Background(), func(p journal.Pos, b []byte) error {
		fs = append(fs, heard{p, bytes.Clone(b)})
		return nil
	})
	return fs, last, err
}

// recovered holds what a journal was found to hold against what was promised.
// From then on, what was found is what is promised: a journal that tells of a
// frame at its start has made it durable.
func (m *model) recovered(j journal.Journal) error {
	fs, last, err := replay(j)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if err := m.check(fs, last); err != nil {
		return err
	}
	for _, f := range fs {
		b, err := j.Read(context.Background(), f.pos)
		if err != nil {
			return fmt.Errorf("read %d, which was replayed: %w", f.pos, err)
		}
		if !bytes.Equal(b, f.data) {
			return broken("read %d gives other data than replay", f.pos)
		}
	}
	oldest := last + 1
	if len(fs) > 0 {
		oldest = fs[0].pos
	}
	if oldest > 1 {
		if _, err := j.Read(context.Background(), oldest-1); !errors.Is(err, journal.ErrTrimmed) {
			return fmt.Errorf("read %d, which was trimmed: %w", oldest-1, err)
		}
	}
	if b, err := j.Read(context.Background(), last+1); err == nil {
		return broken("read %d, which does not exist, gives %d bytes", last+1, len(b))
	}
	for p := range m.frames {
		if p > last || p < oldest {
			delete(m.frames, p)
		}
	}
	m.first, m.last, m.tried, m.synced = min(m.first, last+1), last, last, last
	return nil
}

// check compares what was found with what was promised.
func (m *model) check(fs []heard, last journal.Pos) error {
	if last < m.synced || last > m.tried {
		return broken("the last frame is %d: synced to %d, appended to %d, tried to %d", last, m.synced, m.last, m.tried)
	}
	if last >= m.first && (len(fs) == 0 || fs[0].pos > m.first) {
		return broken("frame %d is lost: %d found up to %d", m.first, len(fs), last)
	}
	for i, f := range fs {
		if want := last - journal.Pos(len(fs)-1-i); f.pos != want {
			return broken("found frame %d in place of %d", f.pos, want)
		}
		want, ok := m.frames[f.pos]
		switch {
		case !ok:
			return broken("found frame %d, which was trimmed or refused", f.pos)
		case !bytes.Equal(f.data, want):
			return broken("frame %d is not what was appended: %d bytes in place of %d", f.pos, len(f.data), len(want))
		}
	}
	return nil
}
