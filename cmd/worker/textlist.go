package main

import (
	"flag"
	"strings"
)

// textList is the value of a flag that can be given more than once. check, if
// there is one, looks at all of them.
type textList struct {
	dest  *[]string
	check func([]string) error
}

func (l textList) Set(s string) error {
	list := append(*l.dest, s)
	if l.check != nil {
		if err := l.check(list); err != nil {
			return err
		}
	}
	*l.dest = list
	return nil
}

func (l textList) Get() any { return *l.dest }

func (l textList) String() string {
	if l.dest == nil {
		return ""
	}
	return strings.Join(*l.dest, ", ")
}

var _ flag.Getter = textList{}
