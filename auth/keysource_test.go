package auth

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/reeveq/reeve"
)

func keyFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func environment(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestKeySource_EverySourceGivesTheKey(t *testing.T) {
	t.Parallel()
	path := keyFile(t, "secret\r\n", 0o600)
	for origin, s := range map[string]KeySource{
		"-authkey-file " + path:      {File: path, Getenv: environment(nil)},
		"-authkey-file -":            {File: "-", Stdin: strings.NewReader("secret\n"), Getenv: environment(nil)},
		"REEVE_AUTHKEY_FILE " + path: {Getenv: environment(map[string]string{EnvKeyFile: path})},
		"REEVE_AUTHKEY":              {Getenv: environment(map[string]string{EnvKey: "secret\n"})},
		"-authkey":                   {Flag: "secret", Getenv: environment(nil)},
	} {
		key, got, err := s.Load()
		if err != nil || got != origin || key.IsZero() || string(key.m().secret) != "secret" {
			t.Errorf("%s: %v, %q, %v", origin, key, got, err)
		}
	}
}

func TestKeySource_NothingSetIsNoKeyAndNoError(t *testing.T) {
	t.Parallel()
	if key, origin, err := (KeySource{Getenv: environment(nil)}).Load(); !key.IsZero() || origin != "" || err != nil {
		t.Errorf("%v, %q, %v", key, origin, err)
	}
}

func TestKeySource_TwoSourcesAreAnErrorThatNamesBoth(t *testing.T) {
	t.Parallel()
	both := environment(map[string]string{EnvKey: "a", EnvKeyFile: "/nowhere"})
	for want, s := range map[string]KeySource{
		"REEVE_AUTHKEY_FILE and REEVE_AUTHKEY": {Getenv: both},
		"REEVE_AUTHKEY and -authkey":           {Flag: "a", Getenv: environment(map[string]string{EnvKey: "a"})},
		"-authkey-file and -authkey":           {File: "x", Flag: "a", Getenv: environment(nil)},
	} {
		_, _, err := s.Load()
		if !errors.Is(err, reeve.ErrKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestKeySource_AUselessSourceIsFatalAndNamed(t *testing.T) {
	t.Parallel()
	secret := "do-not-show-me"
	none := environment(nil)
	for name, s := range map[string]KeySource{
		"missing":    {File: filepath.Join(t.TempDir(), "no-such"), Getenv: none},
		"directory":  {File: t.TempDir(), Getenv: none},
		"empty":      {File: keyFile(t, "", 0o600), Getenv: none},
		"blank line": {File: keyFile(t, "\n", 0o600), Getenv: none},
		"two lines":  {File: keyFile(t, secret+"\n"+secret+"\n", 0o600), Getenv: none},
		"NUL":        {File: keyFile(t, secret+"\x00", 0o600), Getenv: none},
		"huge":       {File: keyFile(t, strings.Repeat(secret, 1000), 0o600), Getenv: none},
		"empty flag": {FlagSet: true, Getenv: none},
		"no stdin":   {File: "-", Stdin: strings.NewReader(""), Getenv: none},
	} {
		_, origin, err := s.Load()
		if !errors.Is(err, reeve.ErrKey) || ExitCode(err) != ExitKey || !strings.Contains(err.Error(), "-authkey") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), secret) || !strings.HasPrefix(origin, "-authkey") {
			t.Errorf("%s: origin %q, %v", name, origin, err)
		}
	}
	_, _, err := KeySource{File: filepath.Join(t.TempDir(), "no-such"), Getenv: none}.Load()
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestKeySource_AFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o660} {
		_, _, err := KeySource{File: keyFile(t, "secret", mode), Getenv: environment(nil)}.Load()
		switch {
		case runtime.GOOS == "windows":
			if err != nil {
				t.Errorf("%v: %v", mode, err)
			}
		case !errors.Is(err, reeve.ErrKey) || !strings.Contains(err.Error(), "chmod 600"):
			t.Errorf("%v: %v", mode, err)
		}
	}
}

func TestIsLoopback_OnlyThisMachine(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1:5000": true, "127.9.9.9:0": true, "[::1]:5000": true, "localhost:5000": true, "LOCALHOST:5000": true,
		"[::ffff:127.0.0.1]:1": true, "unix:/run/reeve.sock": true, "unix:": false,
		"": false, ":5000": false, "127.0.0.1": false, "0.0.0.0:5000": false, "[::]:5000": false,
		"10.0.0.1:5000": false, "host:5000": false, "127.0.0.1.example.org:5000": false, "localhost.example.org:1": false,
	} {
		if got := IsLoopback(addr); got != want {
			t.Errorf("IsLoopback(%q) = %v", addr, got)
		}
	}
}

