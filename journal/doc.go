// Package journal is the seam between queues and what keeps them: an ordered
// log of frames with one owner, of which nobody but the queues knows what is in
// them. Package file is the one that keeps them in a directory; package
// journaltest proves others.
//
// It knows nothing of tasks, and nothing of who waits for what: many changes are
// gathered into one frame before they come here.
package journal
