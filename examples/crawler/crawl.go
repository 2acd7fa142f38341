package main

import (
	"context"
	"errors"

	"github.com/reeveq/reeve"
)

// crawl has every page that can be reached from root fetched, and calls record
// for each result that comes.
func crawl(ctx context.Context, fetch *reeve.TypedQueue[string], pages *reeve.TypedQueue[Page], root string, record func(Page)) error {
	if err := add(ctx, fetch, []string{root}); err != nil {
		return err
	}
	over := make(chan error, 1)
	go func() { // until ctx ends at the latest
		// The links of a page are put before it is done. So when everything on
		// the queue is done, nothing more can come to it.
		err := fetch.Join(ctx)
		if err == nil {
			err = pages.Shutdown(ctx, false)
		}
		over <- err
	}()
	for {
		page, err := pages.Get(ctx)
		if errors.Is(err, reeve.ErrShutdown) {
			return <-over
		}
		if err != nil {
			return err
		}
		record(page.Value)
		if err := page.Ack(ctx); err != nil {
			return err
		}
	}
}
