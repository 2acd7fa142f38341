package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

// backupVerb writes a backup of a running master.
type backupVerb struct{ *session }

func (t *tool) backupCommand() *cli.Command {
	v := &backupVerb{t.session()}
	return &cli.Command{
		Name: "backup", Usage: "write a backup of a master's queues to the standard output",
		Description: `The backup has everything that the queues were when it was begun: tasks, results,
dead letters, pauses, and what is remembered of requests. The master works on
meanwhile, and keeps what is to be backed up on its disk until it is written.
"reeve journal restore" makes a journal of it, for master -data DIR. It ends with a
mark: one that was cut off is known as such, and refused.
A file that the standard output is sent to becomes one that only you may read:
payloads are in it. How much was written is told on the standard error, with -json
as an object with frames and bytes.

Examples:
  reeve backup -connect host:5000 > queues.backup
  reeve backup | zstd | ssh elsewhere 'cat > queues.backup.zst'`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *backupVerb) run(ctx context.Context, cmd *cli.Command) error {
	if err := cmdline.NoArgs(cmd); err != nil {
		return err
	}
	if f, ok := v.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return cmdline.Usagef(cmd, "the standard output is a terminal; send it to a file: reeve backup > FILE")
	}
	if err := keepPrivate(v.stdout); err != nil {
		return outputError(err)
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		out := &metered{witness: witness{w: v.stdout}, console: program.NewConsole(v.stderr)}
		info, err := m.Backup(ctx, out)
		out.console.SetStatus(nil)
		switch {
		case out.err != nil:
			return outputError(out.err)
		case errors.Is(err, reeve.ErrNoJournal):
			return program.Fail(program.ExitConfig, fmt.Errorf("%w: it was started without -data DIR", err))
		case err != nil && out.size > 0:
			return fmt.Errorf("%w; what was written is no backup", err)
		case err != nil:
			return err
		case v.json:
			return writeJSON(v.stderr, struct {
				Frames int64 `json:"frames"`
				Bytes  int64 `json:"bytes"`
			}{info.Frames, info.Bytes})
		}
		fmt.Fprintf(v.stderr, "reeve: backed up: %s, %s\n", plural(int(info.Frames), "frame"), roundSize(info.Bytes))
		return nil
	})
}

// metered is the output of a backup, with how far it is for who watches.
type metered struct {
	witness
	size    int64
	console *program.Console
	drawn   time.Time
}

func (c *metered) Write(p []byte) (int, error) {
	n, err := c.witness.Write(p)
	c.size += int64(n)
	if now := time.Now(); c.console.Terminal() && now.Sub(c.drawn) > 200*time.Millisecond {
		c.drawn = now
		c.console.SetStatus(func(w io.Writer) program.Status {
			s := sizeStatus{w, c.size}
			s.Draw()
			return s
		})
	}
	return n, err
}

// sizeStatus is a line that tells how much was written.
type sizeStatus struct {
	w    io.Writer
	size int64
}

func (s sizeStatus) Clear() { fmt.Fprint(s.w, "\r\x1b[K") }
func (s sizeStatus) Draw()  { fmt.Fprintf(s.w, "\r%s", roundSize(s.size)) }
