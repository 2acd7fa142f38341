package container

import (
	"errors"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// maxOperands bounds the operands of one call.
const maxOperands = 256

// setAlgebra is what is done with a set and others: each operand is [reference,
// nil], a set at this master, or [nil, elements]. It is one step for all of them.
var setAlgebra = []method[*setObject]{
	reading("union", "(operands) page", asking(union)),
	reading("intersection", "(operands) page", asking(intersection)),
	reading("difference", "(operands) page", asking(difference)),
	reading("symmetricdifference", "(operands) page", asking(symmetric)),
	changing("update", "(operands) uint", updating(unionDelta)),
	changing("intersectionupdate", "(operands) uint", updating(intersectionDelta)),
	changing("differenceupdate", "(operands) uint", updating(differenceDelta)),
	changing("symmetricdifferenceupdate", "(operands) uint", updating(symmetricDelta)),
	reading("isdisjoint", "(operands) bool", comparing(isDisjoint)),
	reading("issubset", "(operands) bool", comparing(isSubset)),
	reading("issuperset", "(operands) bool", comparing(func(x, y elements) bool { return isSubset(y, x) })),
	reading("ispropersubset", "(operands) bool", comparing(func(x, y elements) bool { return x.len() < y.len() && isSubset(x, y) })),
	reading("ispropersuperset", "(operands) bool", comparing(func(x, y elements) bool { return y.len() < x.len() && isSubset(y, x) })),
}

// elements are those of a set, or of a call.
type elements interface {
	len() int
	has(e string) bool
	each(f func(e string) bool)
}

// given are elements in their order, each once.
type given struct {
	list []string
	in   map[string]struct{}
}

func newGiven() *given { return &given{in: map[string]struct{}{}} }

func (g *given) len() int { return len(g.list) }

func (g *given) has(e string) bool {
	_, ok := g.in[e]
	return ok
}

func (g *given) each(f func(string) bool) {
	for _, e := range g.list {
		if !f(e) {
			return
		}
	}
}

func (g *given) add(e string) bool {
	if !g.has(e) {
		g.in[e] = struct{}{}
		g.list = append(g.list, e)
	}
	return true
}

// shown are the elements of a set whose mutex is held.
type shown struct{ *setObject }

func (s shown) len() int          { return s.order.len() }
func (s shown) has(e string) bool { return s.byKey[e] != nil }

func (s shown) each(f func(string) bool) {
	s.order.from(0, func(_ int, e *entry) bool { return f(e.key) })
}

// operandArgs are the operands of a call, nil where it has a reference; those are
// for withOthers.
func operandArgs(a *args) (list []elements, refs []reeve.Ref) {
	for _, item := range a.items() {
		x := newArgs(item)
		if x.isNil() {
			x.item()
			g := newGiven()
			for _, e := range x.keys() {
				g.add(string(e))
			}
			list = append(list, g)
		} else {
			refs = append(refs, x.ref())
			if !x.isNil() {
				x.fail(errors.New("an operand with both a reference and elements"))
			}
			x.item()
			list = append(list, nil)
		}
		if x.err == nil && x.n > 0 {
			x.err = errors.New("an operand with more than two parts")
		}
		if x.err != nil {
			a.fail(x.err)
			return nil, nil
		}
	}
	if len(list) > maxOperands {
		a.fail(&reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "operands", Value: int64(len(list)), Max: maxOperands})
	}
	return list, refs
}

// withOperands calls do with the operands of a call.
func (s *setObject) withOperands(c *shared.Call, a *args, do func([]elements) error) error {
	list, refs := operandArgs(a)
	if err := a.done(c); err != nil {
		return err
	}
	return withOthers(c, &s.base, refs, func(others []*setObject) error {
		for i := range list {
			if list[i] == nil {
				list[i] = shown{others[0]}
				others = others[1:]
			}
		}
		return do(list)
	})
}

func union(s *setObject, others []elements) *given {
	g := newGiven()
	shown{s}.each(g.add)
	for _, o := range others {
		o.each(g.add)
	}
	return g
}

// those are the elements of x for which f holds.
func those(x elements, f func(e string) bool) *given {
	g := newGiven()
	x.each(func(e string) bool {
		if f(e) {
			g.add(e)
		}
		return true
	})
	return g
}

func inAll(others []elements, e string) bool {
	return !slices.ContainsFunc(others, func(o elements) bool { return !o.has(e) })
}

