package main

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestChecksum_PrintsOneLinePerFileInOrder(t *testing.T) {
	t.Parallel()
	files := map[string]string{"empty": "", "no line end": "x", "sub/{} $HOME 'quoted'.txt": "one\ntwo\n", "sub/-file": "-\n"}
	for i := range 40 {
		files[fmt.Sprintf("many/%02d", i)] = strings.Repeat("line\n", i*1000)
	}
	dir, err := filepath.EvalSymlinks(exampletest.Tree(t, files))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		want = append(want, fmt.Sprintf("%x %d %s", sha256.Sum256([]byte(content)), strings.Count(content, "\n"), path))
	}
	slices.SortFunc(want, func(a, b string) int { return strings.Compare(a[strings.Index(a, dir):], b[strings.Index(b, dir):]) })

	u := exampletest.New(t, "checksum")
	stdout, stderr, code := u.Run("checksum", dir)
	got := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if code != 0 || !slices.Equal(got, want) {
		t.Errorf("exit code %d, got:\n%s\nwant:\n%s\n%s", code, stdout, strings.Join(want, "\n"), stderr)
	}
}

func TestChecksum_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "checksum")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "usage: "},
		{[]string{"a", "b"}, 2, "usage: "},
		{[]string{"-workers", "0", "a"}, 2, "usage: "},
		{[]string{"no-such-directory"}, 1, "no-such-directory"},
		{[]string{"-file", "no-such-file"}, 1, "no-such-file"},
	} {
		if stdout, stderr, code := u.Run("checksum", c.args...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
}
