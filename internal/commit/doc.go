// Package commit is group commit: what many have to say is gathered into one
// frame of a journal, and each is told when it is durable. While one frame is
// being written the next one gathers; nobody waits for a timer.
//
// It knows frames and who waits for them, not what is in them.
package commit
