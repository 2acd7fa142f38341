package workload

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// endpointEnv is the environment variable that tells a client process where the
// server is, and whatever else it needs to be let in.
const endpointEnv = "REEVE_BENCH_ENDPOINT"

// order is what a client process is told to do. The first one says which job it
// has; those that follow are the job's.
type order struct {
	Job     string `json:"job,omitempty"`
	System  string `json:"system,omitempty"`
	Profile string `json:"profile,omitempty"` // file for a CPU profile

	First    int           `json:"first,omitempty"` // number of the first task
	Tasks    int           `json:"tasks,omitempty"`
	Time     time.Duration `json:"time,omitempty"` // that it may take; 0: as long as the tasks take
	Conns    int           `json:"conns,omitempty"`
	Prefetch int           `json:"prefetch,omitempty"`
	Callers  int           `json:"callers,omitempty"` // goroutines
	Op       string        `json:"op,omitempty"`
	Queues   int           `json:"queues,omitempty"`
}

// report is what it says after an order.
type report struct {
	Error string        `json:"error,omitempty"`
	Lacks bool          `json:"lacks,omitempty"` // the system has no such thing: not done
	Tasks int           `json:"tasks,omitempty"` // that were done
	Took  time.Duration `json:"took,omitempty"`
	P50   time.Duration `json:"p50,omitempty"`
	P99   time.Duration `json:"p99,omitempty"`
}

func (r report) rate() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Tasks) / r.Took.Seconds()
}

// client is a client process, seen from the one that measures.
type client struct {
	job     string
	cmd     *exec.Cmd
	in      io.WriteCloser
	reports chan report // closed with the process's output
	ended   chan struct{}
}

// start starts a client process and gives it its job. It is stopped with the
// measurement.
func (m *Measurement) start(ctx context.Context, job string, o order) (*client, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &client{job: job, cmd: exec.Command(exe, "client"), reports: make(chan report, 1), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), endpointEnv+"="+m.server.Endpoint)
	c.cmd.Stderr = m.Log
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go c.listen(out) // ends with the process
	m.clients = append(m.clients, c)
	o.Job, o.System = job, m.System.Name()
	o.Profile = m.profileOf(fmt.Sprintf("%s-%d", job, len(m.clients)))
	return c, c.tell(o)
}

func (c *client) listen(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r report
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			r.Error = fmt.Sprintf("not a report: %q", lines.Text())
		}
		c.reports <- r
	}
	close(c.reports)
	_ = c.cmd.Wait() // how it went was in the reports
	close(c.ended)
}

// tell gives an order.
func (c *client) tell(o order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err = c.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: %w", c.job, errors.Join(err, c.lastWords()))
	}
	return nil
}

// lastWords is what a process said that takes no orders any more.
func (c *client) lastWords() error {
	select {
	case r, ok := <-c.reports:
		if ok && r.Error != "" {
			return errors.New(r.Error)
		}
	case <-time.After(time.Second):
	}
	return nil
}

// hear waits for the next report.
func (c *client) hear(ctx context.Context) (report, error) {
	select {
	case r, ok := <-c.reports:
		switch {
		case !ok:
			return r, fmt.Errorf("%s: the client process has ended", c.job)
		case r.Error != "":
			return r, fmt.Errorf("%s: %s", c.job, r.Error)
		}
		return r, nil
	case <-ctx.Done():
		return report{}, fmt.Errorf("%s: no report: %w", c.job, context.Cause(ctx))
	}
}

// ask is tell and hear.
func (c *client) ask(ctx context.Context, o order) (report, error) {
	if err := c.tell(o); err != nil {
		return report{}, err
	}
	return c.hear(ctx)
}

// stop ends the process: by itself, or killed after 5 s.
func (c *client) stop() {
	_ = c.in.Close()
	kill := time.AfterFunc(5*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	for range c.reports {
	}
	<-c.ended
}
