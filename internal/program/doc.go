// Package program is what the three programs share once their command line is
// read: exit codes, signals, the log, the authkey's sources, the debug server.
//
// It decides nothing about queues and tasks and starts nothing by itself.
package program
