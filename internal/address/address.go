// Package address understands the addresses that masters listen on and clients
// connect to: HOST:PORT is TCP, unix:PATH is a Unix socket.
//
// It makes plain listeners and connections and knows nothing of keys (package
// auth) or of what is sent over them. What it adds for Unix sockets: a socket
// file is its owner's only, one that a killed process has left behind is
// replaced, one that somebody listens on is not, and the texts of addresses
// can be dialled as they are.
package address

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const scheme = "unix:"

// Path is the path of a unix: address; false if addr is another one.
func Path(addr string) (string, bool) { return strings.CutPrefix(addr, scheme) }

// Check refuses what is neither HOST:PORT, where HOST may be empty and PORT a
// name, nor unix:PATH.
func Check(addr string) error {
	if path, ok := Path(addr); ok {
		return checkPath(path)
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		if n, notNumber := strconv.Atoi(port); port != "" && (notNumber != nil || n >= 0 && n <= 65535) {
			return nil // the name of a port is looked up
		}
	}
	return errors.New("want HOST:PORT, as 127.0.0.1:5000 or [::1]:5000, or unix:PATH")
}

// Listen listens on addr. ctx is for the resolving of its host only. For a Unix
// socket the error matches syscall.EADDRINUSE when somebody listens there.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if path, ok := Path(addr); ok {
		return listenUnix(ctx, path)
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// Dial connects to addr; it takes as long as timeout lets it, or ctx.
func Dial(ctx context.Context, addr string, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	if path, ok := Path(addr); ok {
		return dialUnix(ctx, &d, path)
	}
	return d.DialContext(ctx, "tcp", addr)
}

// maxPath is how long the path of a socket may be on every system.
const maxPath = 103

func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("want the path of a socket, as unix:/run/reeve.sock")
	case path[0] == '@' || strings.IndexByte(path, 0) >= 0:
		// The system would take it for a name without a file, which everybody
		// on the machine may connect to.
		return errors.New("want the path of a socket file, as unix:/run/reeve.sock")
	}
	return nil
}

// explain tells of a path that is too long, of which the system says that it
// is invalid.
func explain(err error, path string) error {
	if len(path) > maxPath && errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%w (the path has %d bytes; that of a socket may have %d on some systems)", err, len(path), maxPath)
	}
	return err
}
