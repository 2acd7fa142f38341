package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/shared"
	"github.com/urfave/cli/v3"
)

// blobPutVerb puts a blob.
type blobPutVerb struct{ *session }

func (t *tool) blobPutCommand() *cli.Command {
	v := &blobPutVerb{t.session()}
	return &cli.Command{
		Name: "put", Usage: "put a blob", ArgsUsage: "FILE|-",
		Description: `Puts the content of FILE, or of the standard input (-), and writes its reference. What
the master has already is not sent. A put of a FILE that is broken off goes on
where it was when it is tried again within ten minutes.

Examples:
  reeve blob put model.bin
  tar c data | reeve blob put -`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *blobPutVerb) run(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return cmdline.Usagef(cmd, "the name of one file is needed; - is the standard input")
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		ref, err := v.putBlob(ctx, m, cmd.Args().First())
		if err != nil {
			return err
		}
		if v.json {
			return outputError(writeJSON(v.stdout, &ref))
		}
		_, err = fmt.Fprintln(v.stdout, ref)
		return outputError(err)
	})
}

// putBlob puts the content of a file; -: of the standard input.
func (s *session) putBlob(ctx context.Context, m master, name string) (reeve.BlobRef, error) {
	console := program.NewConsole(s.stderr)
	defer console.SetStatus(nil)
	var drawn time.Time
	progress := shared.BlobProgress(func(done, _ int64) {
		if now := time.Now(); console.Terminal() && now.Sub(drawn) > 200*time.Millisecond {
			drawn = now
			console.SetStatus(func(w io.Writer) program.Status {
				line := sizeStatus{w, done}
				line.Draw()
				return line
			})
		}
	})
	if name == "-" {
		return shared.Blobs(m).Put(ctx, s.stdin, progress)
	}
	ref, err := shared.Blobs(m).PutFile(ctx, name, progress)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return ref, program.Fail(program.ExitNoInput, path)
	}
	return ref, err
}

// blobFlag says what blobs tasks name: references, and files that are to be put.
func blobFlag(dest *[]string) cli.Flag {
	return cmdline.List("blob", dest, checkBlobArgs, "the tasks need the blob `REF`, which lives as long as they do; @FILE is put first. More than\none can be given")
}

func checkBlobArgs(args []string) error {
	if len(args) > reeve.MaxTaskBlobs {
		return fmt.Errorf("%d blobs, want at most %d", len(args), reeve.MaxTaskBlobs)
	}
	for _, a := range args {
		if name, file := strings.CutPrefix(a, "@"); file && name != "" {
			continue
		}
		if _, err := reeve.ParseBlobRef(a); err != nil {
			return cmdline.Plain(err)
		}
	}
	return nil
}

// blobArgs puts the files among args, and returns what the tasks are to name. It
// is held until the end of the connection.
func (s *session) blobArgs(ctx context.Context, m master, args []string) ([]reeve.BlobRef, error) {
	var refs []reeve.BlobRef
	for _, a := range args {
		ref, err := reeve.BlobRef{}, error(nil)
		if name, file := strings.CutPrefix(a, "@"); file {
			ref, err = s.putBlob(ctx, m, name)
		} else if ref, err = reeve.ParseBlobRef(a); err == nil {
			ref, err = shared.Blobs(m).Hold(ctx, ref)
		}
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// blobGetVerb writes a blob.
type blobGetVerb struct{ *session }

func (t *tool) blobGetCommand() *cli.Command {
	v := &blobGetVerb{t.session()}
	return &cli.Command{
		Name: "get", Usage: "write a blob to the standard output", ArgsUsage: "REF",
		Description: `REF is as "reeve blob put" wrote it; the digits alone will do. The exit code is 0 only
if all of it was written, and had the right hash.

Examples:
  reeve blob get REF > model.bin`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *blobGetVerb) run(ctx context.Context, cmd *cli.Command) error {
	ref, err := oneBlob(cmd)
	if err != nil {
		return err
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		b, err := shared.Blobs(m).Open(ctx, ref)
		if err != nil {
			return err
		}
		out := &witness{w: v.stdout}
		_, err = io.Copy(out, b)
		switch closing := b.Close(); {
		case out.err != nil:
			return outputError(out.err)
		case err != nil:
			return fmt.Errorf("%w; what was written is not the blob", err)
		default:
			return closing
		}
	})
}
