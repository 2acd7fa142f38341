package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/manager"
)

// inMemory is said at the start of a master without -data.
const inMemory = "queues are kept in memory only: use -data DIR to keep them across restarts"

// openData opens the journal of -data; nil without one. Its Replay ends with
// stop, and says now and then how far it is.
func (o *options) openData(stop context.Context, log *program.Log) (journal.Journal, error) {
	if o.data == "" {
		return nil, nil
	}
	j, err := o.openJournal(o.data, log.Logger)
	if err != nil {
		return nil, o.explainData(err)
	}
	return &recovering{Journal: j, stop: stop, log: log, size: segmentBytes(o.data)}, nil
}

// announceData says what became of the queues that an earlier master had.
func (o *options) announceData(m *manager.Master, log *program.Log) {
	r := m.Recovered()
	switch {
	case r.Journal:
		log.Announce(recoveredText(r, o.data), slog.String("data", o.data), slog.Int("tasks", r.Tasks), slog.Int("results", r.Results),
			slog.Int("queues", r.Queues), slog.Int("objects", r.Objects), slog.Int64("bytes", r.Bytes), slog.Duration("took", r.Took))
	case o.input == "": // a batch run begins with its input again
		log.Announce(inMemory)
	}
}

func recoveredText(r manager.Recovered, dir string) string {
	where := counted(r.Queues, "queue")
	if r.Objects > 0 {
		where += " and " + counted(r.Objects, "object")
	}
	return fmt.Sprintf("recovered %s (%s) in %s, %.1f MiB, in %v from %s", counted(r.Tasks, "task"), counted(r.Results, "result"), where,
		float64(r.Bytes)/(1<<20), r.Took.Round(time.Millisecond), dir)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// segmentBytes is about how much there is to read in the journal dir; 0: not
// known.
func segmentBytes(dir string) (n int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".seg") {
			n += info.Size()
		}
	}
	return n
}

// recovering is a journal whose Replay can be stopped, and says how far it is
// when it takes long.
type recovering struct {
	journal.Journal
	stop context.Context
	log  *program.Log
	size int64 // of all frames, about; 0: not known
}

// recoveringEvery is how often it is said.
const recoveringEvery = 2 * time.Second

func (r *recovering) Replay(ctx context.Context, f func(p journal.Pos, frame []byte) error) (journal.Pos, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.stop, func() { cancel(context.Cause(r.stop)) })()
	var read int64
	said := time.Now()
	return r.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
		if read += int64(len(frame)); time.Since(said) >= recoveringEvery {
			said = time.Now()
			r.log.Info("recovering", "percent", min(read*100/max(r.size, read, 1), 99))
		}
		return f(p, frame)
	})
}

// checkKeyIsElsewhere refuses a key in the data directory: whoever is given a
// copy of the queues would have it.
func (o *options) checkKeyIsElsewhere(env program.Env) error {
	if o.data == "" {
		return nil
	}
	path := o.key.Path(env)
	if path == "" || !isWithin(realPath(path), realPath(o.data)) {
		return nil
	}
	return fmt.Errorf("the authkey %s is in -data %s: whoever is given a copy of the queues would have the key; keep it elsewhere", path, o.data)
}

func isWithin(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// realPath is path without links, as far as it exists.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	rest := ""
	for dir := path; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return path
		}
		rest = filepath.Join(filepath.Base(dir), rest)
		dir = parent
	}
}
