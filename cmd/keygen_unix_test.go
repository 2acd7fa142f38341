//go:build unix

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestKeygen_MakesTheFileItIsSentToPrivate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := filepath.Join(s.dir, "reeve.key")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Chmod(0o644); err != nil { // as a shell does
		t.Fatal(err)
	}
	keygen := exec.CommandContext(t.Context(), filepath.Join(bin, "reeve"), "keygen")
	keygen.Env, keygen.Stdout = s.env, file
	if err := keygen.Run(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	_, addr := s.master("-authkey-file", path)
	s.run("", "reeve", "ls", "-connect", addr, "-authkey-file", path).wants(0)
}

func TestKeys_WithoutAHomeTheTextSaysHowToGiveOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.with("HOME=", "XDG_CONFIG_HOME=").run("", "master", "-addr", "127.0.0.1:0").wants(78, "no authkey was given", "-authkey-file FILE")
}
