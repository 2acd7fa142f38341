package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

const (
	loopbackKeyFile = "loopback.key"
	loopbackKeyID   = "loopback"
)

// IsLoopback reports whether addr can be reached from this machine only: it is
// HOST:PORT, and its host is a loopback address or "localhost", or a Unix socket,
// unix:PATH. An empty host and ":5000" mean every interface, so they are not.
func IsLoopback(addr string) bool {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return path != ""
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// LoopbackKeyPath is where the key that a master makes by itself is kept: the
// file loopback.key in dir, or, if dir is empty, in the directory reeve of the
// user's configuration directory.
func LoopbackKeyPath(dir string) (string, error) {
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return "", &KeyError{Origin: loopbackKeyFile, Problem: err.Error(), Err: err}
		}
		dir = filepath.Join(config, "reeve")
	}
	return filepath.Join(dir, loopbackKeyFile), nil
}

// ReadLoopbackKey reads the key that [EnsureLoopbackKey] has made for this
// user. If there is none, the error matches fs.ErrNotExist; every error is a
// [*KeyError].
func ReadLoopbackKey(dir string) (Key, error) {
	path, err := LoopbackKeyPath(dir)
	if err != nil {
		return Key{}, err
	}
	text, err := readKeyFile(path)
	if err != nil {
		return Key{}, &KeyError{Origin: path, Problem: err.Error(), Err: err}
	}
	return parseLine(text, path)
}

// EnsureLoopbackKey reads the key at [LoopbackKeyPath], and makes it first, with
// its directory and for this user's eyes only, if there is none. Masters that
// start at the same moment all get the same key. It is for a master that
// listens on loopback only and was given no key; a worker of the same user then
// finds it with [ReadLoopbackKey].
func EnsureLoopbackKey(dir string) (Key, error) {
	path, err := LoopbackKeyPath(dir)
	if err != nil {
		return Key{}, err
	}
	key, err := ReadLoopbackKey(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createLoopbackKey(path); err != nil {
		return Key{}, &KeyError{Origin: path, Problem: "it cannot be made: " + err.Error(), Err: err}
	}
	return ReadLoopbackKey(dir) // ours, or that of a master that was faster
}

// createLoopbackKey puts a whole new key at path, unless there is one by then.
func createLoopbackKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	_, text, err := GenerateKey(loopbackKeyID)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".loopback-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, does not replace what somebody else put there.
	if err := os.Link(temp.Name(), path); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return createInPlace(path, text) // a file system without links
}

func createInPlace(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintln(f, text); err != nil {
		err = errors.Join(err, f.Close(), os.Remove(path))
		return err
	}
	return f.Close()
}
