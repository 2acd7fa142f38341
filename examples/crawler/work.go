package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// Page is what a worker found at one address.
type Page struct {
	URL    string
	Status int    // of the answer; 0: there was none
	Title  string // of an HTML page
	Error  string // why there was no answer
}

const (
	maxBody  = 4 << 20                // bytes read of a page
	attempts = 3                      // to get an answer
	pause    = 200 * time.Millisecond // between them, at least
)

// work is a worker process: it fetches pages until the queue "fetch" is shut
// down and empty, or ctx ends.
func work(ctx context.Context, master, name string) error {
	key, _, err := auth.KeySource{}.Load()
	if err != nil {
		return err
	}
	c, err := proxy.Dial(ctx, master, proxy.Config{AuthKey: key, Name: name})
	if err != nil {
		return err
	}
	defer c.Close()
	return newWorker(c, name).Run(ctx)
}

// newWorker makes what a worker process runs.
func newWorker(c *proxy.Client, name string) *worker.Worker {
	queue := proxy.QueueOf[string](c, "fetch")
	w := worker.New(queue, worker.Config{Concurrency: 4, Results: "pages"})
	worker.HandleDefault(w, func(ctx context.Context, address string) (Page, error) {
		p, links, err := fetch(ctx, address, name)
		if err == nil {
			// First the links, then the page: see crawl.
			return p, add(ctx, queue, links)
		}
		// The last attempt ends with a record too: whoever waits for this page
		// learns that there is none.
		if task, ok := worker.TaskFrom(ctx); ok && task.Attempt >= attempts {
			return Page{URL: address, Error: err.Error()}, nil
		}
		return Page{}, worker.RetryAfter(err, pause)
	})
	return w
}

var client = &http.Client{
	Timeout: 30 * time.Second,
	// A redirect is a link like any other: its target may have been seen.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// fetch gets one page and reads it. The links are addresses on the same host.
func fetch(ctx context.Context, address, name string) (p Page, links []string, err error) {
	at, err := url.Parse(address)
	if err != nil {
		return Page{}, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Page{}, nil, err
	}
	req.Header.Set("User-Agent", name)
	resp, err := client.Do(req)
	if err != nil {
		return Page{}, nil, err
	}
	defer resp.Body.Close()
	p = Page{URL: address, Status: resp.StatusCode}
	body := io.LimitReader(resp.Body, maxBody)
	switch {
	case resp.StatusCode == http.StatusOK:
		p.Title, links, err = read(body, at)
	case resp.Header.Get("Location") != "":
		if link, ok := resolve(at, resp.Header.Get("Location"), at.Host); ok {
			links = []string{link}
		}
	}
	return p, links, err
}
