// Package demo has the functions that a worker runs when it is given no
// command: small ones, to see the programs work before one's own code does.
//
// Argument and result are plain text. The package knows no queue: it maps a
// task's type and payload to a result.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// functions are those that exist. Each gets the argument as it came.
var functions = map[string]func(ctx context.Context, arg []byte) ([]byte, error){
	"checksum": checksum,
	"echo":     func(_ context.Context, arg []byte) ([]byte, error) { return arg, nil },
	"fail":     fail,
	"sha256":   sum,
	"sleep":    sleep,
	"square":   square,
	"upper":    func(_ context.Context, arg []byte) ([]byte, error) { return bytes.ToUpper(arg), nil },
	"wc":       count,
}

// Names lists the functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(functions)) }

// Run runs the function that typ names, with the payload as its argument. With
// an empty typ the payload's first word names it and the rest is the argument:
// "square 12". It returns early, with ctx's cause, when ctx ends. A function
// that does not exist is [reeve.ErrNoHandler].
func Run(ctx context.Context, typ string, payload []byte) ([]byte, error) {
	name, arg := typ, payload
	if name == "" {
		word, rest, _ := bytes.Cut(payload, []byte(" "))
		name, arg = strings.TrimSpace(string(word)), rest
	}
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s; the demo functions are: %s", reeve.ErrNoHandler, quote(name), strings.Join(Names(), ", "))
	}
	return f(ctx, arg)
}

// quote shortens a name that is a whole payload to what an error can hold.
func quote(name string) string {
	const most = 40
	if len(name) > most {
		return strconv.Quote(name[:most]) + "..."
	}
	return strconv.Quote(name)
}

func square(_ context.Context, arg []byte) ([]byte, error) {
	const digits = 1000 // keeps the work of one task small
	text := strings.TrimSpace(string(arg))
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || len(text) > digits {
		return nil, fmt.Errorf("square: want a whole number of up to %d digits, not %s", digits, quote(text))
	}
	return []byte(n.Mul(n, n).String()), nil
}

func sleep(ctx context.Context, arg []byte) ([]byte, error) {
	text := strings.TrimSpace(string(arg))
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < 0 {
		return nil, fmt.Errorf("sleep: want a time, as 250ms or 2, not %s", quote(text))
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return []byte("slept " + d.String()), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func sum(_ context.Context, arg []byte) ([]byte, error) {
	h := sha256.Sum256(arg)
	return []byte(hex.EncodeToString(h[:])), nil
}

func count(_ context.Context, arg []byte) ([]byte, error) {
	return fmt.Appendf(nil, "%d %d %d", bytes.Count(arg, []byte("\n")), len(bytes.Fields(arg)), len(arg)), nil
}

func fail(_ context.Context, arg []byte) ([]byte, error) {
	if len(arg) == 0 {
		return nil, errors.New("failed as asked")
	}
	return nil, errors.New(string(arg))
}
