package manager_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
)

// A backup of a master that works, and a master made of it.
func ExampleMaster_Backup() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	m := openMaster(filepath.Join(dir, "data"))
	tasks, err := m.Queue("tasks", reeve.QueueConfig{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tasks.Put(ctx, []reeve.Task{{Payload: []byte("6 times 7")}}); err != nil {
		log.Fatal(err)
	}

	var b bytes.Buffer
	if _, err := m.Backup(ctx, &b); err != nil {
		log.Fatal(err)
	}
	m.Close()

	if err := restore(ctx, &b, filepath.Join(dir, "new")); err != nil {
		log.Fatal(err)
	}
	m = openMaster(filepath.Join(dir, "new"))
	defer m.Close()
	next, err := m.Peek(ctx, "tasks", 1, reeve.NoLimit)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", next[0].Payload)
	// Output:
	// 6 times 7
}

func openMaster(dir string) *manager.Master {
	key, _, err := auth.GenerateKey("example")
	if err != nil {
		log.Fatal(err)
	}
	j, err := file.Open(dir, file.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key, Journal: j})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// restore makes a journal of a backup, as "reeve journal restore" does.
func restore(ctx context.Context, from io.Reader, dir string) error {
	r, err := backup.NewReader(from, "the backup")
	if err != nil {
		return err
	}
	j, err := file.Open(dir, file.Options{})
	if err != nil {
		return err
	}
	defer j.Close()
	for p := journal.Pos(1); ; p++ {
		switch _, frame, err := r.Next(); {
		case err == io.EOF: // it was whole
			return j.Sync(ctx)
		case err != nil:
			return err
		default:
			if err := j.Append(ctx, p, frame, journal.AppendOptions{}); err != nil {
				return err
			}
		}
	}
}
