package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

func TestBackup_WritesWhatTheMasterGives(t *testing.T) {
	t.Parallel()
	give := func(err error) func(io.Writer) (reeve.BackupInfo, error) {
		return func(w io.Writer) (reeve.BackupInfo, error) {
			if _, err := w.Write([]byte("all\x00 of it")); err != nil {
				return reeve.BackupInfo{}, err
			}
			return reeve.BackupInfo{Frames: 17, Bytes: 10}, err
		}
	}
	s := &stand{backup: give(nil)}
	s.wants(t, []string{"backup"}, 0, "all\x00 of it", "reeve: backed up: 17 frames, 10B\n")
	s.wants(t, []string{"backup", "-json"}, 0, "all\x00 of it", `{"frames":17,"bytes":10}`+"\n")

	s.backup = give(fmt.Errorf("%w: the cable", reeve.ErrDisconnected))
	s.wants(t, []string{"backup"}, 69, "all\x00 of it", "reeve: not connected to the master: the cable; what was written is no backup\n")
	s.backup = func(io.Writer) (reeve.BackupInfo, error) { return reeve.BackupInfo{}, reeve.ErrNoJournal }
	s.wants(t, []string{"backup"}, 78, "", "reeve: the master keeps no journal: it was started without -data DIR\n")
	s.backup = func(io.Writer) (reeve.BackupInfo, error) { return reeve.BackupInfo{}, reeve.ErrUnsupported }
	s.wants(t, []string{"backup"}, 76, "", "reeve: the peer does not know this message\n")
}

// tight is a disk without room.
type tight struct{ room int }

func (f *tight) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func backupTo(t *testing.T, w io.Writer, give func(io.Writer) (reeve.BackupInfo, error)) (code int, stderr string) {
	t.Helper()
	var errs strings.Builder
	tool := &tool{
		stdin: strings.NewReader(""), stdout: w, stderr: &errs, defaultConnect: "127.0.0.1:1",
		getenv: func(name string) string {
			return map[string]string{"REEVE_AUTHKEY": strings.Repeat("long enough ", 4)}[name]
		},
		dial: func(context.Context, string, proxy.Config) (master, error) { return &stand{backup: give}, nil },
	}
	return tool.run(t.Context(), []string{"reeve", "backup"}), errs.String()
}

func TestBackup_ToAFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	code, stderr := backupTo(t, &tight{room: 5}, func(w io.Writer) (reeve.BackupInfo, error) {
		_, err := w.Write([]byte("all of it"))
		return reeve.BackupInfo{}, fmt.Errorf("backup: %w", err)
	})
	if code != 74 || stderr != "reeve: cannot write the output: no space left on device\n" {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestBackup_ItsFileIsForNobodyElse(t *testing.T) {
	t.Parallel()
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "backup"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	code, stderr := backupTo(t, f, func(w io.Writer) (reeve.BackupInfo, error) {
		if info, err := f.Stat(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		n, err := w.Write([]byte("x"))
		return reeve.BackupInfo{Bytes: int64(n)}, err
	})
	if code != 0 {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
