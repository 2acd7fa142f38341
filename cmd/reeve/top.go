package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/proxy"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

// topVerb shows queues and workers as they are at every moment.
type topVerb struct {
	*session
	interval time.Duration
	sort     string
	reverse  bool
	held     *heldOutput
	screen   func() (tcell.Screen, error)
	link     atomic.Pointer[proxy.State] // what the connection has become
}

func (t *tool) topCommand() *cli.Command {
	v := &topVerb{interval: time.Second, sort: "queue", held: &heldOutput{w: t.stderr}, screen: newScreen}
	own := *t
	own.stderr = v.held // the log would be written across the screen
	v.session = own.session()
	v.onState = func(s proxy.State) { v.link.Store(&s) }
	return &cli.Command{
		Name: "top", Usage: "watch queues and workers on a terminal",
		Description: `PUT/S, DONE/S and FAIL/S are what was counted between the last two looks: tasks put,
tasks done, and attempts that failed, ran out of time or lost their worker. OLDEST
is the age of the oldest task that could be handed over now, and of the oldest one
a worker runs; BLOCKED those of READY that wait for others of their key.

Keys:
  q, Ctrl-C            end
  left, right          sort by another column; r turns the order around
  Tab                  the other table
  up, down, PgUp, PgDn, Home, End    move in it

With -json no terminal is needed: a line for every look, an object with at, queues
and workers, and error where a look told less, until Ctrl-C.

Examples:
  reeve top -connect host:5000
  reeve top -interval 5s -sort ready
  reeve top -json -interval 10s >> numbers.jsonl`,
		Flags: v.flags(
			cmdline.Duration("interval", &v.interval, 100*time.Millisecond, "look every `TIME`"),
			cmdline.Choice("sort", &v.sort, sortNames(), "sort the queues by `COLUMN`: "+strings.Join(sortNames(), ", ")),
			cmdline.Bool("reverse", &v.reverse, "turn the order of the queues around"),
		),
		Action: v.run,
	}
}

func (v *topVerb) run(ctx context.Context, cmd *cli.Command) error {
	if err := cmdline.NoArgs(cmd); err != nil {
		return err
	}
	switch f, ok := v.stdout.(*os.File); {
	case v.json:
		return v.operate(ctx, cmd, v.stream)
	case v.getenv("TERM") == "dumb":
		return cmdline.Usagef(cmd, "nothing can be drawn on this terminal (TERM=dumb); 'reeve ls' needs none")
	case !ok || !term.IsTerminal(int(f.Fd())):
		return cmdline.Usagef(cmd, "the standard output is no terminal; 'reeve ls -json' and 'reeve workers -json' tell programs the same")
	}
	return v.operate(ctx, cmd, v.show)
}

// show is top until the user ends it, or ctx does.
func (v *topVerb) show(ctx context.Context, op reeve.Operator) error {
	screen, err := v.screen()
	if err == nil {
		v.held.hold()
		defer v.held.release()
		err = screen.Init()
	}
	if err != nil {
		return fmt.Errorf("cannot use the terminal: %w; 'reeve ls' needs none", err)
	}
	m := newTopModel(v.connect, v.interval)
	m.queues.sortBy(v.sort, v.reverse)
	return watch(ctx, screen, m, func(ctx context.Context) topSample { return v.sample(ctx, op) })
}

// topTimeout bounds one look at the master.
const topTimeout = 5 * time.Second

// sample looks at the master.
func (v *topVerb) sample(ctx context.Context, op reeve.Operator) topSample {
	ctx, cancel := context.WithTimeout(ctx, topTimeout)
	defer cancel()
	var s topSample
	if s.queues, s.err = op.Queues(ctx); s.err != nil {
		if link := v.link.Load(); link != nil && link.Err != nil {
			s.err = link.Err // not that the time for an answer was over
		}
		return s
	}
	s.at = time.Now()
	s.workers, s.workersErr = op.Workers(ctx)
	s.workers = slices.DeleteFunc(s.workers, func(w reeve.WorkerInfo) bool { return !isWorker(&w) })
	return s
}

func newScreen() (tcell.Screen, error) { return tcell.NewScreen(tcell.OptSanitizeContent(true)) }
