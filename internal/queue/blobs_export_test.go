package queue

import "github.com/reeveq/reeve"

// Named are how often blobs are named, by the engine's tasks and by what it keeps
// of results.
func (e *Engine) Named() map[reeve.BlobHash]int {
	named := map[reeve.BlobHash]int{}
	for _, q := range e.all() {
		q.mu.Lock()
		for t := range q.tasks.all() {
			for _, r := range t.blobs() {
				named[r.Hash]++
			}
		}
		for _, refs := range q.results.blobs {
			for _, r := range refs {
				named[r.Hash]++
			}
		}
		q.mu.Unlock()
	}
	return named
}
