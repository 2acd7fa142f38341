package limit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reeveq/reeve/bench/internal/system"
)

// rawStreams are the client's ends of streams.
type rawStreams struct {
	link  *Link
	conns []net.Conn
}

// Close closes the streams and what is below them.
func (s *rawStreams) Close() (err error) {
	for _, conn := range s.conns {
		err = errors.Join(err, conn.Close())
	}
	return errors.Join(err, s.link.Close())
}

// Carry has n messages or pieces go, and returns when they were read. When ctx
// ends first, the streams are closed.
func (s *rawStreams) Carry(ctx context.Context, traffic system.Traffic, n int) ([]time.Duration, error) {
	kind, ok := kinds[traffic]
	if !ok {
		return nil, fmt.Errorf("traffic %q: %w", traffic, system.ErrUnsupported)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	times := make([][]time.Duration, len(s.conns))
	var team errgroup.Group
	for i, conn := range s.conns {
		team.Go(func() (err error) {
			part := n*(i+1)/len(s.conns) - n*i/len(s.conns)
			head := binary.BigEndian.AppendUint64([]byte{kind}, uint64(part))
			if _, err := conn.Write(head); err != nil {
				return err
			}
			switch traffic {
			case system.PingPong:
				times[i], err = pingPong(conn, part)
				return err
			case system.Window:
				return window(conn, part)
			case system.Writes:
				err = write(conn, messages(1), system.MessageBytes, part)
			case system.Gathered:
				err = write(conn, messages(gathered/system.MessageBytes), system.MessageBytes, part)
			case system.Bulk:
				err = write(conn, make([]byte, system.PieceBytes), system.PieceBytes, part)
			}
			if err == nil {
				_, err = io.ReadFull(conn, make([]byte, 1))
			}
			return err
		})
	}
	err := team.Wait()
	return slices.Concat(times...), err
}

// messages is the bytes of n messages.
func messages(n int) []byte {
	all := make([]byte, n*system.MessageBytes)
	for rest := all; len(rest) > 0; rest = rest[system.MessageBytes:] {
		binary.BigEndian.PutUint32(rest, system.MessageBytes-4)
	}
	return all
}

// pingPong sends n messages, each when the one before has come back.
func pingPong(conn net.Conn, n int) ([]time.Duration, error) {
	message, times := messages(1), make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		if _, err := conn.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began))
	}
	return times, nil
}

// window sends n messages, as many at a time as have come back.
func window(conn net.Conn, n int) error {
	all, in := messages(system.WindowTraffic), make([]byte, largeChunk)
	for sent, back := 0, 0; back < n*system.MessageBytes; { // messages, and bytes
		k := min(back/system.MessageBytes+system.WindowTraffic, n) - sent
		if _, err := conn.Write(all[:k*system.MessageBytes]); err != nil {
			return err
		}
		sent += k
		got, err := conn.Read(in)
		if err != nil {
			return err
		}
		back += got
	}
	return nil
}

// write writes n units, as many at a time as buf has.
func write(conn net.Conn, buf []byte, unit, n int) error {
	for n > 0 {
		k := min(n, len(buf)/unit)
		if _, err := conn.Write(buf[:k*unit]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}
