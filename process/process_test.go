package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/process"
	"github.com/reeveq/reeve/proxy"
	"go.uber.org/goleak"
)

// program is the master, built once.
var program string

// What this test program is in place of its tests, if REEVE_TEST_ROLE says so.
const (
	roleParent = "parent" // starts a master, says where it listens, and stays
	roleMute   = "mute"   // a program that never listens, nor ends
)

func TestMain(m *testing.M) {
	switch os.Getenv("REEVE_TEST_ROLE") {
	case roleParent:
		beParent()
	case roleMute:
		fmt.Fprint(os.Stderr, "listening to you\nlistening on ") // and no more
		time.Sleep(time.Hour)
	default:
		os.Exit(build(m))
	}
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reeve-process-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "master")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", program, "github.com/reeveq/reeve/cmd/master").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func start(t *testing.T, cfg process.Config) *process.Master {
	t.Helper()
	cfg.Path = program
	m, err := process.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Kill)
	return m
}

func connect(t *testing.T, m *process.Master) *proxy.Client {
	t.Helper()
	c, err := proxy.Dial(t.Context(), m.Addr(), proxy.Config{AuthKey: m.Key(), DialOnce: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestStart_ClientsCanConnectWithItsKey(t *testing.T) {
	t.Parallel()
	var log lines
	for _, cfg := range []process.Config{
		{Log: &log, Args: []string{"-queue", "orders,max-len=7"}},
		{Log: &log, Args: []string{"-queue", "orders,max-len=7"}, Addr: "unix:" + filepath.Join(t.TempDir(), "s")},
	} {
		m := start(t, cfg)
		c := connect(t, m)
		s, err := c.Queue("orders").Stats(t.Context())
		if err != nil || s.MaxLen != 7 {
			t.Errorf("%+v, %v", s, err)
		}
		other := start(t, process.Config{})
		if m.Key().ID() != other.Key().ID() || m.PID() == other.PID() || m.Addr() == other.Addr() {
			t.Errorf("%v %d %s, %v %d %s", m.Key(), m.PID(), m.Addr(), other.Key(), other.PID(), other.Addr())
		}
		if _, err := proxy.Dial(t.Context(), other.Addr(), proxy.Config{AuthKey: m.Key(), DialOnce: true}); !errors.Is(err, reeve.ErrAuth) {
			t.Errorf("two masters have one key: %v", err)
		}
	}
	if !strings.Contains(log.String(), "listening on ") {
		t.Errorf("the log is %q", log.String())
	}
}

func TestStart_TheKeyIsNotOnTheCommandLineAndNoOtherIsHandedOver(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // only there it can be seen
	}
	m := start(t, process.Config{Env: append(os.Environ(), "REEVE_AUTHKEY=mine", "REEVE_AUTHKEY_FILE=/nowhere")})
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.PID()))
	if err != nil {
		t.Fatal(err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", m.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(cmdline, []byte("rvk1.")) || !bytes.Contains(cmdline, []byte("-addr")) {
		t.Errorf("%q", cmdline)
	}
	keys := slices.DeleteFunc(strings.Split(string(environ), "\x00"), func(v string) bool { return !strings.HasPrefix(v, "REEVE_AUTHKEY") })
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "REEVE_AUTHKEY=rvk1.process.") {
		t.Errorf("%d keys", len(keys))
	}
}

func TestStop_EndsTheMasterInOrder(t *testing.T) {
	t.Parallel()
	m := start(t, process.Config{})
	select {
	case <-m.Done():
		t.Fatal("it ended by itself")
	default:
	}
	for range 2 {
		if err := errors.Join(m.Stop(t.Context()), m.Wait(t.Context())); err != nil {
			t.Errorf("%v", err)
		}
	}
	<-m.Done()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // that it has ended counts more than that the ctx has
		if err := errors.Join(m.Stop(over), m.Wait(over)); err != nil {
			t.Fatalf("with a ctx that has ended: %v", err)
		}
	}
}

func TestStop_AMasterThatDoesNotEndIsKilled(t *testing.T) {
	t.Parallel()
	m := start(t, process.Config{Grace: time.Hour})
	c := connect(t, m)
	if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Queue("tasks").Get(t.Context(), 1); err != nil { // whose lease it waits for
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := m.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	var exit *exec.ExitError
	if err := m.Wait(t.Context()); !errors.As(err, &exit) {
		t.Errorf("%v", err)
	}
}

func TestWait_TellsHowAKilledMasterEnded(t *testing.T) {
	t.Parallel()
	m := start(t, process.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	m.Kill()
	var exit *exec.ExitError
	if err := m.Wait(t.Context()); !errors.As(err, &exit) || !strings.Contains(err.Error(), "listening on") {
		t.Errorf("%v", err)
	}
}

func TestStart_TellsWhyThereIsNoMaster(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for want, cfg := range map[string]process.Config{
		"the port is in use":        {Path: program, Addr: ln.Addr().String()},
		"unknown option":            {Path: program, Args: []string{"-queue", "a,nonsense=1"}},
		"executable file not found": {Path: "reeve-no-such-program"},
		"Config.Grace":              {Grace: -1},
		"Config.StartTimeout":       {StartTimeout: -1},
	} {
		if m, err := process.Start(t.Context(), cfg); err == nil {
			m.Kill()
			t.Errorf("%+v was started", cfg)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestStart_AProgramThatDoesNotListenIsKilled(t *testing.T) {
	t.Parallel()
	cfg := process.Config{Path: os.Args[0], Env: append(os.Environ(), "REEVE_TEST_ROLE="+roleMute), StartTimeout: 200 * time.Millisecond}
	if _, err := process.Start(t.Context(), cfg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// beParent starts a master and waits to be killed.
func beParent() {
	m, err := process.Start(context.Background(), process.Config{Path: os.Getenv("REEVE_TEST_MASTER")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(m.Addr())
	time.Sleep(time.Hour)
}

func TestMaster_EndsWhenItsParentIsKilled(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "REEVE_TEST_ROLE="+roleParent, "REEVE_TEST_MASTER="+program)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	_, err = fmt.Fscanln(out, &addr)
	var c net.Conn
	if err == nil {
		c, err = net.Dial("tcp", addr)
	}
	if err == nil {
		defer c.Close()
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return // nobody listens any more
		}
		c.Close()
		if time.Now().After(end) {
			t.Fatal("the master is still there")
		}
	}
}

// lines is a log.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
