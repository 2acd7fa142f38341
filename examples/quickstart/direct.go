package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// list finds the regular files under dir, as absolute paths, and counts those
// that cannot be opened. Without a dir it is the standard library's source.
func list(ctx context.Context, dir string) (files []string, skipped int, err error) {
	if dir == "" {
		root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
		if err != nil {
			return nil, 0, fmt.Errorf("go env GOROOT: %w", err)
		}
		dir = filepath.Join(strings.TrimSpace(string(root)), "src")
	}
	// The root may be a symbolic link, which WalkDir would not follow.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, 0, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, 0, err
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil && path == dir {
			return err
		}
		if err != nil {
			skipped++ // a directory that is closed to us
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			skipped++
			return nil
		}
		files = append(files, path)
		return f.Close()
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no files under %s", dir)
	}
	return files, skipped, err
}

// computeDirectly is what the workers do, without any of them.
func computeDirectly(ctx context.Context, files []string) (map[string]string, error) {
	results := make(map[string]string, len(files))
	for _, file := range files {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		results[file] = fmt.Sprintf("%x %d", sha256.Sum256(content), bytes.Count(content, []byte("\n")))
	}
	return results, nil
}
