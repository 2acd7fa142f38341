//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// group is the process group that a command leads.
type group struct{ cmd *exec.Cmd }

func newGroup(cmd *exec.Cmd) *group {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return &group{cmd}
}

func (g *group) started()   {}
func (g *group) terminate() { g.signal(syscall.SIGTERM) }
func (g *group) kill()      { g.signal(syscall.SIGKILL) }
func (g *group) close()     {}

// signal reaches every process of the group; that there may be none left is
// no error.
func (g *group) signal(s syscall.Signal) {
	if p := g.cmd.Process; p != nil {
		_ = syscall.Kill(-p.Pid, s)
	}
}
