package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/proxy"
)

func TestLink_IsUnhealthyTwoHeartbeatsAfterTheSessionEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := newLink((&program.LogFlags{}).New(&out), false)
		healthy := func(want bool) {
			t.Helper()
			if err := l.health(); (err == nil) != want {
				t.Errorf("%v, want healthy %v", err, want)
			}
		}
		healthy(true)
		time.Sleep(unhealthyAfter + time.Second)
		healthy(false) // never connected
		l.onState(proxy.State{Connected: true, Addr: "m:1"})
		time.Sleep(time.Hour)
		healthy(true)
		for range 5 {
			l.onState(proxy.State{Err: errors.New("refused")})
			time.Sleep(unhealthyAfter/5 + time.Millisecond)
		}
		healthy(false)
		if err := l.health(); !strings.Contains(err.Error(), "refused") {
			t.Errorf("%v", err)
		}
		if n := strings.Count(out.String(), "refused"); n != 1 {
			t.Errorf("said %d times", n)
		}
		l.onState(proxy.State{Connected: true, Addr: "m:1"})
		healthy(true)
	})
}

func TestLink_OnceLeavesAtTheFirstLoss(t *testing.T) {
	t.Parallel()
	l := newLink((&program.LogFlags{}).New(new(bytes.Buffer)), true)
	for range 2 {
		l.onState(proxy.State{Connected: true})
		l.onState(proxy.State{Err: errors.New("gone away")})
	}
	<-l.gone
	if err := l.why(); !strings.Contains(err.Error(), "gone away") {
		t.Errorf("%v", err)
	}
}
