package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/proxy"
)

// run is one soak run. Its fields are set before anything fails.
type run struct {
	cfg    Config
	start  time.Time
	master *master
	book   *book

	links     []*link
	clients   []*proxy.Client
	workers   []*workerProcess
	producers []*producer

	mu      sync.Mutex // guards the fields below
	failed  []string
	samples []Sample
}

// fail notes what ends the run as a failed one, besides what is in the book.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, err.Error())
	fmt.Fprintln(r.cfg.Log, "soak:", err)
}

// Run soaks a master and reports how it went; [Report.OK] says whether it went
// well. It blocks for Config.For and as long as it takes to end everything, some
// minutes at most. The end of ctx ends the faults: what was begun is judged.
// The error is that it could not be run, as where there is no /proc.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m, err := newMaster(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, master: m, book: newBook(cfg.Producers)}
	if err := m.start(0); err != nil {
		return nil, errors.Join(err, m.kill())
	}
	defer m.kill() // unless it was stopped
	before, err := m.sample(ctx)
	if err != nil {
		return nil, fmt.Errorf("soak: what the master takes cannot be seen here: %w", err)
	}
	defer r.close()
	fmt.Fprintf(cfg.Log, "soak: seed %d, %v, everything in %s\n", cfg.Seed, cfg.For, cfg.Dir)
	report := &Report{Seed: cfg.Seed, For: cfg.For.Seconds(), Started: time.Now(), AtFirst: before, Rule: Rule}
	r.start = time.Now()
	if err := r.soak(ctx, report); err != nil {
		return nil, err
	}
	r.end(report)
	return report, nil
}

// soak starts everybody, has things fail, and returns when everything that was
// put is done, or was not in time.
func (r *run) soak(ctx context.Context, report *Report) error {
	if err := r.connect(); err != nil {
		return err
	}
	stop := make(chan struct{})
	var producing, taking, watching sync.WaitGroup
	for i := range r.cfg.Producers {
		p := newProducer(r.book, &r.cfg, i, r.clients[i], stop)
		r.producers = append(r.producers, p)
		producing.Go(p.run)
	}
	over, end := context.WithCancel(context.WithoutCancel(ctx))
	defer func() { end(); taking.Wait() }()
	rest := r.clients[r.cfg.Producers:]
	for i := range collectors {
		taking.Go(func() { collect(over, r.book, r.cfg.Seed, rest[i]) })
	}
	u := &users{book: r.book}
	failing, calm := context.WithTimeout(ctx, r.cfg.For)
	defer calm()
	for i := range userClients {
		producing.Go(func() { u.use(failing, rest[collectors+i], i) })
	}
	watching.Go(func() { r.watch(failing) })
	f := &faults{d: rng(r.cfg.Seed, -1000, 0), run: r}
	f.loop(failing, r.start.Add(r.cfg.storm()))
	<-failing.Done()
	watching.Wait()
	report.Faults = f.count
	report.Faults.MastersKilled = r.master.killed()

	// From here on nothing fails.
	for _, l := range r.links {
		l.heal()
	}
	close(stop)
	drained, giveUp := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer giveUp()
	done := make(chan struct{})
	go func() { // ends with what is under way, at the latest when the clients are closed
		producing.Wait()
		close(done)
	}()
	select {
	case <-done:
		r.drain(drained)
	case <-drained.Done():
		r.fail(errors.New("puts, cancels or calls have no answer although nothing fails any more"))
	}
	return nil
}

// drain waits until both queues are empty.
func (r *run) drain(ctx context.Context) {
	for _, name := range []string{tasksQueue, resultsQueue} {
		q := r.clients[0].Queue(name)
		if err := q.Join(ctx); err != nil {
			r.fail(fmt.Errorf("queue %s is not drained: %w", name, err))
		}
		s, err := q.Stats(ctx)
		if err != nil || s.Unsettled()+s.Dead != 0 {
			r.fail(fmt.Errorf("queue %s in the end: %+v, %v", name, s, err))
		}
	}
}

const (
	collectors  = 2
	userClients = 2
)

