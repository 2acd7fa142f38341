package limit

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/reeveq/reeve/bench/internal/system"
)

// raw is a stack with nothing on it: a server that sends back, or reads and
// throws away.
//
// A client says on each stream how much of what comes, and the server answers
// with one byte when it has read that, unless it sends everything back.
type raw struct {
	name  string
	stack Stack
}

func (r raw) Name() string        { return r.name }
func (r raw) About() string       { return "nothing over " + r.stack.About() }
func (r raw) Group() system.Group { return system.Limit }
func (r raw) Batch() int          { return 1 }
func (r raw) unsupported() error {
	return fmt.Errorf("%s has no queues: %w", r.name, system.ErrUnsupported)
}

func (r raw) Dial(context.Context, string) (system.Client, error) { return nil, r.unsupported() }

func (r raw) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	if set.Durable {
		return nil, r.unsupported()
	}
	return start(ctx, r, set)
}

// Serve serves until ctx ends.
func (r raw) Serve(ctx context.Context, set system.Settings, announce func(endpoint string)) error {
	return profiled(set.Profile, func() error { return r.stack.Serve(ctx, announce, serveRaw) })
}

// kinds are how a round's traffic is named on the wire.
var kinds = map[system.Traffic]byte{
	system.PingPong: 'e', system.Window: 'e', system.Writes: 'm', system.Gathered: 'm', system.Bulk: 'b',
}

// roundBytes is how long the head of a round is: its kind, and how many
// messages or pieces follow.
const roundBytes = 1 + 8

func serveRaw(conn net.Conn) {
	in := bufio.NewReaderSize(conn, largeChunk)
	for {
		var head [roundBytes]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		n := int64(binary.BigEndian.Uint64(head[1:]))
		if err := serveRound(conn, in, head[0], n); err != nil {
			return
		}
	}
}

func serveRound(conn net.Conn, in *bufio.Reader, kind byte, n int64) (err error) {
	switch kind {
	case 'e':
		return sendBack(conn, in, n*system.MessageBytes)
	case 'm':
		err = readMessages(in, n)
	case 'b':
		err = readBytes(in, n*system.PieceBytes)
	default:
		err = errMessage
	}
	if err == nil {
		_, err = conn.Write([]byte{0})
	}
	return err
}

// sendBack writes what it reads, all that has come at a time.
func sendBack(conn net.Conn, in *bufio.Reader, bytes int64) error {
	for bytes > 0 {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		b, _ := in.Peek(in.Buffered())
		if _, err := conn.Write(b); err != nil {
			return err
		}
		bytes -= int64(len(b))
		_, _ = in.Discard(len(b))
	}
	return nil
}

// readMessages reads messages by their lengths.
func readMessages(in *bufio.Reader, n int64) error {
	for ; n > 0; n-- {
		b, err := in.Peek(4)
		if err != nil {
			return err
		}
		size := 4 + int(binary.BigEndian.Uint32(b))
		if size > largeChunk {
			return errMessage
		}
		if _, err = in.Discard(size); err != nil {
			return err
		}
	}
	return nil
}

func readBytes(in io.Reader, bytes int64) error {
	buf := make([]byte, system.PieceBytes)
	for bytes > 0 {
		n, err := in.Read(buf[:min(bytes, int64(len(buf)))])
		bytes -= int64(n)
		if err != nil && bytes > 0 {
			return err
		}
	}
	return nil
}

// Connect makes so many streams.
func (r raw) Connect(ctx context.Context, endpoint string, streams int) (system.Streams, error) {
	link, err := r.stack.Dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	all := &rawStreams{link: link}
	for range streams {
		conn, err := link.Open(ctx)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.conns = append(all.conns, conn)
	}
	return all, nil
}

var (
	_ system.Served    = raw{}
	_ system.Transport = raw{}
)
