package report

import (
	"runtime"
	"strings"
	"testing"
)

func TestMachine_ReadsWhatLinuxTells(t *testing.T) {
	t.Parallel()
	if got := cpuName("processor\t: 0\nmodel\t\t: 17\nmodel name\t: Abacus 9000: fast\n\nmodel name\t: Other\n"); got != "Abacus 9000: fast" {
		t.Errorf("processor %q", got)
	}
	if got := memTotal("MemTotal:       24684084 kB\nMemFree: 1 kB\n"); got != 24684084<<10 {
		t.Errorf("memory %d", got)
	}
	if got := osName("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n", "6.12.0\n"); got != "Debian GNU/Linux 13 (trixie), Linux 6.12.0" {
		t.Errorf("system %q", got)
	}
}

func TestMachine_KnowsAtLeastWhatTheRuntimeDoes(t *testing.T) {
	t.Parallel()
	if cpuName("") != "" || memTotal("") != 0 || osName("", "") != runtime.GOOS {
		t.Error("something was made up")
	}
	m := ThisMachine()
	if m.CPU == "" || m.Cores < 1 || m.OS == "" || !strings.Contains(m.String(), m.Go) {
		t.Errorf("this machine: %+v, %v", m, m)
	}
	if got := (Machine{}).String(); got != "a machine that is not known" {
		t.Errorf("no machine: %q", got)
	}
}
