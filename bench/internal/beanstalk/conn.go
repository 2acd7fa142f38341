package beanstalk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn writes commands of beanstalkd's protocol and reads answers, in the order
// of the commands. One goroutine uses it.
type conn struct {
	net net.Conn
	r   *bufio.Reader
	w   *bufio.Writer

	used string // tube that put puts in
	line []byte // of the command that is being made
	slab []byte // what is left for small bodies
}

// slabBytes is what bodies are cut from that have at most an eighth of it.
const slabBytes = 64 << 10

func dial(ctx context.Context, addr string) (*conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{net: c, r: bufio.NewReaderSize(c, slabBytes), w: bufio.NewWriterSize(c, slabBytes), used: "default"}, nil
}

// bound ends what waits for the connection when ctx ends, until stop.
func (c *conn) bound(ctx context.Context) (stop func()) {
	cut := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(cut)
		_ = c.net.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-cut
			_ = c.net.SetDeadline(time.Time{})
		}
	}
}

// command writes a command with numbers, to be sent by flush. Errors come from
// flush.
func (c *conn) command(name string, numbers ...uint64) {
	c.line = append(c.line[:0], name...)
	for _, n := range numbers {
		c.line = strconv.AppendUint(append(c.line, ' '), n, 10)
	}
	c.line = append(c.line, "\r\n"...)
	_, _ = c.w.Write(c.line)
}

// use makes tube the one that put puts in.
func (c *conn) use(tube string) error {
	if c.used == tube {
		return nil
	}
	c.command("use " + tube)
	if err := c.flush(); err != nil {
		return err
	}
	if _, err := c.answer("USING"); err != nil {
		return err
	}
	c.used = tube
	return nil
}

// watch makes tube the only one that is reserved from.
func (c *conn) watch(tube string) error {
	c.command("watch " + tube)
	c.command("ignore default")
	if err := c.flush(); err != nil {
		return err
	}
	for range 2 {
		if _, err := c.answer("WATCHING"); err != nil {
			return err
		}
	}
	return nil
}

// put puts jobs in a tube, in pipelines.
func (c *conn) put(tube string, bodies [][]byte) error {
	if err := c.use(tube); err != nil {
		return err
	}
	for len(bodies) > 0 {
		some := bodies[:min(len(bodies), batch)]
		bodies = bodies[len(some):]
		for _, body := range some {
			c.command("put 0 0", uint64(lease/time.Second), uint64(len(body)))
			_, _ = c.w.Write(body)
			_, _ = c.w.WriteString("\r\n")
		}
		if err := c.flush(); err != nil {
			return err
		}
		for range some {
			if _, err := c.answer("INSERTED"); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close closes the connection; the server lets others have what is reserved.
func (c *conn) Close() error { return c.net.Close() }

func (c *conn) flush() error { return c.w.Flush() }

// answer reads an answer that has to begin with the word want, and returns what
// follows it, valid until the next is read.
func (c *conn) answer(want string) ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	line = bytes.TrimRight(line, "\r\n")
	word, rest, _ := bytes.Cut(line, []byte(" "))
	if string(word) != want {
		return nil, fmt.Errorf("beanstalkd: %w: %q instead of %s", errAnswer, line, want)
	}
	return rest, nil
}

// errAnswer is that a command went wrong, or the answers are out of step.
var errAnswer = errors.New("not the answer")

// reserved reads the answer to a reserve; ok is false when there was no job.
func (c *conn) reserved() (id uint64, body []byte, ok bool, err error) {
	switch next, err := c.r.Peek(1); {
	case err != nil:
		return 0, nil, false, err
	case next[0] == 'T':
		_, err := c.answer("TIMED_OUT")
		return 0, nil, false, err
	}
	rest, err := c.answer("RESERVED")
	if err != nil {
		return 0, nil, false, err
	}
	first, second, _ := bytes.Cut(rest, []byte(" "))
	id, err = strconv.ParseUint(string(first), 10, 64)
	if err != nil {
		return 0, nil, false, fmt.Errorf("beanstalkd: %w: id %q", errAnswer, first)
	}
	size, err := strconv.ParseUint(string(second), 10, 31)
	if err != nil {
		return 0, nil, false, fmt.Errorf("beanstalkd: %w: bytes %q", errAnswer, second)
	}
	body = c.memory(int(size))
	if _, err := io.ReadFull(c.r, body); err != nil {
		return 0, nil, false, err
	}
	_, err = c.r.Discard(len("\r\n"))
	return id, body, err == nil, err
}

// memory is for a body.
func (c *conn) memory(n int) []byte {
	if n > slabBytes/8 {
		return make([]byte, n)
	}
	if len(c.slab) < n {
		c.slab = make([]byte, slabBytes)
	}
	body := c.slab[:n:n]
	c.slab = c.slab[n:]
	return body
}
