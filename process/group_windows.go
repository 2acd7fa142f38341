package process

import (
	"os/exec"
	"syscall"
)

// setGroup keeps a Ctrl-C at the console from the child.
func setGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
