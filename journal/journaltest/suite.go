package journaltest

import (
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

// Suite is a journal to be proven. What an implementation cannot offer stays
// nil, and the log of the test names what was not tested for that.
type Suite struct {
	// Open opens the journal of that name, and makes it if there is none, in a
	// new ownership. Names are short, of a-z and "-". The suite closes what was
	// opened, or ends it by Kill or PowerCut; it opens again without either only
	// to see what happens to the owner there is: *journal.LockedError, or that
	// one is fenced. Open must not fail the test itself.
	Open func(tb testing.TB, name string) (journal.Journal, error)

	// MaxFrame is the size of the largest frame, in bytes. 0: 4 MiB.
	MaxFrame int

	// Kill ends the ownership of j as the end of its process would. The next Open
	// is the next process's: where an ownership takes time to run out, Kill waits.
	Kill func(tb testing.TB, name string, j journal.Journal)

	// PowerCut does what a power cut does: some or all that nobody asked to be
	// durable is lost. j may have been closed before.
	PowerCut func(tb testing.TB, name string, j journal.Journal)

	// SetSpace makes the journal, which is open, full or not any more. It may
	// still use what it has, up to 64 MiB: the suite fills it. NoSpace comes after
	// ReserveOnly.
	SetSpace func(tb testing.TB, name string, j journal.Journal, s Space)

	// Break makes the next Append or Sync of j fail, other than for lack of space.
	Break func(tb testing.TB, name string, j journal.Journal, op Op)

	// Damage changes what is stored of frame p so that it is not what was
	// written. j may be open, or have been closed.
	Damage func(tb testing.TB, name string, j journal.Journal, p journal.Pos)
}

// subject is one part of the suite.
type subject struct {
	name  string
	needs string // the hook of Suite without which there is nothing to test
	test  func(b *trial)
}

// subjects, each in the file of its first word.
var subjects = []subject{
	{"OrderOverManyLives", "", orderOverManyLives},
	{"OrderWrongNumbers", "", orderWrongNumbers},
	{"OrderEndedContext", "", orderEndedContext},
	{"FrameSizes", "", frameSizes},
	{"FrameMemory", "", frameMemory},
	{"ReadAtAnyTime", "", readAtAnyTime},
	{"ReadBesideEverything", "", readBesideEverything},
	{"ReadBesideClose", "", readBesideClose},
	{"TrimSome", "", trimSome},
	{"TrimAll", "", trimAll},
	{"ReplayEndsWithItsCallee", "", replayEndsWithItsCallee},
	{"ReplayEndsWithItsContext", "", replayEndsWithItsContext},
	{"OwnerIsTheOnlyOne", "", ownerIsTheOnlyOne},
	{"OwnerIsReplacedUnderLoad", "", ownerIsReplacedUnderLoad},
	{"OwnerCloses", "", ownerCloses},
	{"OwnersOfOtherNames", "", ownersOfOtherNames},
	{"CrashOfTheProcess", "Kill", crashOfTheProcess},
	{"CrashOfThePower", "PowerCut", crashOfThePower},
	{"CrashAfterClose", "PowerCut", crashAfterClose},
	{"CrashAfterTrim", "PowerCut", crashAfterTrim},
	{"FaultFull", "SetSpace", faultFull},
	{"FaultAppend", "Break", faultAppend},
	{"FaultSync", "Break", faultSync},
	{"FaultDamage", "Damage", faultDamage},
	{"FaultDamageWhileOpen", "Damage", faultDamageWhileOpen},
	{"Model", "", model},
}

// Run proves that a journal keeps the contract of [journal.Journal]: what is
// said there, and nothing that is not. Its last part does anything at random:
//
//	-journaltest.seed=N    repeats what a failure tells; 0: by the clock
//	-journaltest.rounds=N  of it, one seed each
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.MaxFrame == 0 {
		s.MaxFrame = 4 << 20
	}
	for _, sub := range subjects {
		if !s.has(sub.needs) {
			t.Logf("not tested: %s, for lack of Suite.%s", sub.name, sub.needs)
			continue
		}
		t.Run(sub.name, func(t *testing.T) { sub.test(&trial{TB: t, Suite: s, patience: 20 * time.Second}) })
	}
}

func (s Suite) has(hook string) bool {
	return map[string]bool{
		"": true, "Kill": s.Kill != nil, "PowerCut": s.PowerCut != nil,
		"SetSpace": s.SetSpace != nil, "Break": s.Break != nil, "Damage": s.Damage != nil,
	}[hook]
}

// trial is where a subject is tested: the test that it may fail, and the suite.
type trial struct {
	testing.TB
	Suite
	patience time.Duration // how long a journal may take to find that there is space
}
