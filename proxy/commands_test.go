package proxy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

func TestControl_CarriesOutOneCommandAtATime(t *testing.T) {
	var begun chan reeve.Command
	var goOn chan error
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		if !s.hello.Commands {
			t.Error("the master is not told that it takes commands")
		}
		s.tell(wire.Command{Seq: 1, Kind: "concurrency", Concurrency: 9})
		s.tell(wire.Command{Seq: 2, Kind: "new in a later version"})
		if cmd := <-begun; cmd.Do != reeve.CommandConcurrency || cmd.Concurrency != 9 {
			t.Errorf("%+v", cmd)
		}
		synctest.Wait() // the second waits
		goOn <- nil
		if cmd := <-begun; cmd.Do != "new in a later version" {
			t.Errorf("%+v", cmd)
		}
		if r := <-s.reports; r.Seq != 1 || r.Error != "" || r.Status.Running != 3 {
			t.Errorf("%+v", r)
		}
		goOn <- errors.New("no")
		if r := <-s.reports; r.Seq != 2 || r.Error != "no" || r.Status != nil {
			t.Errorf("%+v", r)
		}

		// Not more than so many wait.
		for seq := range uint64(30) {
			s.tell(wire.Command{Seq: 10 + seq, Kind: "report"})
		}
		<-begun
		synctest.Wait()
		refused := 0
		for len(s.reports) > 0 {
			if r := <-s.reports; strings.Contains(r.Error, "commands that wait") {
				refused++
			}
		}
		if refused < 13 || refused > 14 { // as many wait, and one runs, or is about to
			t.Errorf("%d of 30 are refused", refused)
		}
		// The end of the client ends the one that runs, and drops the others.
		closed := async(func() (int, error) { return 0, c.Close() })
		time.Sleep(10 * time.Second)
		select {
		case <-closed:
			t.Error("Close did not wait for Control to return")
		default:
		}
		goOn <- nil
		await(t, "Close", closed)
	}, func(cfg *proxy.Config) {
		begun, goOn = make(chan reeve.Command), make(chan error) // of the bubble
		cfg.Control = func(_ context.Context, cmd reeve.Command) (*reeve.WorkerStatus, error) {
			begun <- cmd
			if err := <-goOn; err != nil {
				return nil, err
			}
			return &reeve.WorkerStatus{Running: 3}, nil
		}
	})
}

func TestControl_WithoutOneCommandsAreRefused(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		if s.hello.Commands {
			t.Error("the master is told that it takes commands")
		}
		s.tell(wire.Command{Seq: 5, Kind: "drain"})
		if r := <-s.reports; r.Seq != 5 || !strings.Contains(r.Error, reeve.ErrUnsupported.Error()) {
			t.Errorf("%+v", r)
		}
	})
}
