package address_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/address"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socket is the path of a socket that is not there yet.
func socket(t *testing.T) string { return filepath.Join(t.TempDir(), "s") }

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	ln, err := address.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// leave makes a socket file as a process leaves it that is killed.
func leave(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
}

// greets checks that what ln accepts is what addr leads to.
func greets(t *testing.T, ln net.Listener, addr string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_, err = c.Write([]byte("hello"))
			c.Close()
		}
		sent <- err
	}()
	c, err := address.Dial(t.Context(), addr, time.Minute)
	if err != nil {
		ln.Close()
		<-sent
		t.Fatal(err)
	}
	defer c.Close()
	got, err := io.ReadAll(c)
	if err := errors.Join(err, <-sent); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListen_ItsAddressCanBeDialled(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "unix:" + socket(t)} {
		ln := listen(t, addr)
		greets(t, ln, ln.Addr().String())
	}
}

func TestUnix_BothEndsAreCalledByTheSocket(t *testing.T) {
	t.Parallel()
	want := "unix:" + socket(t)
	ln := listen(t, want)
	near, err := address.Dial(t.Context(), want, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	for _, a := range []net.Addr{ln.Addr(), near.LocalAddr(), near.RemoteAddr(), far.LocalAddr(), far.RemoteAddr()} {
		if a.String() != want || a.Network() != "unix" {
			t.Errorf("%s %s", a.Network(), a)
		}
	}
}

func TestUnix_TheFileIsItsOwnersOnlyAndGoesWithTheListener(t *testing.T) {
	t.Parallel()
	path := socket(t)
	ln := listen(t, "unix:"+path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSocket == 0 {
		t.Fatalf("%v, %v", info, err)
	}
	if mode := info.Mode().Perm(); filepath.Separator == '/' && mode != 0o600 {
		t.Errorf("mode %v", mode)
	}
	ln.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}

func TestUnix_ASocketLeftBehindIsReplaced(t *testing.T) {
	t.Parallel()
	path := socket(t)
	leave(t, path)
	greets(t, listen(t, "unix:"+path), "unix:"+path)
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) > 1 {
		t.Errorf("left over: %v, %v", files, err)
	}
}

func TestUnix_CloseLeavesTheSocketOfAnotherAlone(t *testing.T) {
	t.Parallel()
	path := socket(t)
	first := listen(t, "unix:"+path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := listen(t, "unix:"+path)
	for range 2 {
		first.Close()
	}
	if filepath.Separator == '/' {
		greets(t, second, "unix:"+path)
	}
}

func TestUnix_ASocketInUseIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := socket(t)
	first := listen(t, "unix:"+path)
	if ln, err := address.Listen(t.Context(), "unix:"+path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("a second listener: %v, %v", ln, err)
	}
	c, err := first.Accept() // the second one's question whether somebody is there
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	greets(t, first, "unix:"+path)
}

func TestUnix_AFileThatIsNoSocketIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := socket(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := address.Listen(t.Context(), "unix:"+path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestUnix_OfManyThatStartTogetherOneListens lets them find the same socket
// left behind.
func TestUnix_OfManyThatStartTogetherOneListens(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := socket(t)
		leave(t, path)
		var mu sync.Mutex
		var won []net.Listener
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				ln, err := address.Listen(t.Context(), "unix:"+path)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, ln)
				} else if !errors.Is(err, syscall.EADDRINUSE) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d listen", len(won))
		}
		for _, ln := range won {
			ln.Close()
		}
	}
}

func TestUnix_PathsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "@name", "a\x00b", strings.Repeat("x", 200)} {
		if ln, err := address.Listen(t.Context(), "unix:"+path); err == nil {
			ln.Close()
			t.Errorf("listens on %q", path)
		}
		var op *net.OpError
		_, err := address.Dial(t.Context(), "unix:"+path, time.Minute)
		if !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("dial %q: %v", path, err)
		}
		if len(path) > 100 && !strings.Contains(err.Error(), "200 bytes") {
			t.Errorf("%v does not tell what is wrong", err)
		}
	}
}
