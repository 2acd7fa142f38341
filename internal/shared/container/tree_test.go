package container

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// check fails unless all subtrees are in balance and know their size.
func (n *node[T]) check(t *testing.T) {
	if n == nil {
		return
	}
	if n.size != n.left.len()+n.right.len()+1 {
		t.Fatalf("a node of %d and %d says %d", n.left.len(), n.right.len(), n.size)
	}
	if l, r := n.left.weight(), n.right.weight(); l+r > 3 && (l > maxRatio*r || r > maxRatio*l) {
		t.Fatalf("a node of %d and %d is out of balance", l, r)
	}
	n.left.check(t)
	n.right.check(t)
}

func TestTree_IsASequenceAndItsCopiesStay(t *testing.T) {
	t.Parallel()
	type copied struct {
		tree *tree[int]
		want []int
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		tr, model := newTree[int](), []int(nil)
		var copies []copied
		for step := range 400 {
			i := r.IntN(len(model) + 1)
			switch op := r.IntN(10); {
			case op < 4:
				tr.insertAt(i, step)
				model = slices.Insert(model, i, step)
			case op == 4:
				items := make([]int, r.IntN(30))
				for k := range items {
					items[k] = step*100 + k
				}
				tr.insertAt(i, items...)
				model = slices.Insert(model, i, items...)
			case op < 7 && i < len(model):
				tr.deleteAt(i)
				model = slices.Delete(model, i, i+1)
			case op == 7 && i < len(model):
				tr.set(i, -step)
				model[i] = -step
			case op == 8:
				j := min(i+r.IntN(10), len(model))
				tr.deleteRange(i, j)
				model = slices.Delete(model, i, j)
			case op == 9:
				copies = append(copies, copied{tr.clone(), slices.Clone(model)})
			}
			tr.root.check(t)
			if !slices.Equal(tr.all(), model) {
				t.Fatalf("seed %d, step %d: %v, want %v", seed, step, tr.all(), model)
			}
		}
		for _, c := range copies {
			c.tree.root.check(t)
			if !slices.Equal(c.tree.all(), c.want) {
				t.Fatalf("seed %d: a copy is %v, was %v", seed, c.tree.all(), c.want)
			}
		}
		for i, v := range model {
			if tr.at(i) != v {
				t.Fatalf("place %d: %d, want %d", i, tr.at(i), v)
			}
		}
	}
}

func TestTree_SearchAndFromStartAnywhere(t *testing.T) {
	t.Parallel()
	items := make([]int, 1000)
	for i := range items {
		items[i] = 2 * i
	}
	tr := newTree(items...)
	for _, v := range []int{-1, 0, 1, 2, 777, 1998, 1999} {
		want, _ := slices.BinarySearch(items, v)
		if got := tr.search(func(x int) bool { return x < v }); got != want {
			t.Errorf("search for %d: %d, want %d", v, got, want)
		}
	}
	for _, i := range []int{0, 1, 500, 999, 1000} {
		var got []int
		tr.from(i, func(at, v int) bool {
			if at != i+len(got) {
				t.Errorf("place %d, want %d", at, i+len(got))
			}
			got = append(got, v)
			return len(got) < 3
		})
		if want := items[i:min(i+3, 1000)]; !slices.Equal(got, want) {
			t.Errorf("from %d: %v, want %v", i, got, want)
		}
	}
}

func TestRepeated_IsATreeLikeAnyOther(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	for n := range 70 {
		tr, model := repeated(-1, n), slices.Repeat([]int{-1}, n)
		tr.root.check(t)
		for step := range 2 * n {
			i := r.IntN(len(model))
			if r.IntN(3) == 0 {
				tr.insertAt(i, step)
				model = slices.Insert(model, i, step)
			} else {
				tr.set(i, step)
				model[i] = step
			}
		}
		tr.root.check(t)
		if got := tr.all(); !slices.Equal(got, model) {
			t.Fatalf("%v, want %v", got, model)
		}
	}
}
