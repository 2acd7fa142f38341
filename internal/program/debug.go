package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/address"
)

// DebugUsage is the help text of -debug-addr.
const DebugUsage = "answer HTTP on `HOST:PORT` (loopback only): /healthz, /debug/pprof/,\n" +
	"and all goroutines at /debug/pprof/goroutine?debug=2"

// CheckDebugAddr refuses an address that other machines can reach; an empty
// one is none.
func CheckDebugAddr(addr string) error {
	if addr == "" || auth.IsLoopback(addr) {
		return nil
	}
	return fmt.Errorf("-debug-addr %s: want a loopback address, as 127.0.0.1:6060: profiles are for this machine only", addr)
}

// ServeDebug answers HTTP on addr, which [CheckDebugAddr] must accept, until
// stop is called: /healthz, which is 200 while health returns nil and 503 with
// its text otherwise, and Go's profiles under /debug/pprof/. An empty addr
// serves nothing. health must be safe for concurrent use.
func ServeDebug(ctx context.Context, addr string, log *Log, health func() error) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	if err := CheckDebugAddr(addr); err != nil {
		return nil, err
	}
	ln, err := Listen(ctx, addr, "-debug-addr")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: debugHandler(health), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { // joined by stop
		defer close(done)
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("debug server ended", "err", err)
		}
	}()
	log.Info("debug server", "addr", ln.Addr().String())
	return func() { _ = srv.Close(); <-done }, nil
}

func debugHandler(health func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := health(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", http.NotFound) // may hold the authkey
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A web page may have its own name lead here, but not this one.
		_, other := address.Path(r.Host) // a host that is called unix
		if other || !auth.IsLoopback(r.Host) && !auth.IsLoopback(r.Host+":80") {
			http.Error(w, "ask for localhost or a loopback address", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