func TestLoopbackKey_MastersThatStartTogetherAgree(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config", "reeve")
	if _, err := ReadLoopbackKey(dir); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, reeve.ErrKey) {
		t.Fatalf("no key yet: %v", err)
	}
	var wg sync.WaitGroup
	keys := make([]Key, 32)
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = EnsureLoopbackKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	worker, err := ReadLoopbackKey(dir)
	if err != nil || !worker.Generated() {
		t.Fatal(worker, err)
	}
	for _, k := range keys {
		if !bytes.Equal(k.prsBytes(), worker.prsBytes()) {
			t.Error("two masters have different keys")
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if info, err := os.Stat(filepath.Join(dir, loopbackKeyFile)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestLoopbackKey_ADamagedFileIsReportedNotReplaced(t *testing.T) {
	t.Parallel()
	path := keyFile(t, "rvk1.loopback.AAAA\n", 0o600)
	dir := filepath.Dir(path)
	if err := os.Rename(path, filepath.Join(dir, loopbackKeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureLoopbackKey(dir); !errors.Is(err, reeve.ErrKey) {
		t.Errorf("%v", err)
	}
}

func TestAuthkeyValues_FindsTheFlagInEveryForm(t *testing.T) {
	t.Parallel()
	args := []string{"-authkey=prog", "-authkey", "a", "--authkey", "b", "-authkey=c", "--authkey=d", "-authkey-file", "e",
		"authkey", "f", "-v", "--", "-authkey", "g"}
	if got := strings.Join(authkeyValues(args), " "); got != "a b c d" {
		t.Errorf("found %q", got)
	}
	if got := authkeyValues([]string{"prog", "-authkey"}); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	if got := authkeyValues(nil); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

const helperVariable = "REEVE_TEST_SCRUB"

// TestMain lets the test binary stand for a program that was given -authkey.
func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(scrubHelper())
	}
	goleak.VerifyTestMain(m)
}

func scrubHelper() int {
	value := os.Args[len(os.Args)-1]
	key, _, err := KeySource{Flag: value, Getenv: func(string) string { return "" }}.Load()
	if err != nil {
		return 1
	}
	n := ScrubArgs()
	if n > 0 != (runtime.GOOS == "linux") || string(key.m().secret) != "hunter2-and-more" {
		return 2
	}
	out := bufio.NewWriter(os.Stdout)
	if cmdline, err := os.ReadFile("/proc/self/cmdline"); err == nil {
		out.Write(cmdline)
	}
	if out.Flush() != nil {
		return 3
	}
	return 0
}

func TestScrubArgs_TheKeyIsGoneFromTheCommandLineAndStillParsed(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-addr", ":0", "-authkey=hunter2-and-more", "-authkey", "hunter2-and-more")
	cmd.Env = append(os.Environ(), helperVariable+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "hunter2") {
		t.Errorf("the command line is %q", out)
	}
	if runtime.GOOS == "linux" && !strings.Contains(string(out), "-authkey") {
		t.Errorf("the command line is %q: more than the value is gone", out)
	}
}
