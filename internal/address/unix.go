package address

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Addr is the address of a Unix socket, unix:PATH.
type Addr string

// Network returns "unix".
func (Addr) Network() string { return "unix" }

func (a Addr) String() string { return string(a) }

func addrOf(path string) Addr {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // who reads it may be elsewhere
	}
	return Addr(scheme + path)
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := checkPath(path); err != nil {
		return nil, &net.OpError{Op: "listen", Net: "unix", Err: err}
	}
	// From the look at what is there to the listening no other process may do
	// the same: each would remove the socket that the other has just made.
	defer lockFolder(ctx, filepath.Dir(path))()
	ln, err := bind(ctx, path)
	if err == nil || !exists(path) {
		return ln, explain(err, path)
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	return bind(ctx, path)
}

// bind makes the socket, for its owner only.
func bind(ctx context.Context, path string) (net.Listener, error) {
	lc := net.ListenConfig{Control: private} // so that it never is anybody else's
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := makePrivate(path); err != nil {
		ln.Close()
		return nil, err
	}
	l := &listener{UnixListener: ln.(*net.UnixListener), addr: addrOf(path), path: path}
	if info, err := os.Lstat(path); err == nil && runtime.GOOS != "windows" { // where it is not sure that sockets can be compared
		l.file = info
		l.SetUnlinkOnClose(false)
	}
	return l, nil
}

// exists reports whether there is something at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// removeStale removes a socket that nobody listens on any more.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return &net.OpError{Op: "listen", Net: "unix", Addr: addrOf(path), Err: fmt.Errorf("there is a file, and it is no socket: %w", fs.ErrExist)}
	case answers(ctx, path):
		return inUse(path)
	}
	return os.Remove(path)
}

func inUse(path string) error {
	return &net.OpError{Op: "listen", Net: "unix", Addr: addrOf(path), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
}

// answers reports whether somebody listens on the socket; in doubt, somebody does.
func answers(ctx context.Context, path string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return !isRefused(err)
	}
	c.Close()
	return true
}

func dialUnix(ctx context.Context, d *net.Dialer, path string) (net.Conn, error) {
	if err := checkPath(path); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: err}
	}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, explain(err, path)
	}
	return &conn{c.(*net.UnixConn), addrOf(path)}, nil
}

// listener is a net.UnixListener whose addresses can be dialled. Its Close
// removes the file, unless that is another one by now: whoever takes a listener
// for dead may remove its file and listen there anew.
type listener struct {
	*net.UnixListener
	addr Addr
	path string
	file os.FileInfo // nil: not known, and the UnixListener removes it
	once sync.Once
}

func (l *listener) Close() error {
	l.once.Do(func() {
		if l.file == nil {
			return
		}
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(l.file, now) {
			_ = os.Remove(l.path) // as UnixListener does; that fails if somebody was faster
		}
	})
	return l.UnixListener.Close()
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return &conn{c, l.addr}, nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// conn is a net.UnixConn that is called by its socket at both ends: the dialling
// end of one has no name of its own, and logs would name nothing.
type conn struct {
	*net.UnixConn
	addr Addr
}

func (c *conn) LocalAddr() net.Addr  { return c.addr }
func (c *conn) RemoteAddr() net.Addr { return c.addr }

var (
	_ net.Listener = (*listener)(nil)
	_ net.Conn     = (*conn)(nil)
)
