package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/memory"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
	"github.com/urfave/cli/v3"
)

// options is the command line.
type options struct {
	addr       string
	queues     cmdline.QueueSpecs
	maxPayload int64
	data       string
	durability reeve.Durability
	memory     int64
	blobBytes  int64
	grace      time.Duration
	summary    time.Duration
	mayEnd     bool // by clients
	stopOnEOF  bool
	debugAddr  string
	input      string
	output     string
	ordered    bool
	key        program.KeyFlags
	log        program.LogFlags

	openJournal func(dir string, log *slog.Logger) (journal.Journal, error) // tests replace it
}

func newOptions(getenv func(string) string) *options {
	return &options{
		addr:       "127.0.0.1:5000",
		maxPayload: manager.DefaultMaxPayload,
		data:       getenv("REEVE_DATA"),
		durability: reeve.DurabilitySync,
		memory:     memory.Share(),
		blobBytes:  manager.DefaultBlobBytes,
		grace:      30 * time.Second,
		summary:    time.Minute,
		openJournal: func(dir string, log *slog.Logger) (journal.Journal, error) {
			return file.Open(dir, file.Options{Logger: log})
		},
	}
}

func (o *options) command(action cli.ActionFunc) *cli.Command {
	flags := []cli.Flag{
		cmdline.String("addr", &o.addr, "listen on `HOST:PORT`; :5000 is every interface, port 0 any free one.\n"+
			"unix:PATH is a Unix socket, for programs of this user on this machine"),
		cmdline.Flag("queue", &o.queues, "host queue `NAME[,option=value]`, for each queue; without: tasks and results.\n"+
			"The options are explained above"),
		cmdline.Size("max-payload", &o.maxPayload, 1<<10, "a payload, and a line of the input, may be `SIZE` long"),
		cmdline.String("data", &o.data, "keep the queues in `DIR`, which is made if need be; also REEVE_DATA.\n"+
			"Without: in memory only"),
		cmdline.Durability("durability", &o.durability, "with -data, for queues that do not say it: what is acknowledged survives, as\n"+
			"`WHEN` says, the end of the master (none), a power cut (sync), or one that\ncomes TIME later (interval=TIME, 1ms to 1m)"),
		cmdline.Size("memory", &o.memory, 1<<20, "with -data, payloads in memory take `SIZE`; what is beyond is read from DIR when\n"+
			"it is handed over. As a rule a quarter of what the machine has"),
		cmdline.Size("blob-bytes", &o.blobBytes, 1<<20, "blobs take `SIZE` together, in files below DIR. Without -data they are in memory, and\n"+
			"take a quarter of what the machine has as a rule"),
		cmdline.String("input", &o.input, "batch run: each line of `FILE` (- is standard input) becomes a task on the first queue"),
		cmdline.String("output", &o.output, "write the results, taken from the second queue, to `FILE`;\n- is standard output, which is the default"),
		cmdline.Bool("ordered", &o.ordered, "write results in the order of the input, not as they come"),
		cmdline.Duration("grace", &o.grace, 0, "when stopped, let workers finish for `TIME`"),
		cmdline.Bool("allow-shutdown", &o.mayEnd, "let whoever has the key end the master: reeve shutdown"),
		cmdline.Bool("stop-on-eof", &o.stopOnEOF, "end in order when the standard input ends: for a program that starts a master\n"+
			"and is not to leave it behind, whatever ends it"),
		cmdline.Duration("summary", &o.summary, 0, "log the numbers that have changed every `TIME`; 0: never"),
		cmdline.String("debug-addr", &o.debugAddr, program.DebugUsage),
	}
	return &cli.Command{
		Name:        "master",
		Usage:       "host task queues for workers, or run a file of lines through them",
		UsageText:   "master [flags]",
		Description: description,
		Flags:       slices.Concat(flags, o.key.Flags(), o.log.Flags()),
		Action:      action,
	}
}

