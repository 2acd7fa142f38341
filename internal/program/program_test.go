package program_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/program"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExitCode_TellsErrorsApart(t *testing.T) {
	t.Parallel()
	for want, errs := range map[int][]error{
		program.ExitDone:        {nil},
		program.ExitAuth:        {&auth.RejectedError{}, fmt.Errorf("x: %w", &auth.UnprovenError{}), reeve.ErrAuth, reeve.ErrPermission},
		program.ExitConfig:      {&auth.KeyError{}, reeve.ErrKey, &reeve.NoSuchQueueError{}, reeve.ErrNoJournal, program.Fail(program.ExitConfig, program.ErrNoKey)},
		program.ExitProtocol:    {&auth.NotTLSError{}, &auth.VersionError{}, reeve.ErrProtocol},
		program.ExitUnavailable: {reeve.ErrDisconnected, context.DeadlineExceeded, &auth.TimeoutError{}},
		program.ExitUsage:       {fmt.Errorf("%w: delay", reeve.ErrInvalid)},
		program.ExitData:        {&reeve.LimitError{Kind: reeve.ErrTooLarge}},
		program.ExitTryAgain:    {&reeve.LimitError{Kind: reeve.ErrQueueFull}, fmt.Errorf("%w in x", reeve.ErrJournalFull)},
		program.ExitOutput:      {fmt.Errorf("x: %w", program.Fail(program.ExitOutput, io.ErrShortWrite)), reeve.ErrJournal},
		program.ExitSoftware:    {errors.New("x"), reeve.ErrInternal},
	} {
		for _, err := range errs {
			if got := program.ExitCode(err); got != want {
				t.Errorf("%v: %d, want %d", err, got, want)
			}
		}
	}
	if program.Fail(70, nil) != nil {
		t.Error("no error became one")
	}
}

func TestConsole_ALineClearsTheProgressAndDrawsItAgain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := program.NewConsole(&out)
	fmt.Fprintln(c, "before")
	c.SetStatus(func(w io.Writer) program.Status { return mark{w} })
	fmt.Fprintln(c, "line")
	c.Update(func() { out.WriteString("new") })
	c.SetStatus(nil)
	fmt.Fprintln(c, "after")
	if want := "before\n[clear]line\n[draw]new[clear]after\n"; out.String() != want {
		t.Fatalf("%q, want %q", out.String(), want)
	}
	if c.Terminal() {
		t.Error("a buffer is no terminal")
	}
}

type mark struct{ w io.Writer }

func (m mark) Clear() { fmt.Fprint(m.w, "[clear]") }
func (m mark) Draw()  { fmt.Fprint(m.w, "[draw]") }

func TestLog_AnnouncesPlainlyOrAsARecord(t *testing.T) {
	t.Parallel()
	var text, records bytes.Buffer
	(&program.LogFlags{Format: "text"}).New(&text).Announce("ready on x", slog.String("addr", "x"))
	(&program.LogFlags{Format: "json"}).New(&records).Announce("ready on x", slog.String("addr", "x"))
	if text.String() != "ready on x\n" {
		t.Errorf("%q", text.String())
	}
	if !strings.HasSuffix(records.String(), `"level":"INFO","msg":"ready on x","addr":"x"}`+"\n") {
		t.Errorf("%q", records.String())
	}
}

func TestLog_DebugOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	for _, verbose := range []bool{false, true} {
		var out bytes.Buffer
		(&program.LogFlags{Format: "text", Verbose: verbose}).New(&out).Debug("detail")
		if got := out.Len() > 0; got != verbose {
			t.Errorf("verbose %v wrote %q", verbose, out.String())
		}
	}
}

func TestServeDebug_TellsHealthAndProfilesToThisMachineOnly(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	var out bytes.Buffer
	stop, err := program.ServeDebug(t.Context(), "127.0.0.1:0", (&program.LogFlags{}).New(&out), func() error {
		if sick.Load() {
			return errors.New("no session")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	base := "http://" + regexp.MustCompile(`addr=(\S+)`).FindStringSubmatch(out.String())[1]
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path, host string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if code, body := get("/healthz", ""); code != 200 || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	sick.Store(true)
	if code, body := get("/healthz", "localhost"); code != 503 || body != "no session\n" {
		t.Errorf("%d %q", code, body)
	}
	if code, body := get("/debug/pprof/goroutine?debug=2", ""); code != 200 || !strings.Contains(body, "goroutine 1") {
		t.Errorf("%d %.100q", code, body)
	}
	if code, _ := get("/debug/pprof/cmdline", ""); code != 404 {
		t.Errorf("the command line, which may hold a key: %d", code)
	}
	for _, host := range []string{"evil.example", "unix:6060"} {
		if code, _ := get("/healthz", host); code != 403 {
			t.Errorf("as %s: %d", host, code)
		}
	}
}

func TestCheckDebugAddr_TakesLoopbackOnly(t *testing.T) {
	t.Parallel()
	for addr, ok := range map[string]bool{"": true, "127.0.0.1:0": true, "localhost:6060": true, "[::1]:1": true, "unix:/run/debug.sock": true, ":6060": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "x": false} {
		if err := program.CheckDebugAddr(addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestCheckAddr_WantsHostAndPortOrASocket(t *testing.T) {
	t.Parallel()
	for addr, ok := range map[string]bool{
		":5000": true, "127.0.0.1:0": true, "[::1]:5000": true, "host:http": true, ":65535": true,
		"unix:/run/reeve.sock": true, "unix:reeve.sock": true, "unix:": false, "unix:@reeve": false, "unix:a\x00b": false,
		"": false, "host": false, "host:": false, "::1:5000": false, ":65536": false, ":-1": false,
	} {
		err := program.CheckAddr("-addr", addr)
		if (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "-addr ") {
			t.Errorf("%q: %v does not name the flag", addr, err)
		}
	}
	for addrs, ok := range map[string]bool{"a:1": true, "a:1, b:2": true, "unix:/a,b:1": true, "unix:": false, "": false, "a:1,": false, "a:1,b": false} {
		if err := program.CheckAddrs("-connect", addrs); (err == nil) != ok {
			t.Errorf("%q: %v", addrs, err)
		}
	}
}

func TestNotifyStop_EndsWithItsParentAndIsReleased(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	stop, release := program.NotifyStop(ctx)
	cancel()
	<-stop.Graceful.Done()
	if stop.Now.Err() != nil || stop.Interrupted() != nil {
		t.Error("the end of the context is not a second signal")
	}
	release()
}
