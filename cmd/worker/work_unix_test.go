//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
)

// site is a master in this process, with workers that run commands for it.
type site struct {
	*manager.Master
	t         *testing.T
	addr, key string
}

func newSite(t *testing.T) *site {
	t.Helper()
	key, text, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }() // received at the end of the test
	t.Cleanup(func() {
		m.Close()
		<-served
	})
	for _, name := range []string{"tasks", "low"} {
		if _, err := m.Queue(name, reeve.QueueConfig{KeepResult: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	return &site{Master: m, t: t, addr: ln.Addr().String(), key: text}
}

// worker starts a worker. wait waits for its exit code and returns its log.
func (s *site) worker(args ...string) (wait func() (int, string)) {
	var stderr safeBuffer
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"worker", "-connect", s.addr, "-results", ""}, args...), strings.NewReader(""), &stderr, &stderr,
			func(name string) string { return map[string]string{"REEVE_AUTHKEY": s.key}[name] })
	}()
	wait = sync.OnceValues(func() (int, string) { return <-code, stderr.String() })
	s.t.Cleanup(func() {
		cancel()
		wait()
	})
	return wait
}

func (s *site) put(queue string, task reeve.Task, opts ...reeve.PutOption) reeve.ID {
	s.t.Helper()
	q, err := s.Queue(queue, reeve.QueueConfig{KeepResult: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := q.Put(s.t.Context(), []reeve.Task{task}, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return ids[0]
}

func (s *site) result(id reeve.ID) reeve.Result {
	s.t.Helper()
	r, err := s.Wait(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestWork_ACommandSaysWhatBecomesOfItsTask(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.worker("-queue", "tasks=3,low", "-label", "gpu", "-concurrency", "2", "--", "sh", "-c", `
		echo "$REEVE_QUEUE $REEVE_TYPE $REEVE_KEY $REEVE_PRIORITY $REEVE_ATTEMPT"
		case $1 in
		later) if [ $REEVE_ATTEMPT = 1 ]; then echo 10ms; exit 75; fi;;
		0) ;;
		*) echo "because" >&2; exit $1;;
		esac`, "sh", "{}")
	for payload, want := range map[string]struct {
		state reeve.State
		out   string
		why   string
	}{
		"0":     {reeve.StateDone, "low resize host 5 1\n", ""},
		"65":    {reeve.StateDead, "", "exit status 65: because"},
		"later": {reeve.StateDone, "low resize host 5 2\n", ""},
		"115":   {reeve.StateDone, "", ""},
		"116":   {reeve.StateDiscarded, "", "exit status 116: because"},
	} {
		r := s.result(s.put("low", reeve.Task{Type: "resize", Priority: 5, Payload: []byte(payload)}, reeve.WithKey("host"), reeve.WithLabels("gpu")))
		if r.State != want.state || string(r.Payload) != want.out || !strings.Contains(r.Reason+r.Error, want.why) {
			t.Errorf("%s: %+v %q, want %+v", payload, r, r.Payload, want)
		}
	}
	stats, err := s.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range stats {
		if q.Name == "low" && (q.Failed != 0 || q.Snoozed != 1 || q.Skipped != 1 || q.Discarded != 1 || q.Buried != 1) {
			t.Errorf("%+v", q)
		}
	}
}

func TestWork_ACancelledTaskEndsItsCommandWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	fifo := t.TempDir() + "/open" // what the command and all that it started hold open
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	wait := s.worker("-concurrency", "1", "--", "sh", "-c", `
		[ "$1" = ok ] && exit
		exec 3>"$1"
		trap "" TERM
		sleep 600 &
		echo begun >&3
		wait; wait`, "sh", "{}")
	id := s.put("tasks", reeve.Task{Payload: []byte(fifo)})
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	begun := make([]byte, len("begun\n"))
	if _, err := io.ReadFull(f, begun); err != nil {
		t.Fatal(err)
	}
	if err := s.Cancel(t.Context(), id, "not needed"); err != nil {
		t.Fatal(err)
	}
	if r := s.result(id); r.State != reeve.StateCancelled {
		t.Errorf("%+v", r)
	}
	if r := s.result(s.put("tasks", reeve.Task{Payload: []byte("ok")})); r.State != reeve.StateDone {
		t.Errorf("the next task: %+v", r)
	}
	f.SetReadDeadline(time.Now().Add(20 * time.Second)) // where a pipe has deadlines
	if _, err := io.ReadAll(f); err != nil {            // ends when all that held it have
		t.Fatalf("something of the command still runs: %v", err)
	}
	if _, err := s.Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandDrain}, 0); err != nil {
		t.Fatal(err)
	}
	if code, log := wait(); code != 0 || strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
		t.Errorf("exit %d, log:\n%s", code, log)
	}
}

func TestWork_CommandsOfTheMasterReachIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	fifo := t.TempDir() + "/begun"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	wait := s.worker("-concurrency", "1", "-type", "a", "--", "sh", "-c", `echo >"$1"; read x <"$1"; echo $x`, "sh", "{}")
	id := s.put("tasks", reeve.Task{Type: "a", Payload: []byte(fifo)})
	left := s.put("tasks", reeve.Task{Type: "a", Payload: []byte(fifo)})
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
	command := func(c reeve.Command) *reeve.WorkerStatus {
		t.Helper()
		reports, err := s.Command(t.Context(), reeve.WorkerSelector{}, c, 0)
		if err != nil || len(reports) != 1 || reports[0].Status == nil {
			t.Fatalf("%+v, %v", reports, err)
		}
		return reports[0].Status
	}
	if st := command(reeve.Command{Do: reeve.CommandReport}); st.Concurrency != 1 || st.Running != 1 || st.Draining {
		t.Errorf("%+v", st)
	}
	if st := command(reeve.Command{Do: reeve.CommandDrain}); !st.Draining || st.Running != 1 {
		t.Errorf("%+v", st)
	}
	if err := os.WriteFile(fifo, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.result(id); r.State != reeve.StateDone || string(r.Payload) != "go\n" {
		t.Errorf("%+v %q", r, r.Payload)
	}
	if code, log := wait(); code != 0 || !strings.Contains(log, "worker drains, as it was told to") {
		t.Errorf("exit %d, log:\n%s", code, log)
	}
	if info, err := s.Task(t.Context(), left); err != nil || info.State != reeve.StateReady {
		t.Errorf("the other task: %+v, %v", info, err)
	}
}
