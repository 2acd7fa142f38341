package container

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// errUnordered: elements cannot be compared.
var errUnordered = fmt.Errorf("%w: numbers, texts, byte strings and arrays of those have an order of their own, but not with each other", reeve.ErrInvalid)

// natural is an item in a form that can be compared with others of its kind.
type natural struct {
	major  byte // majorText, majorBytes, majorArray, or majorUint for all numbers
	number number
	text   string
	array  []natural
}

// asNatural reads an item. ok is false for what has no order.
func asNatural(item []byte) (x natural, ok bool) {
	major, n, rest, err := head(item)
	if err != nil {
		return x, false
	}
	switch major {
	case majorText, majorBytes:
		return natural{major: major, text: string(rest)}, true
	case majorArray:
		x := natural{major: major}
		for range n {
			after, err := skip(rest, maxDepth)
			if err != nil {
				return x, false
			}
			e, ok := asNatural(rest[:len(rest)-len(after)])
			if !ok {
				return x, false
			}
			x.array = append(x.array, e)
			rest = after
		}
		return x, true
	}
	v, ok := asNumber(item)
	return natural{major: majorUint, number: v}, ok
}

// compare compares two items; ok is false if they are of different kinds.
func (x natural) compare(y natural) (order int, ok bool) {
	if x.major != y.major {
		return 0, false
	}
	switch x.major {
	case majorText, majorBytes:
		return strings.Compare(x.text, y.text), true
	case majorArray:
		for i := range min(len(x.array), len(y.array)) {
			if order, ok := x.array[i].compare(y.array[i]); !ok || order != 0 {
				return order, ok
			}
		}
		return len(x.array) - len(y.array), true
	}
	return x.number.compare(y.number), true
}

// sorted are items in their natural order. Equal ones keep their order.
func sorted(items []string, reversed bool) ([]string, error) {
	type pair struct {
		item string
		by   natural
	}
	pairs := make([]pair, len(items))
	for i, item := range items {
		by, ok := asNatural([]byte(item))
		if !ok {
			return nil, errUnordered
		}
		pairs[i] = pair{item, by}
	}
	comparable := true
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if reversed {
			a, b = b, a
		}
		order, ok := a.by.compare(b.by)
		comparable = comparable && ok
		return order
	})
	if !comparable {
		return nil, errUnordered
	}
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p.item
	}
	return list, nil
}
