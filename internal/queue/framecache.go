package queue

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

const (
	// cachedBytes bounds the frames in memory: tasks that were put together are
	// mostly handed over together.
	cachedBytes = 32 << 20
	// cachedFrameOverhead and cachedTaskOverhead are about what is taken besides
	// by a frame and by each of its payloads: there may be many small frames.
	cachedFrameOverhead = 512
	cachedTaskOverhead  = 64
)

// frameCache has the frames that were read last. The zero value is empty.
type frameCache struct {
	mu     sync.Mutex // guards the fields below; held while a frame is read
	frames map[journal.Pos]*cachedFrame
	order  []journal.Pos // of the frames, the one that was read first in front
	bytes  int
}

// cachedFrame is a frame and where in it the payloads are.
type cachedFrame struct {
	frame []byte
	at    map[reeve.ID][]byte
}

func (f *cachedFrame) size() int {
	return len(f.frame) + cachedFrameOverhead + len(f.at)*cachedTaskOverhead
}

// payload is that of the task id, which frame p has.
func (c *frameCache) payload(j journal.Journal, p journal.Pos, id reeve.ID) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.frames[p]
	if f == nil {
		var err error
		if f, err = readFrame(j, p); err != nil {
			return nil, err
		}
		c.add(p, f)
	}
	payload, ok := f.at[id]
	if !ok {
		return nil, fmt.Errorf("%w: frame %d does not have task %v", reeve.ErrJournal, p, id)
	}
	// A copy: what keeps one payload would keep the frame.
	return append([]byte(nil), payload...), nil
}

// add keeps f, in place of those that were read first.
func (c *frameCache) add(p journal.Pos, f *cachedFrame) {
	if c.frames == nil {
		c.frames = map[journal.Pos]*cachedFrame{}
	}
	c.frames[p] = f
	c.order = append(c.order, p)
	c.bytes += f.size()
	for c.bytes > cachedBytes && len(c.order) > 1 {
		c.bytes -= c.frames[c.order[0]].size()
		delete(c.frames, c.order[0])
		c.order = c.order[1:]
	}
}

func readFrame(j journal.Journal, p journal.Pos) (*cachedFrame, error) {
	frame, err := j.Read(context.Background(), p)
	if err != nil {
		return nil, err
	}
	f := &cachedFrame{frame: frame, at: map[reeve.ID][]byte{}}
	err = eachRecord(frame, func(kind record.Kind, body []byte, _ *record.Head) error {
		var put record.Put
		var task record.Task
		switch kind {
		case record.KindPut:
			if err := put.Decode(body); err != nil {
				return err
			}
			f.at[put.ID] = put.Body.Payload
		case record.KindTask:
			if err := task.Decode(body); err != nil {
				return err
			}
			f.at[task.ID] = task.Body.Payload
		}
		return nil
	})
	return f, err
}

// eachRecord calls f for the records of a frame.
func eachRecord(frame []byte, f func(kind record.Kind, body []byte, head *record.Head) error) error {
	head, rest, err := record.ParseHead(frame)
	for err == nil && len(rest) > 0 {
		var kind record.Kind
		var body []byte
		if kind, body, rest, err = record.Next(rest); err == nil {
			err = f(kind, body, &head)
		}
	}
	return err
}
