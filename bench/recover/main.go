// Command recover measures a restart with a backlog: how long a master takes to
// read its journal, how much memory that takes at most, and what is left on the
// disk when everything is done.
//
//	go run ./recover -tasks 1000000 -data DIR
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/bench/internal/process"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
)

const batch = 1000

func main() {
	n := flag.Int("tasks", 1_000_000, "how many tasks, in thousands")
	size := flag.Int("size", 100, "payload bytes")
	data := flag.String("data", "", "an empty directory for the journal")
	step := flag.String("step", "", "used by the program itself")
	flag.Parse()
	if err := run(*step, *data, *n/batch*batch, *size); err != nil {
		fmt.Fprintln(os.Stderr, "recover:", *step, err)
		os.Exit(1)
	}
}

// run does one step, each in a process of its own: what one took in memory is
// not the other's.
func run(step, data string, n, size int) error {
	if data == "" {
		return fmt.Errorf("-data is missing: an empty directory on the disk to measure")
	}
	if step == "" {
		for _, step := range []string{"put", "recover", "drain"} {
			cmd := exec.Command(os.Args[0], append(os.Args[1:], "-step", step)...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				return err
			}
		}
		return nil
	}
	m, q, err := open(data)
	if err != nil {
		return err
	}
	began := time.Now()
	switch step {
	case "put":
		err = put(q, n, size)
	case "drain":
		err = drain(q, n)
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := m.Close(); err != nil {
		return err
	}
	if step == "recover" {
		took = m.Recovered().Took
		fmt.Printf("%-8s %8d tasks ", step, m.Recovered().Tasks)
	} else {
		fmt.Printf("%-8s %8d tasks ", step, n)
	}
	disk, err := diskBytes(data)
	fmt.Printf("in %8v, %s, %4d MB on the disk\n", took.Round(time.Millisecond), peak(), disk>>20)
	return err
}

func open(data string) (*manager.Master, reeve.Queue, error) {
	key, _, err := auth.GenerateKey("recover")
	if err != nil {
		return nil, nil, err
	}
	j, err := file.Open(data, file.Options{})
	if err != nil {
		return nil, nil, err
	}
	m, err := manager.New(manager.Config{AuthKey: key, Journal: j})
	if err != nil {
		return nil, nil, err
	}
	q, err := m.Queue("tasks", reeve.QueueConfig{})
	return m, q, err
}

func put(q reeve.Queue, n, size int) error {
	tasks := make([]reeve.Task, batch)
	for i := range tasks {
		tasks[i].Payload = make([]byte, size)
	}
	for range n / batch {
		if _, err := q.Put(context.Background(), tasks); err != nil {
			return err
		}
	}
	return nil
}

func drain(q reeve.Queue, n int) error {
	acks := make(chan error, batch)
	for n > 0 {
		leases, err := q.Get(context.Background(), batch)
		if err != nil {
			return err
		}
		for _, l := range leases {
			l.Settle(&reeve.Outcome{Verb: reeve.Ack}, func(err error) { acks <- err })
		}
		for range leases {
			if err := <-acks; err != nil {
				return err
			}
		}
		n -= len(leases)
	}
	return nil
}

// diskBytes is what the files in dir take.
func diskBytes(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// peak is the most memory that the process had, where the system tells.
func peak() string {
	u, err := process.Tree(os.Getpid())
	if err != nil {
		return "memory not known"
	}
	return fmt.Sprintf("%4d MB of memory at most", u.Peak>>20)
}
