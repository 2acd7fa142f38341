package proxy

import (
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
)

func TestBackoff_DoublesUpToItsMaximumWithFullJitter(t *testing.T) {
	lost := errors.New("lost")
	least, most := time.Hour, time.Duration(0)
	for range 200 {
		b := backoff{min: 100 * time.Millisecond, max: 4 * time.Second}
		for bound := b.min; ; bound = min(2*bound, b.max) {
			pause := b.after(lost)
			if pause < 0 || pause > bound {
				t.Fatalf("pause of %v, want 0 to %v", pause, bound)
			}
			if bound == b.max {
				least, most = min(least, pause), max(most, pause)
				break
			}
		}
		b.reset()
		if pause := b.after(lost); pause > b.min {
			t.Fatalf("pause of %v after a reset, want up to %v", pause, b.min)
		}
	}
	if least > time.Second || most < 3*time.Second {
		t.Errorf("200 pauses between %v and %v, want them spread over 0 to 4s", least, most)
	}
}

func TestBackoff_AfterAFailedLoginIsSlow(t *testing.T) {
	rejected := &auth.RejectedError{Addr: "a:1"}
	for name, err := range map[string]error{
		"rejected":                      rejected,
		"unproven":                      &auth.UnprovenError{Err: errors.New("eof")},
		"not a master":                  &auth.NotMasterError{Addr: "a:1"},
		"one of two addresses rejected": attemptErrors{errors.New("refused"), rejected},
	} {
		b := backoff{min: time.Millisecond, max: 10 * time.Millisecond}
		bound := time.Second
		for range 10 {
			if pause := b.after(err); pause < bound/2 || pause > bound {
				t.Errorf("%s: pause of %v, want %v to %v", name, pause, bound/2, bound)
			}
			bound = min(2*bound, time.Minute)
		}
	}
}

func TestBackoff_WaitsAsLongAsTheMasterAsks(t *testing.T) {
	b := backoff{min: time.Millisecond, max: time.Second}
	if pause := b.after(&auth.ThrottledError{RetryAfter: 7 * time.Second}); pause < 7*time.Second || pause > 8*time.Second {
		t.Errorf("pause of %v, want 7s and a little", pause)
	}
}

func TestIsFinal_OfSeveralAddressesOnlyWhenAllAre(t *testing.T) {
	final, hopeful := &auth.NotTLSError{Addr: "a:1"}, errors.New("refused")
	for _, test := range []struct {
		err  error
		want bool
	}{
		{final, true}, {hopeful, false},
		{attemptErrors{final, hopeful}, false}, {attemptErrors{final, final}, true},
		{reeve.ErrVersion, true}, {&goodbyeError{err: reeve.ErrVersion}, true}, {&goodbyeError{}, false},
	} {
		if got := isFinal(test.err); got != test.want {
			t.Errorf("isFinal(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}

// The ring and the lists against plain maps and slices.
func TestPending_IsAMapInTheOrderOfIDs(t *testing.T) {
	p := newPending()
	model := map[uint64]*call{}
	for i := range 10_000 {
		if i%3 != 0 || len(model) == 0 {
			k := &call{weight: 1, traits: mutating}
			p.add(k)
			model[k.id] = k
		} else {
			for _, k := range model { // any
				p.remove(k)
				delete(model, k.id)
				break
			}
		}
		low := p.next
		for id := range model {
			low = min(low, id)
		}
		if p.low != low || p.n != len(model) || p.bytes[lanePut] != int64(len(model)) {
			t.Fatalf("after %d steps: low %d, n %d, bytes %d; want %d and %d", i, p.low, p.n, p.bytes[lanePut], low, len(model))
		}
		if i%1000 == 0 {
			for id := uint64(0); id < p.next+100; id++ {
				if p.get(id) != model[id] {
					t.Fatalf("get(%d) is not what was added", id)
				}
			}
		}
	}
}

func TestCallList_KeepsItsOrder(t *testing.T) {
	var l callList
	calls := make([]*call, 5)
	for i := range calls {
		calls[i] = &call{id: uint64(i)}
	}
	l.push(calls[1])
	l.push(calls[2])
	l.push(calls[3])
	l.pushFront(calls[0])
	l.push(calls[4])
	l.remove(calls[2])
	for _, want := range []uint64{0, 1, 3, 4} {
		if k := l.pop(); k == nil || k.id != want || k.list != nil {
			t.Fatalf("popped %+v, want %d", k, want)
		}
	}
	if l.pop() != nil || l.n != 0 || l.tail != nil {
		t.Errorf("the list is not empty: %+v", l)
	}
}
