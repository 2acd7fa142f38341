package main

import (
	"context"
	"net/url"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/canonical"
)

// What one host is asked of, at most: so many requests at a time, and so many a
// second.
const (
	perHost   = 6
	perSecond = 200
)

// frontier is how the queue "fetch" behaves: the pages that are known and not
// fetched. The address's host is a task's key.
var frontier = reeve.QueueConfig{
	KeyConcurrency: perHost,
	KeyRate:        reeve.Rate{Tasks: perSecond, Burst: perHost},
}

// add puts those of the addresses on the queue "fetch" that never were on it:
// it keeps their unique keys for as long as it lives. Two workers that find the
// same link at the same time put it once, and so does one that is asked to
// fetch a page again.
func add(ctx context.Context, fetch *reeve.TypedQueue[string], addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	tasks := make([]reeve.Task, len(addresses))
	for i, a := range addresses {
		u, err := url.Parse(a)
		if err != nil {
			return err
		}
		payload, err := fetch.Encode(a)
		if err != nil {
			return err
		}
		tasks[i] = reeve.Task{Payload: payload, Rules: &reeve.Rules{
			Key: u.Host, Unique: canonical.Key(a), UniqueMode: reeve.UniqueForTime,
		}}
	}
	_, err := fetch.Raw().Put(ctx, tasks, reeve.IgnoreDuplicates())
	return err
}
