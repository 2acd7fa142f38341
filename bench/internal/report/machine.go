package report

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// ThisMachine is the one that the program runs on, as far as the system tells:
// outside Linux the memory is left out, and the processor is its kind.
func ThisMachine() Machine {
	m := Machine{
		CPU:    cpuName(proc("cpuinfo")),
		Cores:  runtime.NumCPU(),
		Memory: memTotal(proc("meminfo")),
		OS:     osName(read("/etc/os-release"), proc("sys/kernel/osrelease")),
		Go:     runtime.Version(),
	}
	if m.CPU == "" {
		m.CPU = runtime.GOARCH
	}
	return m
}

// String is the machine in one line.
func (m Machine) String() string {
	var parts []string
	for _, s := range []string{m.CPU, fmt.Sprintf("%d cores", m.Cores), number(float64(m.Memory), "B"), m.OS, m.Go} {
		if s != "" && s != "0 B" && s != "0 cores" {
			parts = append(parts, plain(s))
		}
	}
	if len(parts) == 0 {
		return "a machine that is not known"
	}
	return strings.Join(parts, ", ")
}

func proc(name string) string { return read("/proc/" + name) }

// read is what a small file of the system says, or nothing.
func read(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}

// cpuName is the processor's name in the text of /proc/cpuinfo; not every
// architecture tells.
func cpuName(info string) string { return field(info, "model name", ":") }

// memTotal is the memory in bytes in the text of /proc/meminfo.
func memTotal(info string) int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field(info, "MemTotal", ":"), " kB"), 10, 64)
	return kib << 10
}

// osName joins what /etc/os-release and the kernel say.
func osName(release, kernel string) string {
	name := strings.Trim(field(release, "PRETTY_NAME", "="), `"`)
	kernel = strings.TrimSpace(kernel)
	switch {
	case kernel == "":
		return runtime.GOOS
	case name == "":
		return "Linux " + kernel
	}
	return name + ", Linux " + kernel
}

// field is the value of the first line of lines whose key is name.
func field(lines, name, separator string) string {
	for line := range strings.Lines(lines) {
		if key, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
