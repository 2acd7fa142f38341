package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// source is the package that has the interfaces.
type source struct {
	pkg    *packages.Package
	output string                          // the file that will be written
	docs   map[token.Pos]*ast.CommentGroup // of methods and types, by the place of their names
}

// load reads the package in a directory. Errors in it, as that a handle is missing
// which is yet to be written, do not matter as long as the interfaces are whole.
func load(ctx context.Context, dir, output string) (*source, error) {
	output, err := filepath.Abs(output)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(cmp.Or(dir, ".")); err != nil { // which the go command would tell of itself
		return nil, err
	}
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports,
	}, ".")
	if err != nil {
		return nil, err
	}
	if len(pkgs) != 1 || pkgs[0].Types == nil || len(pkgs[0].Syntax) == 0 {
		return nil, fmt.Errorf("no package in %s%s", cmp.Or(dir, "this directory"), firstError(pkgs))
	}
	s := &source{pkg: pkgs[0], output: output, docs: map[token.Pos]*ast.CommentGroup{}}
	for _, file := range s.pkg.Syntax {
		ast.Inspect(file, s.note)
	}
	return s, nil
}

func firstError(pkgs []*packages.Package) string {
	for _, p := range pkgs {
		for _, err := range p.Errors {
			return ": " + err.Msg
		}
	}
	return ""
}

// note notes the comments of types and of the methods of interfaces.
func (s *source) note(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		for _, spec := range n.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				s.docs[t.Name.Pos()] = n.Doc
				if t.Doc != nil {
					s.docs[t.Name.Pos()] = t.Doc
				}
			}
		}
	case *ast.InterfaceType:
		for _, f := range n.Methods.List {
			for _, name := range f.Names {
				s.docs[name.Pos()] = f.Doc
			}
		}
	}
	return true
}

// doc is the comment of something, without directives.
func (s *source) doc(o types.Object) string { return strings.TrimSpace(s.docs[o.Pos()].Text()) }

// reads reports whether the comment of a method says so.
func (s *source) reads(o types.Object) bool {
	doc := s.docs[o.Pos()]
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.TrimSpace(c.Text) == "//reeve:reads"
	})
}

// iface looks an interface up.
func (s *source) iface(name string) (*types.TypeName, *types.Interface, error) {
	o := s.pkg.Types.Scope().Lookup(name)
	if o == nil {
		return nil, nil, fmt.Errorf("package %s has no type %s", s.pkg.Name, name)
	}
	t, ok := o.(*types.TypeName)
	if !ok {
		return nil, nil, fmt.Errorf("%s is no type", name)
	}
	if named, ok := types.Unalias(t.Type()).(*types.Named); ok && named.TypeParams().Len() > 0 {
		return nil, nil, fmt.Errorf("%s has type parameters: declare an interface for the types that are shared", name)
	}
	i, ok := t.Type().Underlying().(*types.Interface)
	if !ok {
		return nil, nil, fmt.Errorf("%s is no interface, but a %s", name, describe(t.Type().Underlying()))
	}
	if !i.IsMethodSet() {
		return nil, nil, fmt.Errorf("%s is a constraint, not an interface of values", name)
	}
	return t, i, nil
}

// methods lists the exported methods in the order of the source; those that were
// embedded from other packages come last.
func (s *source) methods(i *types.Interface) []*types.Func {
	var list []*types.Func
	for m := range i.Methods() {
		if m.Exported() {
			list = append(list, m)
		}
	}
	place := func(m *types.Func) (foreign int, file string, offset int) {
		p := s.pkg.Fset.Position(m.Pos())
		if m.Pkg() != s.pkg.Types {
			foreign = 1
		}
		return foreign, p.Filename, p.Offset
	}
	slices.SortStableFunc(list, func(a, b *types.Func) int {
		af, an, ao := place(a)
		bf, bn, bo := place(b)
		return cmp.Or(cmp.Compare(af, bf), cmp.Compare(an, bn), cmp.Compare(ao, bo), cmp.Compare(a.Name(), b.Name()))
	})
	return list
}

// free is nil if the package has nothing of that name but in the file that is
// written.
func (s *source) free(name string) error {
	o := s.pkg.Types.Scope().Lookup(name)
	if o == nil {
		return nil
	}
	file, err := filepath.Abs(s.pkg.Fset.Position(o.Pos()).Filename)
	if err == nil && file == s.output {
		return nil
	}
	return errors.New(name + " is to be written, but the package has it already, in " + filepath.Base(file))
}

// isExportedName reports whether s can be the name of an exported type.
func isExportedName(s string) bool { return token.IsIdentifier(s) && token.IsExported(s) }

// describe says what a type is, for people.
func describe(t types.Type) string {
	switch t.(type) {
	case *types.Struct:
		return "struct"
	case *types.Pointer:
		return "pointer"
	case *types.Signature:
		return "function"
	}
	return t.String()
}
