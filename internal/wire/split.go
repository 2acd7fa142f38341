package wire

import "encoding/binary"

// SplitFrame splits what [Builder.Take] returned into its first frame, header
// included, and the rest. Both are nil when buf is empty.
func SplitFrame(buf []byte) (frame, rest []byte) {
	if len(buf) < HeaderLen {
		return nil, nil
	}
	end := min(HeaderLen+int(binary.BigEndian.Uint32(buf)), len(buf))
	return buf[:end:end], buf[end:]
}

// SplitRun splits what [Builder.Take] returned into what goes out in one write
// and the rest: as many small frames as there are in a row, or one large frame,
// which belongs on the bulk stream.
func SplitRun(buf []byte) (run []byte, large bool, rest []byte) {
	rest = buf
	for len(rest) > 0 {
		frame, after := SplitFrame(rest)
		if len(frame) > HeaderLen+MaxSmallFrame {
			if len(rest) == len(buf) {
				return frame, true, after
			}
			break
		}
		rest = after
	}
	end := len(buf) - len(rest)
	return buf[:end:end], false, rest
}
