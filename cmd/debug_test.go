package cmd_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestDebug_MasterAndWorkerTellTheirHealthAndGoroutines(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-debug-addr", "127.0.0.1:0")
	if code, body := get(t, "http://"+m.says(`debug server" addr=(\S+)`)+"/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	w := s.worker(addr, "-debug-addr", "127.0.0.1:0")
	base := "http://" + w.says(`debug server" addr=(\S+)`)
	if code, _ := get(t, base+"/healthz"); code != 200 {
		t.Errorf("%d", code)
	}
	waitFor(t, func() bool {
		code, body := get(t, base+"/debug/pprof/goroutine?debug=2")
		return code == 200 && strings.Contains(body, "worker.(*Worker)")
	})
}