// connect makes the links, the clients of this process and the workers.
func (r *run) connect() error {
	key, err := auth.ParseKey([]byte(r.master.key))
	if err != nil {
		return err
	}
	for i := range r.cfg.Producers + collectors + userClients {
		l, err := r.link()
		if err != nil {
			return err
		}
		ctx, end := context.WithTimeout(context.Background(), startTimeout)
		c, err := proxy.Dial(ctx, l.addr(), clientConfig(key, fmt.Sprint("soak ", i)))
		end()
		if err != nil {
			return err
		}
		r.clients = append(r.clients, c)
	}
	for i := range r.cfg.Workers {
		l, err := r.link()
		if err != nil {
			return err
		}
		w := &workerProcess{name: fmt.Sprint("worker-", i), addr: l.addr(), dir: r.cfg.Dir, key: r.master.key}
		r.workers = append(r.workers, w)
		if err := w.start(); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) link() (*link, error) {
	l, err := newLink(r.master.addr)
	if err == nil {
		r.links = append(r.links, l)
	}
	return l, err
}

// watch takes samples, and tells now and then how it goes, until ctx ends.
func (r *run) watch(ctx context.Context) {
	tick := time.NewTicker(r.cfg.sampleEvery())
	defer tick.Stop()
	told := time.Now()
	var last Sample
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, err := r.master.sample(ctx)
		s.At = time.Since(r.start)
		switch {
		case err == nil:
			last = s
			r.mu.Lock()
			r.samples = append(r.samples, s)
			r.mu.Unlock()
		case s.At > r.cfg.steady() && ctx.Err() == nil:
			r.fail(fmt.Errorf("no sample of the master: %w", err))
		}
		if time.Since(told) >= progressEvery {
			told = time.Now()
			r.tell(s.At, &last)
		}
	}
}

// tell writes a line with the last sample, as there may be no master now.
func (r *run) tell(at time.Duration, s *Sample) {
	c, _, wrong := r.book.verdict()
	fmt.Fprintf(r.cfg.Log, "soak: %v: %d put, %d results, %d cancelled, %d holds; %d masters killed; RSS %s, heap %s, %d goroutines, %d files, journal %s; %d wrong\n",
		at.Round(time.Second), c.Put, c.Results, c.Cancelled, c.Holds, r.master.killed(), mib(s.RSS), mib(s.Heap), s.Goroutines, s.Files, mib(s.Disk), wrong)
}

// end stops everybody, looks at the master that has nothing to do any more, at
// its journal, and at the book.
func (r *run) end(report *Report) {
	if err := r.master.check(); err != nil {
		r.fail(err)
	}
	r.close()
	report.AtLast, report.Rests = r.rest(report.AtFirst)
	if err := r.master.stop(); err != nil {
		r.fail(err)
	}
	if _, err := file.Check(filepath.Join(r.cfg.Dir, "data")); err != nil {
		r.fail(fmt.Errorf("the journal: %w", err))
	}
	r.book.judge()
	report.Counts, report.Wrong, report.WrongCount = r.book.verdict()
	report.Samples = r.samples
	report.Growth = growths(between(r.samples, r.cfg.steady(), r.cfg.For))
	report.Failed = r.failed
	report.Took = time.Since(r.start).Seconds()
}

const (
	restTimeout    = 10 * time.Second
	restGoroutines = 4 // more than at first that may be there in the end
)

// rest waits until the master, which nobody is connected to, has no more
// goroutines than at first, and reports what it takes and whether that was so.
func (r *run) rest(first Sample) (s Sample, ok bool) {
	ctx, end := context.WithTimeout(context.Background(), restTimeout)
	defer end()
	for {
		now, err := r.master.sample(ctx)
		if err == nil {
			s = now
			s.At = time.Since(r.start)
		} else if ctx.Err() == nil {
			r.fail(fmt.Errorf("no sample of the master in the end: %w", err))
			return s, false
		}
		if s.Goroutines > 0 && s.Goroutines <= first.Goroutines+restGoroutines {
			return s, true
		}
		if wait(ctx, 200*time.Millisecond) != nil {
			return s, false
		}
	}
}

// close ends all clients, workers and links. It may be called twice.
func (r *run) close() {
	for _, w := range r.workers {
		if err := w.stop(); err != nil {
			r.fail(err)
		}
	}
	for _, c := range r.clients {
		_ = c.Close()
	}
	for _, l := range r.links {
		l.close()
	}
	r.workers, r.clients, r.links = nil, nil, nil
}

// workerProcess is a worker, one process after the other.
type workerProcess struct {
	name, addr, dir, key string
	life                 *child
}

func (w *workerProcess) start() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, WorkerArgs()...)
	cfg, err := workerConfig{Addr: w.addr, Name: w.name}.text()
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), auth.EnvKey+"="+w.key, workerEnv+"="+cfg)
	w.life, err = launch(w.dir, w.name, cmd, nil)
	return err
}

// replace kills the process and starts another.
func (w *workerProcess) replace() error {
	if err := w.life.kill(); err != nil {
		return err
	}
	return w.start()
}

func (w *workerProcess) stop() error {
	if w.life == nil {
		return nil
	}
	if err := w.life.stop(); err != nil {
		return fmt.Errorf("%s did not end in order: %w; see %s.log", w.name, err, w.name)
	}
	return nil
}
