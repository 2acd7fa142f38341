// Package record is what the frames of a journal consist of: one record for
// each change of a queue, as bytes and back. A frame begins with a [Head]; each
// record in it has its length and its kind in front, so that one of a later
// version is passed over by who does not know it.
//
// It knows what a record says, not what follows from it: that is the engine's.
package record