func inAny(others []elements, e string) bool {
	return slices.ContainsFunc(others, func(o elements) bool { return o.has(e) })
}

func intersection(s *setObject, others []elements) *given {
	return those(shown{s}, func(e string) bool { return inAll(others, e) })
}

func difference(s *setObject, others []elements) *given {
	return those(shown{s}, func(e string) bool { return !inAny(others, e) })
}

// symmetric are the elements that an odd number of sets has.
func symmetric(s *setObject, others []elements) *given {
	return those(union(s, others), func(e string) bool {
		odd := s.byKey[e] != nil
		for _, o := range others {
			odd = odd != o.has(e)
		}
		return odd
	})
}

// asking answers with the pages of what f makes.
func asking(f func(*setObject, []elements) *given) func(*setObject, *shared.Call, *args) error {
	return func(s *setObject, c *shared.Call, a *args) error {
		return s.withOperands(c, a, func(others []elements) error {
			return s.pages(c, listReader(f(s, others).list), keysOfPage, 0)
		})
	}
}

// listReader reads a list of keys.
type listReader []string

func (r listReader) len() int       { return len(r) }
func (r listReader) frozen() reader { return r }

func (r listReader) each(i int, _ bool, f func(key, value string) bool) {
	for _, e := range r[i:] {
		if !f(e, "") {
			return
		}
	}
}

// delta is what goes and what comes when a set is updated.
type delta func(s *setObject, others []elements) (gone, added *given)

func unionDelta(s *setObject, others []elements) (gone, added *given) {
	added = newGiven()
	for _, o := range others {
		o.each(func(e string) bool { return s.byKey[e] != nil || added.add(e) })
	}
	return newGiven(), added
}

func intersectionDelta(s *setObject, others []elements) (gone, added *given) {
	return those(shown{s}, func(e string) bool { return !inAll(others, e) }), newGiven()
}

func differenceDelta(s *setObject, others []elements) (gone, added *given) {
	gone = newGiven()
	for _, o := range others {
		o.each(func(e string) bool { return s.byKey[e] == nil || gone.add(e) })
	}
	return gone, newGiven()
}

func symmetricDelta(s *setObject, others []elements) (gone, added *given) {
	flipped := newGiven()
	for _, o := range others {
		o.each(flipped.add)
	}
	flipped = those(flipped, func(e string) bool {
		odd := false
		for _, o := range others {
			odd = odd != o.has(e)
		}
		return odd
	})
	has := func(e string) bool { return s.byKey[e] != nil }
	return those(flipped, has), those(flipped, func(e string) bool { return !has(e) })
}

// updating changes the set, and answers with its length.
func updating(f delta) func(*setObject, *shared.Call, *args) error {
	return func(s *setObject, c *shared.Call, a *args) error {
		return s.withOperands(c, a, func(others []elements) error {
			gone, added := f(s, others)
			size := int64(0)
			for _, e := range added.list {
				size += int64(len(e))
			}
			for _, e := range gone.list {
				size -= int64(len(e))
			}
			if err := s.room(s.order.len(), added.len()-gone.len(), size); err != nil {
				return err
			}
			var ch shared.Change
			for _, e := range gone.list {
				s.remove(&ch, s.byKey[e])
			}
			expires := s.expiry()
			for _, e := range added.list {
				s.put(&ch, e, "", expires)
			}
			return s.changed(c, &ch, uintAnswer(s.order.len()))
		})
	}
}

func isDisjoint(x, y elements) bool {
	if x.len() < y.len() {
		x, y = y, x
	}
	return those(y, x.has).len() == 0
}

func isSubset(x, y elements) bool {
	if x.len() > y.len() {
		return false
	}
	subset := true
	x.each(func(e string) bool {
		subset = y.has(e)
		return subset
	})
	return subset
}

// comparing answers what f says of the set and its only operand.
func comparing(f func(x, y elements) bool) func(*setObject, *shared.Call, *args) error {
	return func(s *setObject, c *shared.Call, a *args) error {
		return s.withOperands(c, a, func(others []elements) error {
			if len(others) != 1 {
				return fmt.Errorf("%w: %d operands, want 1", reeve.ErrInvalid, len(others))
			}
			return s.answer(c, boolAnswer(f(shown{s}, others[0])))
		})
	}
}
