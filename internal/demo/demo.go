// Package demo has the functions that a worker runs when it is given no
// command: small ones, to see the programs work before one's own code does.
//
// Argument and result are plain text. The package takes no tasks: it maps a
// task's type and payload to a result, and shows what handlers can say beside
// that: how far they are, and that no attempt can succeed.
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
	"github.com/reeveq/reeve/worker"
)

// functions are those that exist. Each gets the argument as it came.
var functions = map[string]func(ctx context.Context, arg []byte) ([]byte, error){
	"checksum": checksum,
	"echo":     func(_ context.Context, arg []byte) ([]byte, error) { return arg, nil },
	"fail":     fail,
	"flaky":    flaky,
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
// that does not exist is [reeve.ErrNoHandler]; that is permanent, as an argument
// is that the function cannot read ([worker.Permanent]).
func Run(ctx context.Context, typ string, payload []byte) ([]byte, error) {
	name, arg := typ, payload
	if name == "" {
		word, rest, _ := bytes.Cut(payload, []byte(" "))
		name, arg = strings.TrimSpace(string(word)), rest
	}
	f, ok := functions[name]
	if !ok {
		return nil, permanentf("%w: %s; the demo functions are: %s", reeve.ErrNoHandler, quote(name), strings.Join(Names(), ", "))
	}
	return f(ctx, arg)
}

// permanentf is the error of what will not get better by another attempt.
func permanentf(format string, args ...any) error {
	return worker.Permanent(fmt.Errorf(format, args...))
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
		return nil, permanentf("square: want a whole number of up to %d digits, not %s", digits, quote(text))
	}
	return []byte(n.Mul(n, n).String()), nil
}

// sleep tells its progress meanwhile, if it runs in a worker.
func sleep(ctx context.Context, arg []byte) ([]byte, error) {
	text := strings.TrimSpace(string(arg))
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < 0 {
		return nil, permanentf("sleep: want a time, as 250ms or 2, not %s", quote(text))
	}
	over := time.NewTimer(d)
	defer over.Stop()
	step := time.NewTicker(max(d/100, 100*time.Millisecond))
	defer step.Stop()
	for begin := time.Now(); ; {
		select {
		case <-over.C:
			return []byte("slept " + d.String()), nil
		case <-step.C:
			slept := min(time.Since(begin), d)
			// Nobody may want to know.
			_ = worker.SetProgress(ctx, 100*float64(slept)/float64(d), fmt.Sprintf("%v of %v", slept.Round(time.Millisecond), d))
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// flaky fails as many attempts as arg says, to see what comes between them.
func flaky(ctx context.Context, arg []byte) ([]byte, error) {
	text := strings.TrimSpace(string(arg))
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, permanentf("flaky: want the number of attempts that fail, not %s", quote(text))
	}
	attempt := uint64(1)
	if t, ok := worker.TaskFrom(ctx); ok {
		attempt = uint64(t.Attempt)
	}
	if attempt <= n {
		return nil, fmt.Errorf("flaky: attempt %d of %d that fail", attempt, n)
	}
	return fmt.Appendf(nil, "done at attempt %d", attempt), nil
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
