// Package pool calls a function on all workers of a queue, wherever they are,
// as multiprocessing.Pool does on the processes of one machine:
//
//	p, err := pool.New[int, int](c, c.Queue("tasks"), "square", pool.Config{})
//	squares, err := p.Map(ctx, []int{1, 2, 3})
//
// The function is the workers': what package worker has for tasks of the type
// "square". It starts no worker and ships no code. Workers may come and go; the
// pool belongs to whoever made it, and any number of them may share a queue.
//
// Each input is a task, put into the queue like any other, and each task ends
// with a value or an error, always. What a worker that is lost had is run
// again; [reeve.ErrWorkerLost] when its attempts are used up. A handler's error
// or panic is a [*TaskError] with text and stack, after as many attempts as
// Config.Attempts says. Tasks that were cancelled, expired, purged, and those
// that a master does not know any more since it was started again without its
// memory ([reeve.ErrNoSuchTask]) are errors, too, as is a put of which nobody
// knows whether it was carried out ([reeve.ErrOutcomeUnknown]). While there is no
// connection everything waits, as do puts into a queue that is full.
//
// Rules:
//
//   - A pool that has nothing to do has no goroutine. One is not leaked that is
//     forgotten, but what it has put runs to its end: Close and Join, or
//     Terminate.
//   - The ctx of Apply, Map and a loop over Imap is that of the work: what is
//     not done when it ends is cancelled. That of Go, Get, Wait and Join is of
//     that wait only.
//   - Callbacks run in goroutines of their own: none waits for another.
//   - Ends are heard of when they happen. Of more than 512 tasks of one pool at a
//     time, those that end far out of the order in which they were put may be
//     noticed some seconds later.
//   - Dead tasks stay in the queue as dead letters, for whoever looks after it.
//
// # What is what in Python
//
//	Pool(n)                   New; how many run at a time is the workers' Concurrency
//	initializer               worker.Config.Init
//	maxtasksperchild          worker.Config.MaxTasks
//	apply(f, args)            Apply
//	apply_async(f, args)      Go
//	map, map_async            Map, MapAsync
//	starmap, starmap_async    StarMap, StarMapAsync; Args2, Args3
//	imap, imap_unordered      Imap, ImapUnordered
//	callback, error_callback  Future.OnDone
//	get(timeout)              Future.Get, with a ctx
//	wait, ready, successful   Future.Wait, Ready, Successful
//	close, terminate, join    Close, Terminate, Join
//	MaybeEncodingError        reeve.ErrUnserializable here; a TaskError if it is the worker who cannot
package pool