var description = `Without -input the master hosts its queues until it is stopped. The line
"listening on ADDR" on standard error says that it is ready, and where.

With -input it ends when no line can get a result any more. A line ends at
LF, a CR before that is not part of it, and an empty line is a task too. Each
result is one line of the output: what the task gave, without the one line end
it may have. Lines that are dead, or longer than -max-payload, are listed on
standard error with the reason, and so are those whose task ended without a
result: skipped, discarded, cancelled, expired or purged; keep-result on the
first queue lets the reason be exact. Exit code: 0 when every line has a result,
1 when some have none. Workers stay, and wait for the next master.

With -data the queues are there again after a restart, whatever ended the
master, in order or not: tasks with all that was said of them, those that were
running with their workers, results, dead letters and pauses. A worker that is
at work meanwhile goes on and hands its result to the new master. A queue that
the command line does not name any more is still there. When the disk is full,
puts fail and all else goes on, until there is space again. Damage is told with
its place and the cure, and nothing is served then. One directory is one
master's.

With -data and -input, a batch run that was broken off begins again only when
its queues are empty, for what is in them would be done twice: the same command
without -input lets workers finish it, and reeve get or reeve purge empties them.

Without a key, a master on a loopback address makes one that only this user's
programs find; on any other it refuses to start.

The first SIGTERM or Ctrl-C lets workers finish what they have begun, the
second ends the master at once.

A failed task is tried again after a second, then two, four and so on up to ten
minutes, each a fifth more or less at random, until its attempts are used up.
backoff= on its queue says otherwise; backoff=0 tries again at once.

Options of a queue, with an example of each:
` + cmdline.QueueOptionsHelp() + `
Examples:
  master
  master -addr :5000 -authkey-file reeve.key
  master -queue tasks,max-len=10000,attempts=3,backoff=1s..1m -queue results
  master -queue crawl,key-rate=1/s,window=22:00-06:00@Europe/Berlin -queue pages
  master -data /var/lib/reeve -queue orders -queue metrics,durability=interval=1s
  master -input urls.txt -output titles.txt -ordered`

// complete fills in what depends on other flags and checks what no flag can
// check alone.
func (o *options) complete(cmd *cli.Command) error {
	batch := o.input != ""
	switch {
	case !batch && cmd.IsSet("input"):
		return errors.New("-input needs the name of a file; - is standard input")
	case o.output == "" && cmd.IsSet("output"):
		return errors.New("-output needs the name of a file; - is standard output")
	case o.output != "" && !batch:
		return errors.New("-output needs -input")
	case o.ordered && !batch:
		return errors.New("-ordered needs -input")
	case o.stopOnEOF && batch:
		return errors.New("-stop-on-eof and -input: a batch run ends by itself")
	case o.data == "" && cmd.IsSet("data"):
		return errors.New("-data needs the name of a directory")
	case o.data == "" && cmd.IsSet("durability"):
		return errors.New("-durability needs -data: without it queues are kept in memory only")
	case o.data == "" && cmd.IsSet("memory"):
		return errors.New("-memory needs -data: without it all payloads are in memory")
	case o.maxPayload > 1<<30:
		return errors.New("-max-payload: want at most 1GiB")
	}
	if o.output == "" {
		o.output = "-"
	}
	if o.data == "" && !cmd.IsSet("blob-bytes") {
		o.blobBytes = 0 // what the machine can do
	}
	if err := program.CheckAddr("-addr", o.addr); err != nil {
		return err
	}
	if err := program.CheckDebugAddr(o.debugAddr); err != nil {
		return err
	}
	for _, q := range o.queues {
		if o.data == "" && q.Config.Durability != 0 {
			return fmt.Errorf("-queue %s: durability= needs -data: without it queues are kept in memory only", q)
		}
	}
	var missing []string
	switch {
	case len(o.queues) == 0:
		missing = []string{"tasks", "results"}
	case len(o.queues) == 1 && batch:
		missing = []string{"results"}
	}
	for _, name := range missing {
		if err := o.queues.Set(name); err != nil {
			return fmt.Errorf("-input needs a second queue for the results: %w", err)
		}
	}
	return nil
}
