// Package journaltest proves journals, and what stands above them.
//
//	Run      the suite that every journal has to pass; a user's own, too
//	Memory   a journal in memory that can crash, fail, be full and be held up,
//	         and that tells its caller's mistakes, for tests of what uses one
//	Bench    commits of a journal in files against those of a bare file
//
// It has no journal to run a master with: what is in a Memory ends with it.
package journaltest
