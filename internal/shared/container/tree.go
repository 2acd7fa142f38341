package container

import "sync/atomic"

// tree is a sequence of items, any place of which is reached, changed, filled and
// emptied in logarithmic time. It is a binary tree balanced by weight. Copies
// share their nodes: a node is changed in place only by the tree in whose turn it
// was made. The zero value is not one; see newTree.
type tree[T any] struct {
	root *node[T]
	turn uint64
}

type node[T any] struct {
	left, right *node[T]
	size        int
	turn        uint64
	item        T
}

// turns numbers the turns of all trees.
var turns atomic.Uint64

func newTree[T any](items ...T) *tree[T] {
	t := &tree[T]{turn: turns.Add(1)}
	t.root = t.build(items)
	return t
}

// repeated is a tree with n times the same item. Subtrees of one size are the same
// one, until they are changed, so that it costs next to nothing.
func repeated[T any](item T, n int) *tree[T] {
	made := map[int]*node[T]{0: nil}
	var build func(n int) *node[T]
	build = func(n int) *node[T] {
		x, ok := made[n]
		if !ok {
			x = &node[T]{item: item, size: n, left: build(n / 2), right: build(n - n/2 - 1)} // of no tree's turn
			made[n] = x
		}
		return x
	}
	return &tree[T]{root: build(n), turn: turns.Add(1)}
}

// clone is a tree of its own with the same items. It costs nothing.
func (t *tree[T]) clone() *tree[T] {
	t.turn = turns.Add(1) // what both have is nobody's from now on
	return &tree[T]{root: t.root, turn: turns.Add(1)}
}

func (t *tree[T]) build(items []T) *node[T] {
	if len(items) == 0 {
		return nil
	}
	mid := len(items) / 2
	return t.with(&node[T]{item: items[mid], turn: t.turn}, t.build(items[:mid]), t.build(items[mid+1:]))
}

func (n *node[T]) len() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *node[T]) weight() int { return n.len() + 1 }

// len is how many items there are.
func (t *tree[T]) len() int { return t.root.len() }

// own is n, or a copy that may be changed.
func (t *tree[T]) own(n *node[T]) *node[T] {
	if n.turn == t.turn {
		return n
	}
	c := *n
	c.turn = t.turn
	return &c
}

// with is n, or a copy, with these subtrees.
func (t *tree[T]) with(n, left, right *node[T]) *node[T] {
	n = t.own(n)
	n.left, n.right, n.size = left, right, left.len()+right.len()+1
	return n
}

// A subtree weighs at most maxRatio times its sibling; singleRatio decides between one
// rotation and two.
const (
	maxRatio    = 3
	singleRatio = 2
)

// balance is with for subtrees that are out of balance by one step.
func (t *tree[T]) balance(n, left, right *node[T]) *node[T] {
	switch wl, wr := left.weight(), right.weight(); {
	case wl+wr <= 3: // too few to be out of balance
	case wr > maxRatio*wl:
		if right.left.weight() < singleRatio*right.right.weight() {
			return t.with(right, t.with(n, left, right.left), right.right)
		}
		mid := right.left
		l, r := mid.left, mid.right
		return t.with(mid, t.with(n, left, l), t.with(right, r, right.right))
	case wl > maxRatio*wr:
		if left.right.weight() < singleRatio*left.left.weight() {
			return t.with(left, left.left, t.with(n, left.right, right))
		}
		mid := left.right
		l, r := mid.left, mid.right
		return t.with(mid, t.with(left, left.left, l), t.with(n, r, right))
	}
	return t.with(n, left, right)
}

// link is with for any two subtrees.
func (t *tree[T]) link(left, n, right *node[T]) *node[T] {
	switch {
	case left == nil:
		return t.insert(right, 0, n)
	case right == nil:
		return t.insert(left, left.size, n)
	case right.weight() > maxRatio*left.weight():
		return t.balance(right, t.link(left, n, right.left), right.right)
	case left.weight() > maxRatio*right.weight():
		return t.balance(left, left.left, t.link(left.right, n, right))
	}
	return t.with(n, left, right)
}

// join puts two subtrees one behind the other.
func (t *tree[T]) join(left, right *node[T]) *node[T] {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	case left.size > right.size:
		rest, last := t.take(left, left.size-1)
		return t.link(rest, last, right)
	}
	rest, first := t.take(right, 0)
	return t.link(left, first, rest)
}

