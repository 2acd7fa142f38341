package main

import (
	"context"

	"github.com/reeveq/reeve"
)

// maxPages bounds the crawl, were the site without end.
const maxPages = 100_000

// crawl has every page that can be reached from root fetched, and calls record
// for each result that comes. It alone decides what is fetched: a page is put
// on the queue when its address is seen for the first time.
func crawl(ctx context.Context, fetch *reeve.TypedQueue[string], pages *reeve.TypedQueue[Page], root string, record func(Page)) error {
	seen := map[string]bool{root: true}
	if _, err := fetch.Put(ctx, root); err != nil {
		return err
	}
	for open := 1; open > 0; open-- {
		page, err := pages.Get(ctx)
		if err != nil {
			return err
		}
		record(page.Value)
		var unseen []string
		for _, link := range page.Value.Links {
			if !seen[link] && len(seen) < maxPages {
				seen[link] = true
				unseen = append(unseen, link)
			}
		}
		if len(unseen) > 0 {
			if _, err := fetch.PutMany(ctx, unseen); err != nil {
				return err
			}
			open += len(unseen)
		}
		if err := page.Ack(ctx); err != nil {
			return err
		}
	}
	return nil
}
