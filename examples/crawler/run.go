package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
)

// fatal is the request whose sender is killed.
const fatal = 100

// run serves the site, hosts the master, starts the workers, crawls and checks.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	key, secret, err := auth.GenerateKey("crawler")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	for name, cfg := range map[string]reeve.QueueConfig{"fetch": frontier, "pages": {}} {
		if _, err := m.Queue(name, cfg); err != nil {
			return err
		}
	}
	fetch, err := manager.QueueOf[string](m, "fetch")
	if err != nil {
		return err
	}
	pages, err := manager.QueueOf[Page](m, "pages")
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go m.Serve(ctx, ln) // until m is closed

	t, err := startTeam(ctx, ln.Addr().String(), secret, cancel)
	if err != nil {
		return err
	}
	defer t.close()

	s, err := newSite()
	if err != nil {
		return err
	}
	s.before = func(worker string, n int) {
		if n == fatal {
			fmt.Fprintf(out, "request %d is from %s, which is killed\n", n, worker)
			t.kill(worker)
		}
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s}
	defer server.Close()
	go server.Serve(web) // until Close
	root := "http://" + web.Addr().String() + "/"
	fmt.Fprintf(out, "crawling %s with %d workers\n", root, workers)

	recorded := map[string][]Page{}
	err = crawl(ctx, fetch, pages, root, func(p Page) { recorded[p.URL] = append(recorded[p.URL], p) })
	if err == nil {
		err = t.dismiss(ctx, fetch)
	}
	var stats reeve.QueueStats
	if err == nil {
		stats, err = fetch.Stats(ctx)
	}
	if ctx.Err() != nil {
		// A worker has ended, or the time is over.
		return fmt.Errorf("after %d pages and %d requests: %w", len(recorded), s.served(), context.Cause(ctx))
	}
	if err != nil {
		return err
	}
	return report(out, s, root, recorded, t.killed(), int(stats.Redelivered))
}
