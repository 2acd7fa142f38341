package soak

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// child is a process of the run. It ends by itself when this process does, as
// its standard input then ends.
type child struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	log   *os.File
	ended chan struct{} // closed with err set
	err   error
}

// launch starts a program whose output is appended to the file NAME.log in dir,
// and passed to watch, if there is one.
func launch(dir, name string, cmd *exec.Cmd, watch io.Writer) (*child, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	ownGroup(cmd) // Ctrl-C is for this process, which ends its children in order
	cmd.Stdout, cmd.Stderr = log, log
	if watch != nil {
		cmd.Stderr = io.MultiWriter(log, watch)
	}
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), log.Close())
	}
	c := &child{name: name, cmd: cmd, stdin: stdin, log: log, ended: make(chan struct{})}
	go func() { // ends with the process
		c.err = cmd.Wait()
		_ = log.Close()
		close(c.ended)
	}()
	return c, nil
}

// kill ends the process at once and waits for its end. It reports how it had
// ended if it was not there any more.
func (c *child) kill() error {
	select {
	case <-c.ended:
		return fmt.Errorf("%s (process %d) has ended by itself: %v", c.name, c.cmd.Process.Pid, c.err)
	default:
	}
	_ = c.cmd.Process.Kill() // it may end just now
	<-c.ended
	return nil
}

// stop asks the process to end, by its standard input, and waits for that.
func (c *child) stop() error {
	_ = c.stdin.Close()
	<-c.ended
	return c.err
}
