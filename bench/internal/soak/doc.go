// Package soak has a master work for a long time while everything around it
// fails, and tells whether anything was lost and whether anything grew.
//
// The master is the program itself, with a journal, as a child process; so are
// the workers. Producers, those who take the results and those who use shared
// objects are clients in this process. Everybody reaches the master through a
// link of its own, a small TCP proxy that cuts, stalls and slows connections.
// It measures no speed: producers are paced.
//
// A run has two parts. In the storm, the first 40 percent, the master is
// killed again and again, besides all other faults. In the long part it is left
// alive, which is when its memory can be looked at, while workers are killed,
// connections fail and bursts come as before. Then the faults end, everything
// is to be done, and the book is judged; see book. What may grow, and how
// much, is in growth.
//
// Faults come from a seed: the same one gives the same faults at the same times
// after the start, but not the same order of what processes do meanwhile.
package soak
