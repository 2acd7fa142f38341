package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Names of the environment variables that Load reads.
const (
	EnvKey     = "REEVE_AUTHKEY"
	EnvKeyFile = "REEVE_AUTHKEY_FILE"
)

// KeySource is where a program may find its key. The zero KeySource looks at
// the environment only.
type KeySource struct {
	File string // value of -authkey-file; "-" is standard input
	Flag string // value of -authkey

	// FlagSet says that -authkey was given, even if with an empty value: that
	// is an error then, and not "no key".
	FlagSet bool

	Getenv func(string) string // nil means os.Getenv
	Stdin  io.Reader           // nil means os.Stdin
}

// Load reads the key from the one source that is set, and says which
// ("-authkey-file PATH", "REEVE_AUTHKEY_FILE PATH", "REEVE_AUTHKEY" or
// "-authkey"). One line end after the key is dropped. If no source is set the
// key is zero, origin is empty and err is nil.
//
// Two sources are an error, not a precedence: the user believes in one of them.
// So are a source that is set but cannot be read or is empty, a file of more
// than one line, and, except on Windows, a file that group or others may read.
// All are a [*KeyError], which matches reeve.ErrKey and never holds the key.
// Load blocks only on reading the file or standard input.
func (s KeySource) Load() (key Key, origin string, err error) {
	getenv := s.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	type source struct {
		name  string // as the user knows it
		path  string // of a file
		value string // of the key itself
	}
	var set []source
	if s.File != "" {
		set = append(set, source{name: "-authkey-file", path: s.File})
	}
	if v := getenv(EnvKeyFile); v != "" {
		set = append(set, source{name: EnvKeyFile, path: v})
	}
	if v := getenv(EnvKey); v != "" {
		set = append(set, source{name: EnvKey, value: v})
	}
	if s.Flag != "" || s.FlagSet {
		set = append(set, source{name: "-authkey", value: s.Flag})
	}
	switch len(set) {
	case 0:
		return Key{}, "", nil
	case 1:
	default:
		var names []string
		for _, x := range set {
			names = append(names, x.name)
		}
		return Key{}, "", &KeyError{Origin: strings.Join(names, " and "), Problem: "more than one source is set; keep one"}
	}

	origin = set[0].name
	text := []byte(set[0].value)
	if path := set[0].path; path != "" {
		origin += " " + path
		if text, err = s.readFile(path); err != nil {
			return Key{}, origin, &KeyError{Origin: origin, Problem: err.Error(), Err: err}
		}
	}
	key, err = parseLine(text, origin)
	return key, origin, err
}

// readFile reads path, or standard input if it is "-".
func (s KeySource) readFile(path string) ([]byte, error) {
	if path != "-" {
		return readKeyFile(path)
	}
	if s.Stdin == nil {
		return readLimited(os.Stdin)
	}
	return readLimited(s.Stdin)
}

// readKeyFile reads a file that nobody but its owner may read.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat() // of the open file: it cannot be exchanged any more
	if err != nil {
		return nil, withoutPath(err)
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory")
	}
	if err := checkPrivate(info); err != nil {
		return nil, err
	}
	return readLimited(f)
}

// readLimited reads what a key with its line end may take, and no more.
func readLimited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKeyBytes+3))
	if err != nil {
		return nil, withoutPath(err)
	}
	return b, nil
}

// withoutPath drops the path from an error: the origin names it already.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

// parseLine is ParseKey for the one line of a source; errors name the source.
func parseLine(text []byte, origin string) (Key, error) {
	if bytes.HasSuffix(text, []byte("\n")) {
		text = bytes.TrimSuffix(text[:len(text)-1], []byte("\r"))
	}
	if bytes.ContainsAny(text, "\r\n") {
		return Key{}, &KeyError{Origin: origin, Problem: "it has more than one line"}
	}
	key, err := ParseKey(text)
	if e, ok := errors.AsType[*KeyError](err); ok {
		e.Origin = origin
	}
	return key, err
}
