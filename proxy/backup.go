package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
)

// Backup writes a backup of the master's queues; see [reeve.Backuper]. It asks
// for about 1 MiB at a time, and the master gives the backup up when it is not
// asked for a minute: w must not block for longer. A lost connection is its end,
// an error that matches [reeve.ErrDisconnected].
func (c *Client) Backup(ctx context.Context, w io.Writer) (reeve.BackupInfo, error) {
	page, err := c.backupPage(ctx, wire.Backup{})
	if err != nil {
		return reeve.BackupInfo{}, err
	}
	p := &pull{pin: page.Pin, next: journal.Pos(page.First), last: journal.Pos(page.Last)}
	out := bufio.NewWriter(w)
	p.to, err = backup.NewWriter(out, backup.Header{First: p.next, Last: p.last, Time: time.Now()})
	for err == nil {
		if err = p.take(page.Frames); err != nil || p.next > p.last {
			break
		}
		page, err = c.backupPage(ctx, wire.Backup{Pin: p.pin, From: uint64(p.next), Offset: uint64(len(p.frame))})
	}
	if err == nil {
		err = p.to.Close()
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		c.backupOver(p.pin)
		return reeve.BackupInfo{}, err
	}
	size, frames := p.to.Written()
	return reeve.BackupInfo{Frames: frames, Bytes: size}, nil
}

// pull puts the frames of a backup together.
type pull struct {
	pin        uint64
	to         *backup.Writer
	next, last journal.Pos
	frame      []byte // what has come of next
}

// take takes what one answer has.
func (p *pull) take(parts []wire.BackupFrame) error {
	if len(parts) == 0 && p.next <= p.last {
		return fmt.Errorf("%w: a backup that does not go on", reeve.ErrProtocol)
	}
	for i := range parts {
		part := &parts[i]
		have := uint64(len(p.frame))
		whole := have + uint64(len(part.Data))
		if journal.Pos(part.Pos) != p.next || p.next > p.last || part.Offset != have || whole == have || whole > part.Size || part.Size > backup.MaxFrame {
			return fmt.Errorf("%w: bytes %d to %d of frame %d of %d, where byte %d of frame %d comes next",
				reeve.ErrProtocol, part.Offset, whole, part.Pos, p.last, have, p.next)
		}
		if have > 0 || whole < part.Size {
			p.frame = append(p.frame, part.Data...)
			part.Data = p.frame
		}
		if whole < part.Size {
			continue
		}
		if err := p.to.Frame(p.next, part.Data); err != nil {
			return err
		}
		p.next++
		p.frame = p.frame[:0]
	}
	return nil
}

func (c *Client) backupPage(ctx context.Context, ask wire.Backup) (*wire.BackupPage, error) {
	a, err := c.question(ctx, 0, func(id, low uint64) wire.Message {
		m := ask
		m.Req, m.Low = id, low
		return m
	})
	switch {
	case errors.Is(err, reeve.ErrInvalid) && ask.Pin != 0:
		return nil, fmt.Errorf("%w: the master gave up the backup: %v", reeve.ErrDisconnected, err)
	case err != nil:
		return nil, err
	case a.Backup == nil || a.Backup.Pin == 0 || ask.Pin != 0 && a.Backup.Pin != ask.Pin:
		return nil, fmt.Errorf("%w: an answer without the backup", reeve.ErrProtocol)
	}
	return a.Backup, nil
}

// backupOver tells the master, if it can be told, that nothing more is wanted.
func (c *Client) backupOver(pin uint64) {
	c.mu.Lock()
	defer c.unlock()
	if c.link != nil && c.closed == nil {
		c.submitLocked(&call{traits: sessional | answered, req: &plain{message: func(id, low uint64) wire.Message {
			return wire.Backup{Req: id, Low: low, Pin: pin, Over: true}
		}}})
	}
}

var _ reeve.Backuper = (*Client)(nil)
