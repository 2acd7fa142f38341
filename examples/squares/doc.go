// Package squares is the classic pair of a distributed computation, known from
// tutorials of Python's multiprocessing.managers: one program puts numbers on a
// queue and waits for results on another; a second program, which may run many
// times and on many machines, takes numbers and puts their squares.
//
// Both use the library, none of the ready-made programs. In two terminals:
//
//	go run ./examples/squares/task_master
//	go run ./examples/squares/task_worker
//
// The master waits for the first worker, and prints what comes back.
//
// What differs from Python: to take a number is to lease it. A worker that is
// killed at work loses nothing, the number goes to another one; and the result
// is put in the same step in which the number is done, so that there is exactly
// one. The worker stays when the master ends and serves the next one, until it
// is stopped with Ctrl-C.
//
// The master listens on loopback and both find the same key in the user's
// configuration directory, where the master puts it at its first start. Between
// machines, give both sides one key, as made by "reeve keygen": see package
// auth.
package squares
