package soak

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/reeveq/reeve/bench/internal/process"
)

// Sample is what the master takes at one moment. Heap and goroutines are what
// its debug address tells, the rest is from /proc and its directory.
type Sample struct {
	At         time.Duration `json:"at_ns"` // since the start
	RSS        int64         `json:"rss"`
	Heap       int64         `json:"heap"` // in use after a collection
	Goroutines int           `json:"goroutines"`
	Files      int           `json:"files"` // descriptors
	Disk       int64         `json:"disk"`  // of the directory with its journal
}

var (
	heapAlloc  = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)
	goroutines = regexp.MustCompile(`(?m)^goroutine profile: total (\d+)$`)
)

// sample looks at the master.
func (m *master) sample(ctx context.Context) (s Sample, err error) {
	heap, err := m.profile(ctx, "heap?gc=1&debug=1", heapAlloc)
	if err != nil {
		return s, err
	}
	running, err := m.profile(ctx, "goroutine?debug=1", goroutines)
	if err != nil {
		return s, err
	}
	pid := m.pid()
	usage, err := process.Tree(pid)
	if err != nil {
		return s, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return s, err
	}
	return Sample{RSS: usage.RSS, Heap: heap, Goroutines: int(running), Files: len(files), Disk: diskOf(filepath.Join(m.dir, "data"))}, nil
}

// profile asks the debug address for a profile and returns the number that is
// wanted of it.
func (m *master) profile(ctx context.Context, path string, number *regexp.Regexp) (int64, error) {
	ctx, end := context.WithTimeout(ctx, 10*time.Second)
	defer end()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.debug+"/debug/pprof/"+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return 0, err
	}
	found := number.FindSubmatch(body)
	if found == nil {
		return 0, fmt.Errorf("%s does not tell %v: %.200q", path, number, body)
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}

// diskOf is what the files of a directory take; those that go meanwhile do not
// count.
func diskOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
