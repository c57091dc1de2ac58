// Command apisize prints how many names each package exports, and how many
// files of code it has:
//
//	go run ./internal/apisize . webhook widget live salesiqtest
//
// A name is a constant, a variable, a func or a type. Methods and fields are not
// counted.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	folders := os.Args[1:]
	if len(folders) == 0 {
		folders = []string{"."}
	}
	for _, folder := range folders {
		names, files, err := measure(folder)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s: %d exported names in %d files\n", folder, len(names), files)
	}
}

// measure returns the exported names of the package in a folder, and the number
// of its files without tests.
func measure(folder string) (names []string, files int, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, 0, err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, 0, err
		}
		files++
		for _, declaration := range file.Decls {
			names = append(names, exported(declaration)...)
		}
	}
	return names, files, nil
}

// exported returns the exported names of a declaration.
func exported(declaration ast.Decl) (names []string) {
	var all []*ast.Ident
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			all = append(all, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				all = append(all, s.Name)
			case *ast.ValueSpec:
				all = append(all, s.Names...)
			}
		}
	}
	for _, name := range all {
		if name.IsExported() {
			names = append(names, name.Name)
		}
	}
	return names
}
