// Package workload makes up the work that systems are measured with, has client
// processes do it, and measures them and the server. It knows no system: see
// package system. Whoever runs it decides what is measured how often; see
// package report for what becomes of the figures.
//
// A measurement starts a server of its own and the client processes that the
// workload needs, which are this program again in the role of a client: orders
// and reports go over their standard input and output, one JSON object a line.
// They end with their input, so that none is left behind.
package workload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/reeveq/reeve/bench/internal/process"
	"github.com/reeveq/reeve/bench/internal/system"
)

// Workload is one kind of work.
type Workload struct {
	Name  string // in flags and tables: "pipeline-4"
	About string
	// fits returns why a system is not measured with it, an error that wraps
	// system.ErrUnsupported; nil: all are.
	fits       func(system.System) error
	transports bool // those that are a system.Transport are measured with it, and no others
	disks      bool // those that are a system.Disk are measured with it, too
	settings   system.Settings
	measure    func(ctx context.Context, m *Measurement) error
}

// All are the workloads, in the order of the tables.
func All() []Workload {
	return append([]Workload{
		rtt(),
		pipeline(1),
		pipeline(4),
		payload(),
		backlog(),
		idle(1000),
		idle(5000),
		durable(),
		objects(),
		scaling(),
	}, limits()...)
}

// Fits returns nil if s can be measured with the workload, else why not, an
// error that wraps system.ErrUnsupported.
func (w Workload) Fits(s system.System) error {
	_, transport := s.(system.Transport)
	_, disk := s.(system.Disk)
	if transport != w.transports || disk && !w.disks {
		return fmt.Errorf("%s is of transports, of disks or of queues: %w", w.Name, system.ErrUnsupported)
	}
	if w.fits == nil {
		return nil
	}
	return w.fits(s)
}

// Figure is one figure of a measurement. The fields are those of
// report.Measure.
type Figure struct {
	Metric, Unit string
	Lower, Main  bool
	Value        float64
}

// Measurement is one system doing one workload once.
type Measurement struct {
	System system.System
	Tasks  int           // how many tasks or items; 0: as many as take Time
	Time   time.Duration // what is measured takes about so long, if Tasks is 0
	Dir    string        // an empty directory for the server
	Log    *os.File      // takes what the server and the clients print
	// Profile is the beginning of the names of files that take CPU profiles of
	// the server, if it can write one, and of the clients. Empty: none.
	Profile string

	Version string // of the server; set by Measure
	Figures []Figure
	Left    []string // what of it could not be measured, and why

	server  *system.Server
	clients []*client
	failed  chan error // the first failure of a client; cap 1
}

// Measure starts the server, does the work, and stops everything that it has
// started. It ends, with an error, when ctx does.
func (w Workload) Measure(ctx context.Context, m *Measurement) (err error) {
	if err := w.Fits(m.System); err != nil {
		return err
	}
	set := w.settings
	set.Dir, set.Log = m.Dir, m.Log
	if m.Profile != "" {
		set.Profile = m.Profile + ".server.pprof"
	}
	start, cancel := context.WithTimeout(ctx, system.StartTimeout)
	defer cancel()
	if m.server, err = m.System.Start(start, set); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	m.Version, m.failed = m.server.Version, make(chan error, 1)
	defer func() {
		if m.Profile != "" && m.server.Snapshot != nil {
			err = errors.Join(err, m.server.Snapshot())
		}
		for _, c := range m.clients {
			c.stop()
		}
		err = errors.Join(err, m.server.Stop())
	}()
	return w.measure(ctx, m)
}

func (m *Measurement) add(f Figure) { m.Figures = append(m.Figures, f) }

// usage is what the server and the clients have taken until now; nothing where
// the machine does not tell.
func (m *Measurement) usage() (server, clients process.Usage, err error) {
	if server, err = process.Tree(m.server.PID); err != nil {
		return server, clients, err
	}
	for _, c := range m.clients {
		u, err := process.Tree(c.cmd.Process.Pid)
		if err != nil {
			return server, clients, err
		}
		clients.CPU += u.CPU
	}
	return server, clients, nil
}

// ifKnown adds figures that the machine has told, if it has.
func (m *Measurement) ifKnown(known error, add func() error) error {
	if known != nil {
		m.Left = append(m.Left, known.Error())
		return nil
	}
	return add()
}

func (m *Measurement) profileOf(client string) string {
	if m.Profile == "" {
		return ""
	}
	return filepath.Clean(m.Profile + "." + client + ".pprof")
}
