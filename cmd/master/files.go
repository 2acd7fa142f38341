package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
)

// files are the input and the output of a batch run.
type files struct {
	in      io.Reader
	out     io.Writer
	size    int64      // of the input; -1: not known
	mu      sync.Mutex // guards closers
	closers []io.Closer
}

// openFiles opens both, or neither: an output is emptied only when there is
// something to put into it.
func openFiles(o *options, std cmdline.IO) (*files, error) {
	f := &files{in: std.In, out: std.Out, size: -1}
	if o.input == "" {
		return f, nil
	}
	var input os.FileInfo
	if o.input != "-" {
		in, err := os.Open(o.input)
		if err != nil {
			return nil, program.Fail(program.ExitNoInput, fmt.Errorf("cannot read the input: %w", err))
		}
		f.in, f.closers = in, append(f.closers, in)
	}
	if in, ok := f.in.(*os.File); ok {
		info, err := in.Stat()
		if err == nil && info.IsDir() {
			f.close()
			return nil, program.Fail(program.ExitNoInput, fmt.Errorf("cannot read the input: %s is a directory", o.input))
		}
		if err == nil && info.Mode().IsRegular() {
			input, f.size = info, info.Size()
		}
	}
	if o.output == "-" {
		return f, nil
	}
	if info, err := os.Stat(o.output); err == nil && input != nil && os.SameFile(info, input) {
		f.close()
		return nil, program.Fail(program.ExitOutput, fmt.Errorf("%s is both input and output", o.output))
	}
	out, err := os.Create(o.output)
	if err != nil {
		f.close()
		return nil, program.Fail(program.ExitOutput, fmt.Errorf("cannot write the output: %w", err))
	}
	f.out, f.closers = out, append(f.closers, out)
	return f, nil
}

// close closes what was opened, once.
func (f *files) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, c := range f.closers {
		errs = append(errs, c.Close())
	}
	f.closers = nil
	return errors.Join(errs...)
}
