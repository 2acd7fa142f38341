package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// callVerb calls a method of a shared object.
type callVerb struct {
	*session
	reads bool
}

func (t *tool) callCommand() *cli.Command {
	v := &callVerb{session: t.session()}
	return &cli.Command{
		Name: "call", Usage: "call a method of a shared object", ArgsUsage: "NAME METHOD [JSON ...]",
		Description: `Each argument is a value in JSON; a text needs its quotes. What the method returns is
written as JSON, nothing if it returns nothing. "reeve objects methods NAME" lists
what can be called. The methods of the master's own types, as maps and locks, take
keys and values as they are encoded by programs: those are for looking, not for use.

Examples:
  reeve call scores Add '"ada"' 12
  reeve call scores Top 3`,
		Flags:  v.flags(cmdline.Bool("reads", &v.reads, "the method changes nothing: it may be called twice if the connection is lost")),
		Action: v.run,
	}
}

func (v *callVerb) run(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() < 2 {
		return cmdline.Usagef(cmd, "want an object and a method")
	}
	args, err := callArgs(cmd.Args().Slice()[2:])
	if err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		ref, err := objectRef(ctx, m, cmd.Args().First())
		if err != nil {
			return err
		}
		a, err := m.CallObject(ctx, &reeve.ObjectCall{Ref: ref, Method: cmd.Args().Get(1), Args: args, Reads: v.reads, Waits: true})
		if err != nil || len(a.Value) == 0 {
			return err
		}
		var value any
		if err := codec.CBOR.Unmarshal(a.Value, &value); err != nil {
			return fmt.Errorf("%w: JSON has no form for what came back: %w", reeve.ErrUnserializable, err)
		}
		out := bufio.NewWriter(v.stdout)
		if err := writeJSON(out, value); err != nil {
			return err
		}
		return outputError(out.Flush())
	})
}

// callArgs are the arguments as a call has them. Numbers without a fraction are
// integers.
func callArgs(texts []string) ([]byte, error) {
	args := make([]any, len(texts))
	for i, text := range texts {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		if err := d.Decode(&args[i]); err != nil {
			return nil, fmt.Errorf("argument %d, %q, is not JSON: %w (a text needs quotes of its own: '\"text\"')", i+1, text, err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("argument %d, %q, is more than one value", i+1, text)
		}
		args[i] = integers(args[i])
	}
	return codec.CBOR.Marshal(args)
}

// integers is v with numbers that programs read as what they are.
func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}
