// Package record is what the frames of a journal consist of: one record for
// each change of a queue, as bytes and back. A frame begins with a [Head]; each
// record in it has its length and its kind in front, so that one of a later
// version is passed over by who does not know it.
//
// It knows what a record says, not what follows from it: that is the engine's.
// So it refuses what has not the form of a record, and nothing else: that a
// state or a mode is one of those there are, is for the reader to see.
//
// # Format
//
//	frame   version (1 byte, 1), time (8 bytes), records
//	record  length of kind and fields (uvarint), kind (1 byte), fields
//
// Numbers of fixed width are little-endian: ids and times, 8 bytes, the latter
// in Unix nanoseconds. Other numbers are uvarints, or, if they have a sign,
// zigzag varints; texts and bytes have their length as a uvarint in front. A
// field that is mostly absent has a bit that says that it is there.
//
// What may change within version 1: new kinds, new bits that say what an old
// program may miss, and new fields behind all others of a record; an old
// program passes over them. Everything else needs a new version, which an old
// program refuses ([ErrNewer]).
package record
