package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/dump"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
	"github.com/reeveq/reeve/journal/file"
	"github.com/urfave/cli/v3"
)

// restoreVerb makes a journal of a backup or a dump.
type restoreVerb struct {
	*tool
	json bool
}

func (t *tool) journalRestoreCommand() *cli.Command {
	v := &restoreVerb{tool: t}
	return &cli.Command{
		Name: "restore", Usage: "make a journal of a backup or a dump", ArgsUsage: "FILE|- NEWDIR",
		Description: `FILE is what "reeve backup" or "reeve journal dump" wrote; - is the standard input.
NEWDIR, which must be empty or not there, is for master -data. It appears when it is
whole: of a file that was cut off or is damaged nothing is made. What the queues did
after the backup is lost; tasks that ended since are there again.

Examples:
  reeve journal restore queues.backup /var/lib/reeve
  zstd -d < queues.backup.zst | reeve journal restore - /var/lib/reeve`,
		Flags: []cli.Flag{cmdline.Bool("json", &v.json, "write JSON: an object with frames and bytes")}, Action: v.run,
	}
}

func (v *restoreVerb) run(ctx context.Context, cmd *cli.Command) error {
	name, newDir, err := twoArgs(cmd, "a file (or -) and a new directory are needed")
	if err != nil {
		return err
	}
	from, called := v.stdin, "the standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return program.Fail(program.ExitNoInput, err)
		}
		defer f.Close() // it was only read
		from, called = f, name
	}
	return stoppable(ctx, func(ctx context.Context) error {
		next, err := framesOf(from, called)
		if err != nil {
			return restoreError(err)
		}
		var frames, bytes int64
		if err := makeDir(newDir, func(dir string) (err error) {
			frames, bytes, err = fillJournal(ctx, dir, next)
			return err
		}); err != nil {
			return err
		}
		if v.json {
			return writeJSON(v.stdout, struct {
				Frames int64 `json:"frames"`
				Bytes  int64 `json:"bytes"`
			}{frames, bytes})
		}
		_, err = fmt.Fprintf(v.stdout, "restored: %s, %s into %s\n", plural(int(frames), "frame"), roundSize(bytes), newDir)
		return outputError(err)
	})
}

// framesOf finds out what r is by how it begins. next returns its frames, and
// io.EOF when they were all there.
func framesOf(r io.Reader, name string) (next func() ([]byte, error), err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	begin, err := in.Peek(len(dump.Magic)) // the longer one
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case strings.HasPrefix(string(begin), backup.Magic):
		b, err := backup.NewReader(in, name)
		if err != nil {
			return nil, err
		}
		return func() ([]byte, error) {
			_, frame, err := b.Next()
			return frame, err
		}, nil
	case string(begin) == dump.Magic:
		d, err := dump.NewReader(in, name)
		if err != nil {
			return nil, err
		}
		return func() ([]byte, error) {
			frame, _, err := d.Next()
			return frame, err
		}, nil
	}
	return nil, fmt.Errorf("%s is neither a backup nor a dump of a journal", name)
}

// fillJournal makes a journal of frames in dir, durable when it returns.
func fillJournal(ctx context.Context, dir string, next func() ([]byte, error)) (frames, bytes int64, err error) {
	j, err := file.Open(dir, file.Options{})
	if err != nil {
		return 0, 0, program.Fail(program.ExitOutput, err)
	}
	for {
		var frame []byte
		if err = ctx.Err(); err == nil {
			frame, err = next()
		}
		if err != nil {
			break
		}
		if err := j.Append(ctx, journal.Pos(frames+1), frame, journal.AppendOptions{}); err != nil {
			return 0, 0, program.Fail(program.ExitOutput, errors.Join(err, j.Close()))
		}
		frames++
		bytes += int64(len(frame))
	}
	if err != io.EOF {
		return 0, 0, errors.Join(restoreError(err), j.Close())
	}
	return frames, bytes, program.Fail(program.ExitOutput, j.Close())
}

// restoreError gives the error of reading a backup or a dump its exit code.
func restoreError(err error) error {
	code := program.ExitNoInput
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, journal.ErrNewer):
		code = program.ExitProtocol
	case errors.Is(err, backup.ErrIncomplete), errors.Is(err, dump.ErrIncomplete):
		return program.Fail(program.ExitData, fmt.Errorf("%w: nothing was restored", err))
	case errors.Is(err, journal.ErrCorrupt), errors.Is(err, dump.ErrFormat):
		code = program.ExitData
	case errors.Is(err, dump.ErrPart):
		return program.Fail(program.ExitData, fmt.Errorf("%w: dump without -queue", err))
	}
	return program.Fail(code, err)
}
