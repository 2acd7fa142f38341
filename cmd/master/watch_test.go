package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
)

func TestWatch_SumsUpWhatChangedAndWarnsOfStandstill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, _, err := auth.GenerateKey("test")
		if err != nil {
			t.Fatal(err)
		}
		m, err := manager.New(manager.Config{AuthKey: key})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		q, err := m.Queue("tasks", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		console := program.NewConsole(&out)
		w := newWatch(m, (&program.LogFlags{}).New(console), time.Minute, false)
		said := func(text string) int {
			synctest.Wait()
			n := 0
			console.Update(func() { n = strings.Count(out.String(), text) }) // keeps writers out
			return n
		}
		time.Sleep(10 * time.Minute)
		if said("summary") != 0 {
			t.Error("a summary of nothing")
		}
		if _, err := q.Put(t.Context(), []reeve.Task{{}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if said("tasks.ready=1") != 1 {
			t.Error("no summary")
		}
		time.Sleep(10 * time.Minute)
		if said("no progress") != 1 || said("no worker takes from this queue") != 1 || said("summary") != 1 {
			t.Error("want one warning, with its reason, and no further summary")
		}
		w.stop()
		t.Log(out.String())
	})
}
