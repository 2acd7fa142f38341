package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
	"github.com/urfave/cli/v3"
)

// checkVerb reads a whole journal.
type checkVerb struct {
	*tool
	json bool
}

func (t *tool) journalCheckCommand() *cli.Command {
	v := &checkVerb{tool: t}
	return &cli.Command{
		Name: "check", Usage: "verify every frame and record of a journal", ArgsUsage: "DIR",
		Description: `Reads everything, checks all checksums, and says OK, or which file is damaged at
which byte, with exit code 1. An end that a power cut has torn is no damage: what
was there was told to nobody, and the next start of the master drops it.
With -json, an object: ok, frames, records, bytes, segments, unknown (records of a
later version), in_use, pid, torn and damage.

Example:
  reeve journal check /var/lib/reeve`,
		Flags: []cli.Flag{cmdline.Bool("json", &v.json, "write JSON")}, Action: v.run,
	}
}

// checked is the outcome of a check.
type checked struct {
	OK       bool        `json:"ok"`
	Frames   int64       `json:"frames"`
	Records  int64       `json:"records"`
	Bytes    int64       `json:"bytes"`
	Segments int         `json:"segments"`
	Unknown  int64       `json:"unknown,omitempty"`
	InUse    bool        `json:"in_use,omitempty"`
	PID      int         `json:"pid,omitempty"`
	Torn     *tornJSON   `json:"torn,omitempty"`
	Damage   *damageJSON `json:"damage,omitempty"`
}

// tornJSON is the end of a journal that a power cut has torn.
type tornJSON struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	Reason string `json:"reason"`
}

func newTornJSON(t *file.Torn) *tornJSON {
	if t == nil {
		return nil
	}
	return &tornJSON{t.File, t.Offset, t.Bytes, t.Reason}
}

func (t *tornJSON) String() string {
	return fmt.Sprintf("its end is torn: %s has no frame from byte %d on, %s (%s); the next start of the master drops them",
		t.File, t.Offset, plural(int(t.Bytes), "byte"), t.Reason)
}

// damageJSON is the first damage of a journal.
type damageJSON struct {
	File   string      `json:"file,omitempty"`
	Offset int64       `json:"offset,omitempty"`
	Frame  journal.Pos `json:"frame,omitempty"`
	Reason string      `json:"reason"`
}

func newDamageJSON(err error) *damageJSON {
	if c, ok := errors.AsType[*journal.CorruptError](err); ok {
		return &damageJSON{c.File, c.Offset, c.Pos, c.Reason}
	}
	return &damageJSON{Reason: err.Error()}
}

func (v *checkVerb) run(ctx context.Context, cmd *cli.Command) error {
	dir, err := oneDir(cmd)
	if err != nil {
		return err
	}
	return stoppable(ctx, func(ctx context.Context) error {
		var c checked
		var r records
		report, err := file.Scan(ctx, dir, func(p journal.Pos, frame []byte) error {
			_, err := r.frame(p, frame, func(kind record.Kind, _ int) {
				c.Records++
				if !kind.Known() {
					c.Unknown++
				}
			})
			if err == nil {
				c.Frames++
				c.Bytes += int64(len(frame))
			}
			return err
		})
		c.OK, c.Segments = err == nil, len(report.Segments)
		c.InUse, c.PID, c.Torn = report.Held, report.PID, newTornJSON(report.Torn)
		told := journalError(dir, err)
		switch {
		case told != nil && program.ExitCode(told) != exitDamage:
			return told
		case !v.json:
			return v.say(&c, told)
		case told != nil:
			c.Damage = newDamageJSON(err)
			return errors.Join(writeJSON(v.stdout, &c), cmdline.Exit(exitDamage))
		}
		return writeJSON(v.stdout, &c)
	})
}

func (v *checkVerb) say(c *checked, damage error) error {
	if damage != nil {
		return fmt.Errorf("%w (whole before it: %s)", damage, plural(int(c.Frames), "frame"))
	}
	lines := fmt.Sprintf("OK: %s, %s, %s in %s\n", plural(int(c.Frames), "frame"), plural(int(c.Records), "record"), roundSize(c.Bytes), plural(c.Segments, "segment"))
	if c.Unknown > 0 {
		lines += fmt.Sprintf("of a later version: %s\n", plural(int(c.Unknown), "record"))
	}
	if c.Torn != nil {
		lines += c.Torn.String() + "\n"
	}
	if c.InUse {
		lines += inUse(c.PID) + "\n"
	}
	_, err := fmt.Fprint(v.stdout, lines)
	return outputError(err)
}
