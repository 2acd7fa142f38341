package record

import (
	"encoding/binary"

	"github.com/reeveq/reeve"
)

// AppendPut appends r to b.
func AppendPut(b []byte, r *Put) []byte {
	b, o := begin(b, KindPut, 24+aboutBody(&r.Body))
	b = appendTask(b, r.Queue, r.ID)
	b = append(b, bodyBits(&r.Body)|bit(r.Due != 0, putDue)|bit(r.Wall, putWall)|bit(r.Order != 0, putOrder))
	if r.Due != 0 {
		b = appendTime(b, r.Due)
	}
	if r.Order != 0 {
		b = binary.AppendVarint(b, r.Order-int64(r.ID)) // which is mostly little
	}
	b = appendBody(b, &r.Body)
	b = appendBlobs(b, r.Body.Blobs)
	return finish(b, o)
}

// AppendTask appends r to b.
func AppendTask(b []byte, r *Task) []byte {
	b, o := begin(b, KindTask, 64+aboutBody(&r.Body))
	b = appendTask(b, r.Queue, r.ID)
	b = append(b, bodyBits(&r.Body))
	b = appendBody(b, &r.Body)
	b = appendStanding(b, &r.Now)
	b = appendBlobs(b, r.Body.Blobs)
	return finish(b, o)
}

// AppendStand appends r to b.
func AppendStand(b []byte, r *Stand) []byte {
	b, o := begin(b, KindState, 32+len(r.Now.Error)+len(r.Now.Reason))
	b = appendTask(b, r.Queue, r.ID)
	b = appendStanding(b, &r.Now)
	return finish(b, o)
}

// AppendResult appends r to b.
func AppendResult(b []byte, r *Result) []byte {
	b, o := begin(b, KindResult, 32+len(r.Type)+len(r.Payload)+len(r.Reason)+len(r.Error))
	b = appendTask(b, r.Queue, r.ID)
	bits := bit(r.Type != "", resultType) | bit(len(r.Payload) != 0, resultPayload) | bit(r.Reason != "", resultReason) |
		bit(r.Error != "", resultError) | bit(!r.EndedAt.IsZero(), resultEndedAt) | bit(r.Until != 0, resultUntil) |
		bit(len(r.Blobs) != 0, resultBlobs)
	b = append(b, bits, byte(r.State))
	b = binary.AppendUvarint(b, uint64(r.Attempts))
	if bits&resultEndedAt != 0 {
		b = appendTime(b, nanos(r.EndedAt))
	}
	if bits&resultUntil != 0 {
		b = appendTime(b, r.Until)
	}
	if bits&resultType != 0 {
		b = appendText(b, r.Type)
	}
	if bits&resultReason != 0 {
		b = appendText(b, r.Reason)
	}
	if bits&resultError != 0 {
		b = appendText(b, r.Error)
	}
	if bits&resultPayload != 0 {
		b = appendText(b, r.Payload)
	}
	b = appendBlobs(b, r.Blobs)
	return finish(b, o)
}

// appendBlobs appends what is behind all other fields of a record.
func appendBlobs(b []byte, refs []reeve.BlobRef) []byte {
	if len(refs) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(refs)))
	for _, r := range refs {
		b = binary.AppendVarint(append(b, r.Hash[:]...), r.Size)
	}
	return b
}

func aboutBody(r *Body) int {
	return len(r.Type) + len(r.Payload) + len(r.Blobs)*(len(reeve.BlobHash{})+5)
}

func bodyBits(r *Body) byte {
	return bit(r.Type != "", bodyType) | bit(r.Priority != 0, bodyPriority) | bit(r.Source != 0, bodySource) |
		bit(r.Extra != nil, bodyExtra) | bit(len(r.Blobs) != 0, bodyBlobs)
}

// appendBody leaves the bits to the caller, who has some in the same byte, and
// the blobs, which are behind what the caller has.
func appendBody(b []byte, r *Body) []byte {
	b = appendTime(b, r.PutAt)
	if r.Type != "" {
		b = appendText(b, r.Type)
	}
	if r.Priority != 0 {
		b = binary.AppendVarint(b, int64(r.Priority))
	}
	if r.Source != 0 {
		b = appendID(b, r.Source)
	}
	b = appendText(b, r.Payload)
	if r.Extra != nil {
		b = appendExtra(b, r.Extra)
	}
	return b
}

func appendExtra(b []byte, r *Extra) []byte {
	bits := bit(r.Timeout != 0, extraTimeout) | bit(r.Attempts != 0, extraAttempts) | bit(r.Key != "", extraKey) |
		bit(r.Unique != "", extraUnique) | bit(r.Mode != 0, extraMode) | bit(r.Claimed, extraClaimed) |
		bit(r.UniqueUntil != 0, extraUniqueUntil) | bit(len(r.Labels) != 0, extraLabels) | bit(r.Backoff != nil, extraBackoff) |
		bit(r.ExpireAt != 0, extraExpireAt) | bit(r.ExpireWall, extraExpireWall) | bit(r.Keep != 0, extraKeep) |
		bit(r.Asked, extraAsked)
	b = binary.LittleEndian.AppendUint16(b, bits)
	if bits&extraTimeout != 0 {
		b = binary.AppendVarint(b, r.Timeout)
	}
	if bits&extraAttempts != 0 {
		b = binary.AppendVarint(b, int64(r.Attempts))
	}
	if bits&extraKey != 0 {
		b = appendText(b, r.Key)
	}
	if bits&extraUnique != 0 {
		b = appendText(b, r.Unique)
	}
	if bits&extraMode != 0 {
		b = append(b, byte(r.Mode))
	}
	if bits&extraUniqueUntil != 0 {
		b = appendTime(b, r.UniqueUntil)
	}
	if bits&extraLabels != 0 {
		b = appendLabels(b, r.Labels)
	}
	if bits&extraBackoff != 0 {
		b = appendBackoff(b, r.Backoff)
	}
	if bits&extraExpireAt != 0 {
		b = appendTime(b, r.ExpireAt)
	}
	if bits&extraKeep != 0 {
		b = binary.AppendVarint(b, r.Keep)
	}
	return b
}

func appendLabels(b []byte, labels []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(labels)))
	for _, l := range labels {
		b = appendText(b, l)
	}
	return b
}

func appendBackoff(b []byte, r *reeve.Backoff) []byte {
	b = binary.AppendVarint(b, int64(r.Base))
	b = binary.AppendVarint(b, int64(r.Max))
	return appendFloat(appendFloat(b, r.Factor), r.Jitter)
}
