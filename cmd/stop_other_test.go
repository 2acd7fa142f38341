//go:build !unix

package cmd_test

// askToEnd kills the program: its job object ends the commands that it runs.
func (p *process) askToEnd() { _ = p.cmd.Process.Kill() }
