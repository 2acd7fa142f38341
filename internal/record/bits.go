package record

// What the bits say of the records that have some: that a field is there, or
// that it is true. Bits are never given another meaning, fields stand in the
// order in which the functions write them; see the package comment.

// Of the byte in a Put, and of that in a Task (the first four and the last).
const (
	bodyType byte = 1 << iota
	bodyPriority
	bodySource
	bodyExtra
	putDue
	putWall
	putOrder
	bodyBlobs
)

// Of the two bytes of an Extra.
const (
	extraTimeout uint16 = 1 << iota
	extraAttempts
	extraKey
	extraUnique
	extraMode
	extraClaimed
	extraUniqueUntil
	extraLabels
	extraBackoff
	extraExpireAt
	extraExpireWall
	extraKeep
	extraAsked
)

// Of the uvarint of a Standing: those of every day are in its first byte.
const (
	nowClaimed uint64 = 1 << iota
	nowOrder
	nowDue
	nowClient
	nowCounts
	nowReadyAt
	nowError
	nowHistory
	nowAppend
	nowWall
	nowClaimable
	nowBlamed
	nowUntil
	nowReason
	nowLast
	nowDiedAt
	nowTurn
)

// Of an entry of a history.
const (
	attemptStart byte = 1 << iota
	attemptEnd
	attemptError
	attemptStack
)

// Of a Result.
const (
	resultType byte = 1 << iota
	resultPayload
	resultReason
	resultError
	resultEndedAt
	resultUntil
	resultBlobs
)

// Of a Request.
const (
	requestCount byte = 1 << iota // it is not 1
	requestFirst
	requestLow
)

// Of a Pause, a Move and a Unique.
const (
	pausePaused byte = 1 << iota
	pauseReason
)

const moveClaimed byte = 1

const uniqueUntil byte = 1
