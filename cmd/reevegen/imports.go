package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// imports are the packages that a file names.
type imports struct {
	own    *types.Package
	byPath map[string]string // the name that a package has in the file
	byName map[string]string // the path of a name
	alias  map[string]bool   // of paths: the name is not the package's own
}

func newImports(own *types.Package) imports {
	return imports{own: own, byPath: map[string]string{}, byName: map[string]string{}, alias: map[string]bool{}}
}

// add returns the name of a package in the file.
func (m *imports) add(path, name string) string {
	if have, ok := m.byPath[path]; ok {
		return have
	}
	short := name
	for n := 2; m.byName[name] != "" || m.own.Scope().Lookup(name) != nil; n++ {
		name = fmt.Sprint(short, n)
	}
	m.byPath[path], m.byName[name], m.alias[path] = name, path, name != short
	return name
}

// isType reports whether the package has a type of that name.
func (m *imports) isType(name string) bool {
	_, ok := m.own.Scope().Lookup(name).(*types.TypeName)
	return ok
}

// typ is how a type is written in the file.
func (m *imports) typ(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == m.own {
			return ""
		}
		return m.add(p.Path(), p.Name())
	})
}

// text is the declaration: the standard library first.
func (m *imports) text() string {
	var std, others []string
	for path, name := range m.byPath {
		line := fmt.Sprintf("\t%q\n", path)
		if last := path[strings.LastIndexByte(path, '/')+1:]; m.alias[path] || last != name {
			line = fmt.Sprintf("\t%s %q\n", name, path)
		}
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			others = append(others, line)
		} else {
			std = append(std, line)
		}
	}
	byPath := func(a, b string) int {
		return strings.Compare(a[strings.IndexByte(a, '"'):], b[strings.IndexByte(b, '"'):])
	}
	slices.SortFunc(std, byPath)
	slices.SortFunc(others, byPath)
	return "import (\n" + strings.Join(std, "") + "\n" + strings.Join(others, "") + ")\n"
}