// split cuts a subtree before place i.
func (t *tree[T]) split(n *node[T], i int) (left, right *node[T]) {
	if n == nil {
		return nil, nil
	}
	if at := n.left.len(); i <= at {
		l, r := t.split(n.left, i)
		return l, t.link(r, n, n.right)
	} else {
		l, r := t.split(n.right, i-at-1)
		return t.link(n.left, n, l), r
	}
}

func (t *tree[T]) insert(n *node[T], i int, add *node[T]) *node[T] {
	if n == nil {
		return t.with(add, nil, nil)
	}
	if at := n.left.len(); i <= at {
		return t.balance(n, t.insert(n.left, i, add), n.right)
	} else {
		return t.balance(n, n.left, t.insert(n.right, i-at-1, add))
	}
}

// take takes out the node at place i.
func (t *tree[T]) take(n *node[T], i int) (rest, taken *node[T]) {
	switch at := n.left.len(); {
	case i < at:
		rest, taken = t.take(n.left, i)
		return t.balance(n, rest, n.right), taken
	case i > at:
		rest, taken = t.take(n.right, i-at-1)
		return t.balance(n, n.left, rest), taken
	}
	switch {
	case n.left == nil:
		return n.right, n
	case n.right == nil:
		return n.left, n
	case n.left.size > n.right.size:
		left, last := t.take(n.left, n.left.size-1)
		return t.balance(last, left, n.right), n
	}
	right, first := t.take(n.right, 0)
	return t.balance(first, n.left, right), n
}

// at is the item at place i, which exists.
func (t *tree[T]) at(i int) T {
	n := t.root
	for {
		switch at := n.left.len(); {
		case i < at:
			n = n.left
		case i > at:
			n, i = n.right, i-at-1
		default:
			return n.item
		}
	}
}

// set changes the item at place i, which exists.
func (t *tree[T]) set(i int, item T) {
	t.root = t.own(t.root)
	n := t.root
	for {
		switch at := n.left.len(); {
		case i < at:
			n.left = t.own(n.left)
			n = n.left
		case i > at:
			n.right = t.own(n.right)
			n, i = n.right, i-at-1
		default:
			n.item = item
			return
		}
	}
}

// insertAt puts items before place i, 0 to len.
func (t *tree[T]) insertAt(i int, items ...T) {
	if len(items) == 1 {
		t.root = t.insert(t.root, i, &node[T]{item: items[0], turn: t.turn})
		return
	}
	left, right := t.split(t.root, i)
	t.root = t.join(t.join(left, t.build(items)), right)
}

// deleteAt takes out the item at place i, which exists.
func (t *tree[T]) deleteAt(i int) {
	t.root, _ = t.take(t.root, i)
}

// deleteRange takes out the items from place i up to before j.
func (t *tree[T]) deleteRange(i, j int) {
	left, right := t.split(t.root, i)
	_, right = t.split(right, j-i)
	t.root = t.join(left, right)
}

// search is the first place whose item is not before what is looked for, or len.
// before holds for the first items only.
func (t *tree[T]) search(before func(T) bool) int {
	i := 0
	for n := t.root; n != nil; {
		if before(n.item) {
			i += n.left.len() + 1
			n = n.right
		} else {
			n = n.left
		}
	}
	return i
}

// from calls f for the items from place i on, until it returns false.
func (t *tree[T]) from(i int, f func(int, T) bool) {
	t.root.from(0, i, f)
}

func (n *node[T]) from(base, i int, f func(int, T) bool) bool {
	if n == nil || i >= base+n.size {
		return true
	}
	at := base + n.left.len()
	return n.left.from(base, i, f) && (at < i || f(at, n.item)) && n.right.from(at+1, i, f)
}

// each is from, or goes from the end: i is then the place counted from there, and
// f is called with the true one.
func (t *tree[T]) each(i int, backward bool, f func(int, T) bool) {
	if !backward {
		t.from(i, f)
		return
	}
	t.root.backTo(0, t.len()-1-i, f)
}

// backTo calls f for the items from place i down to the first.
func (n *node[T]) backTo(base, i int, f func(int, T) bool) bool {
	if n == nil || i < base {
		return true
	}
	at := base + n.left.len()
	return n.right.backTo(at+1, i, f) && (at > i || f(at, n.item)) && n.left.backTo(base, i, f)
}

// all lists the items.
func (t *tree[T]) all() []T {
	list := make([]T, 0, t.len())
	t.from(0, func(_ int, item T) bool {
		list = append(list, item)
		return true
	})
	return list
}
