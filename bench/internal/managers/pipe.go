package managers

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// pipe is the way to a thread of the Python process; client.py says what goes
// over it. One goroutine uses it.
type pipe struct {
	net.Conn
	r *bufio.Reader
	w *bufio.Writer
}

// Bounds of what the Python process may answer.
const (
	maxText  = 64 << 10
	maxItems = 1 << 20
	maxBytes = 1 << 30
)

var errAnswer = errors.New("client.py: not an answer")

func newPipe(c net.Conn) *pipe {
	return &pipe{Conn: c, r: bufio.NewReaderSize(c, 64<<10), w: bufio.NewWriterSize(c, 64<<10)}
}

// bound ends what waits for the pipe when ctx ends, until stop.
func (p *pipe) bound(ctx context.Context) (stop func()) {
	cut := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(cut)
		_ = p.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-cut
			_ = p.SetDeadline(time.Time{})
		}
	}
}

func (p *pipe) number() (int, error) {
	b, err := p.r.Peek(4)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(b)
	_, err = p.r.Discard(4)
	return int(n), err
}

// answer reads the beginning of an answer, and returns as an error what went wrong.
func (p *pipe) answer() error {
	n, err := p.number()
	switch {
	case err != nil:
		return err
	case n > maxText:
		return fmt.Errorf("%w: a text of %d bytes", errAnswer, n)
	case n == 0:
		return nil
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(p.r, text); err != nil {
		return err
	}
	return fmt.Errorf("client.py: %s", text)
}

// items reads an answer that is items.
func (p *pipe) items() ([][]byte, error) {
	if err := p.answer(); err != nil {
		return nil, err
	}
	n, err := p.number()
	if err != nil {
		return nil, err
	}
	if n > maxItems {
		return nil, fmt.Errorf("%w: %d items", errAnswer, n)
	}
	sizes := make([]byte, 4*n)
	if _, err := io.ReadFull(p.r, sizes); err != nil {
		return nil, err
	}
	total := 0
	for i := range n {
		total += int(binary.LittleEndian.Uint32(sizes[4*i:]))
	}
	if total > maxBytes {
		return nil, fmt.Errorf("%w: items of %d bytes", errAnswer, total)
	}
	bodies := make([]byte, total)
	if _, err := io.ReadFull(p.r, bodies); err != nil {
		return nil, err
	}
	items := make([][]byte, n)
	for i := range items {
		size := binary.LittleEndian.Uint32(sizes[4*i:])
		items[i], bodies = bodies[:size:size], bodies[size:]
	}
	return items, nil
}

// times reads an answer that is times.
func (p *pipe) times() ([]time.Duration, error) {
	items, err := p.items()
	if err != nil {
		return nil, err
	}
	if len(items) != 1 || len(items[0])%8 != 0 {
		return nil, fmt.Errorf("%w: no times", errAnswer)
	}
	times := make([]time.Duration, len(items[0])/8)
	for i := range times {
		times[i] = time.Duration(binary.LittleEndian.Uint64(items[0][8*i:]))
	}
	return times, nil
}

// send writes items.
func (p *pipe) send(items [][]byte) error {
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+4*len(items)), uint32(len(items)))
	for _, item := range items {
		head = binary.LittleEndian.AppendUint32(head, uint32(len(item)))
	}
	_, _ = p.w.Write(head)
	for _, item := range items {
		_, _ = p.w.Write(item)
	}
	return p.w.Flush()
}

// credit writes how many items more may come.
func (p *pipe) credit(n int) error {
	_, err := p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	return err
}
