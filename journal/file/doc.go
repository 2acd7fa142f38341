// Package file is a journal in a directory: a log in segments, written by one
// process at a time. It survives a power cut, names what is damaged, gives space
// back, and keeps some for the time when a disk is full.
//
// It knows nothing of what is in a frame, repairs no damage, and keeps one copy:
// a disk that dies takes the journal with it. It counts on a disk that keeps
// what a flush has returned for, and on a local file system.
//
// # Files
//
//	0000000000000001.seg  a segment, named by the number of its first frame, in hexadecimal
//	FIRST                 which segment is the first that is kept
//	RESERVE               what the next segment is made of
//	CLEAN                 the journal was closed: what it held then
//	LOCK                  locked by the process that has the journal; holds its number
//	*.tmp                 one of these that is being made; what is left of one is removed
//
// All integers are little-endian, all checksums CRC-32C (Castagnoli). Segments,
// FIRST and CLEAN begin with a block of 64 bytes, in every version:
//
//	 0  8  what it is: REEVESEG, REEVE1ST or REEVECLN
//	 8  4  version of the format: 1
//	12  4  0
//	16  8  number of the journal, chosen at random
//	24 32  four integers, those that are not named: 0
//	         of a segment: its first frame; the first frame of the segment before
//	         (0: it is the first); where the frames of that end
//	         of FIRST: the first frame of the first segment that is kept
//	         of CLEAN: the last frame; the first of its segment; where its frames end
//	56  4  0
//	60  4  checksum of the 60 bytes before
//
// FIRST has it twice, at 0 and at 4096: they are written one after the other.
// RESERVE is nothing but zeros.
//
// A segment's frames begin at 512, each at a multiple of 8, with a header:
//
//	 0  4  RFRM
//	 4  4  checksum of the 32 bytes that follow, changed by the journal's number,
//	       the segment's first frame, and the offset, so that nothing that is
//	       copied elsewhere is taken for a frame
//	 8  4  checksum of the frame
//	12  4  length of the frame
//	16  8  number of the frame
//	24  8  the last frame that was durable when this one was written
//	32  4  1: this is no frame but the seal; else 0
//	36  4  0
//	40     the frame, and zeros up to the next multiple of 8
//
// Behind the last frame are zeros, written ahead. When the next segment has its
// name for good, the seal follows instead.
//
// # Torn or damaged
//
// Frames that were not synced may be lost, or half there, after a power cut. So
// a frame of the last segment that is not whole ends the log, is dropped with
// all behind it, and overwritten before anything else is written; unless
// something says that it was durable: a header behind it, the seal, or CLEAN.
// Then it is damage, and an error. Everything else that is not as it was written
// is damage, too, for it was durable before it had its name: a segment that has
// a successor, a segment's header, a file that is missing.
//
// # Rules
//
//   - What is not durable is at the end of the last segment: a segment is begun
//     when everything before is durable.
//   - A file has its name when what is in it is durable; a name counts when the
//     directory was synced.
//   - Nothing that is durable is overwritten, but FIRST, of which there are two.
//   - No space is needed to end a frame that may use the reserve, nor to trim.
//   - One goroutine, the keeper's, makes the reserve and removes segments. It
//     ends with Close.
package file
