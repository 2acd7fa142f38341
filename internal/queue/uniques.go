package queue

import "github.com/reeveq/reeve"

// uniques are the unique keys that are taken, each with the task that took it
// and for how long. A key whose time is over is free at once, whether expire
// has seen it or not. The zero value has none.
type uniques struct {
	keys  map[string]unique
	peak  int              // the most keys the map held
	ends  timeHeap[string] // of those with an end
	spent int64            // what bytes tells
}

type unique struct {
	id   reeve.ID
	end  *timed[string] // in uniques.ends, with the key; nil: no end of its own
	mode reeve.UniqueMode
}

// uniqueOverhead is what a key that outlives its task takes besides its text:
// its places in the map and in the heap.
const uniqueOverhead = 160

// len is how many keys are taken, those included that expire has yet to see.
func (u *uniques) len() int { return len(u.keys) }

// bytes is what the keys take that outlive their tasks, those in mode
// UniqueForTime; the others have the text that their tasks have anyway.
func (u *uniques) bytes() int64 { return u.spent }

// nextDue is when expire has something to do; never: nothing.
func (u *uniques) nextDue() int64 { return u.ends.next() }

// find returns the task that has key at now.
func (u *uniques) find(key string, now int64) (id reeve.ID, taken bool) {
	e, ok := u.keys[key]
	if !ok || e.end != nil && u.ends.when(e.end) <= now {
		return 0, false
	}
	return e.id, true
}

// claim gives key, which is free, to the task id until until; never: as mode
// says. It keeps the string, so it should be the one that the task has.
func (u *uniques) claim(key string, id reeve.ID, mode reeve.UniqueMode, until int64) {
	e := unique{id: id, mode: mode}
	if u.ends.len() > 0 { // one whose time is over may still stand there
		if old, ok := u.keys[key]; ok {
			u.drop(key, old)
		}
	}
	if until != never {
		e.end = &timed[string]{of: key}
		u.ends.add(e.end, until)
	}
	if mode == reeve.UniqueForTime {
		u.spent += uniqueCost(key)
	}
	if u.keys == nil {
		u.keys = map[string]unique{}
	}
	u.keys[key] = e
	u.peak = max(u.peak, len(u.keys))
}

// release frees key if the task id has it, which ended or, in mode
// UniqueUntilStart, began its first attempt. In mode UniqueForTime the key stays
// taken, whatever becomes of the task.
func (u *uniques) release(key string, id reeve.ID) {
	if e := u.keys[key]; e.id == id && e.mode != reeve.UniqueForTime {
		u.drop(key, e)
	}
}

// expire frees up to max keys whose time is over, and returns by how much
// bytes fell. nextDue tells whether there are more.
func (u *uniques) expire(now int64, max int) (released int64) {
	before := u.spent
	for ; max > 0 && u.ends.next() <= now; max-- {
		key := u.ends.head().of
		u.drop(key, u.keys[key])
	}
	return before - u.spent
}

// drop takes out e, which has key.
func (u *uniques) drop(key string, e unique) {
	if e.end != nil {
		u.ends.remove(e.end)
	}
	if e.mode == reeve.UniqueForTime {
		u.spent -= uniqueCost(key)
	}
	delete(u.keys, key)
	// A map keeps the memory of the most it ever held.
	if u.peak >= 1<<10 && len(u.keys) <= u.peak/16 {
		kept := make(map[string]unique, len(u.keys))
		for key, e := range u.keys {
			kept[key] = e
		}
		u.keys, u.peak = kept, len(kept)
	}
}

func uniqueCost(key string) int64 { return int64(len(key)) + uniqueOverhead }
