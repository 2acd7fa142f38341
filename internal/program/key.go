package program

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// KeyFlags are the flags of the authkey.
type KeyFlags struct {
	file, key string
}

// Flags are the command line's.
func (k *KeyFlags) Flags() []cli.Flag {
	return []cli.Flag{
		cmdline.String("authkey-file", &k.file, "read the authkey from `FILE` (- is standard input); also REEVE_AUTHKEY_FILE"),
		cmdline.String("authkey", &k.key, "the authkey is `KEY`; also REEVE_AUTHKEY, which other users cannot see"),
	}
}

// Env is where a program looks beside its command line.
type Env struct {
	Getenv func(string) string
	Stdin  io.Reader
}

// ErrNoKey is the error of a program that needs an authkey and was given none.
var ErrNoKey = errors.New("no authkey")

// MasterKey is the key of a master that listens on addr. Given none, a master
// that only this machine can reach makes one for this user, and any other
// refuses with [ErrNoKey]. A weak key, and one that ps shows, is warned of.
func (k *KeyFlags) MasterKey(cmd *cli.Command, env Env, addr string, log *Log) (auth.Key, error) {
	key, err := k.load(cmd, env, log)
	if err != nil {
		return auth.Key{}, err
	}
	local := auth.IsLoopback(addr)
	switch {
	case key.IsZero() && local:
		if key, err = ownKey(); err != nil {
			return auth.Key{}, err
		}
		path, _ := auth.LoopbackKeyPath("")
		log.Debug("no authkey was given: using this user's own", "file", path)
	case key.IsZero():
		return auth.Key{}, Fail(ExitConfig, fmt.Errorf("%w: %s can be reached from other machines, so a key is needed. "+
			"Make one with 'reeve keygen > reeve.key' (mode 0600) and give -authkey-file reeve.key to the master and to every worker, "+
			"or listen on 127.0.0.1 only", ErrNoKey, addr))
	case !local && key.Weak():
		text, err := auth.WeakKeyWarning()
		if err != nil {
			return auth.Key{}, err
		}
		log.Announce(strings.TrimSuffix(text, "\n"))
	}
	return key, nil
}

// ClientKey is the key of a program that connects to addrs, with commas
// between them. Given none, and only addresses of this machine, it is the key
// that this user's masters make; it is made here when the master has not
// started yet. Otherwise [ErrNoKey].
func (k *KeyFlags) ClientKey(cmd *cli.Command, env Env, addrs string, log *Log) (auth.Key, error) {
	key, err := k.load(cmd, env, log)
	if err != nil || !key.IsZero() {
		return key, err
	}
	for addr := range strings.SplitSeq(addrs, ",") {
		if !auth.IsLoopback(strings.TrimSpace(addr)) {
			return auth.Key{}, Fail(ExitConfig, fmt.Errorf("%w: give the master's with -authkey-file FILE, REEVE_AUTHKEY_FILE or REEVE_AUTHKEY", ErrNoKey))
		}
	}
	return ownKey()
}

// Path is the file that holds the key: the one that was given, or, if no key
// was, that of this user's own; empty if it is in no file.
func (k *KeyFlags) Path(env Env) string {
	file := cmp.Or(k.file, env.Getenv(auth.EnvKeyFile))
	switch {
	case file == "-":
		return ""
	case file != "":
		return file
	case k.key != "" || env.Getenv(auth.EnvKey) != "":
		return ""
	}
	path, _ := auth.LoopbackKeyPath("") // what is wrong shows when the key is needed
	return path
}

// FromInput reports whether the key is read from the standard input.
func (k *KeyFlags) FromInput(env Env) bool { return cmp.Or(k.file, env.Getenv(auth.EnvKeyFile)) == "-" }

// ownKey is the key of this user's programs on this machine.
func ownKey() (auth.Key, error) {
	key, err := auth.EnsureLoopbackKey("")
	if err != nil {
		return auth.Key{}, fmt.Errorf("%w; it is needed because no authkey was given: -authkey-file FILE, REEVE_AUTHKEY_FILE or REEVE_AUTHKEY gives one", err)
	}
	return key, nil
}

func (k *KeyFlags) load(cmd *cli.Command, env Env, log *Log) (auth.Key, error) {
	if k.file == "" && cmd.IsSet("authkey-file") {
		return auth.Key{}, &auth.KeyError{Origin: "-authkey-file", Problem: "the name of the file is empty"}
	}
	key, origin, err := auth.KeySource{
		File: k.file, Flag: k.key, FlagSet: cmd.IsSet("authkey"), Getenv: env.Getenv, Stdin: env.Stdin,
	}.Load()
	if err != nil {
		return auth.Key{}, explain(err)
	}
	if origin == "-authkey" {
		auth.ScrubArgs()
		log.Warn("-authkey can be seen in the shell's history and, for a moment, in the list of processes: REEVE_AUTHKEY and -authkey-file cannot")
	}
	if key.NonASCII() {
		log.Warn("the authkey has characters that other systems may write in other bytes; ASCII is safe")
	}
	return key, nil
}

// explain adds the cure where it is the same for everybody.
func explain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (make a key with: reeve keygen)", err)
	}
	return err
}
