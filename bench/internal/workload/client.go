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

	"github.com/reeveq/reeve/bench/internal/system"
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
	Lacks bool          `json:"lacks,omitempty"` // nothing was done: the system has no such thing
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
	failed  chan<- error // the measurement's
}

// start starts a client process and gives it its job. It is stopped with the
// measurement.
func (m *Measurement) start(ctx context.Context, job string, o order) (*client, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &client{job: job, cmd: exec.Command(exe, "client"), reports: make(chan report, 1), ended: make(chan struct{}), failed: m.failed}
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
		if r.Error != "" {
			c.fail(&clientError{r.Error, r.Lacks})
			continue
		}
		c.reports <- r
	}
	close(c.reports)
	err := c.cmd.Wait()
	close(c.ended)
	c.fail(errors.Join(errors.New("the client process has ended"), err))
}

// clientError is an error of a client process.
type clientError struct {
	text  string
	lacks bool // it is that the system has no such thing
}

func (e *clientError) Error() string        { return e.text }
func (e *clientError) Is(target error) bool { return e.lacks && target == system.ErrUnsupported }

// fail tells the one that waits for a report of any client; the first counts.
func (c *client) fail(err error) {
	select {
	case c.failed <- fmt.Errorf("%s: %w", c.job, err):
	default:
	}
}

// tell gives an order.
func (c *client) tell(o order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, _ = c.in.Write(append(line, '\n')) // that it has ended is told by hear
	return nil
}

// hear waits for the next report of a client, or the failure of any.
func (m *Measurement) hear(ctx context.Context, c *client) (report, error) {
	select {
	case r, ok := <-c.reports:
		if ok {
			return r, nil
		}
		return r, <-m.failed // of this one, or of one that was before it
	case err := <-m.failed:
		return report{}, err
	case <-ctx.Done():
		return report{}, fmt.Errorf("%s: no report: %w", c.job, context.Cause(ctx))
	}
}

// ask gives a client an order, and waits for its report.
func (m *Measurement) ask(ctx context.Context, c *client, o order) (report, error) {
	if err := c.tell(o); err != nil {
		return report{}, err
	}
	return m.hear(ctx, c)
}

// stop ends the process: by itself, or killed after 10 s, in which it can end
// and clear up after a process of its own.
func (c *client) stop() {
	_ = c.in.Close()
	kill := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	for range c.reports {
	}
	<-c.ended
}
