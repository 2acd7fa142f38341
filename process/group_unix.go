//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// setGroup keeps a Ctrl-C at the terminal from the child.
func setGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
