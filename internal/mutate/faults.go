package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// fault is a small change of a file.
type fault struct {
	file       string
	line       int
	start, end int    // The bytes that go.
	text       string // What comes instead.
	what       string // The change, for a reader.
}

// apply returns the source with the fault in it.
func (f fault) apply(source []byte) []byte {
	return slices.Concat(source[:f.start], []byte(f.text), source[f.end:])
}

// isAt reports whether the fault is in a file, or in a line such as window.go:52.
func (f fault) isAt(place string) bool {
	file := filepath.Base(f.file)
	return place == file || place == fmt.Sprintf("%s:%d", file, f.line)
}

// neighbors has, for each operator, the one that it is mistaken for.
var neighbors = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD,
}

// finder collects the faults that a file may have.
type finder struct {
	name   string
	source []byte
	files  *token.FileSet
	faults []fault
}

// findFaults returns all faults of a file that this program knows to make.
func findFaults(name string, source []byte) ([]fault, error) {
	f := &finder{name: name, source: source, files: token.NewFileSet()}
	file, err := parser.ParseFile(f.files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		f.visit(n)
		return true
	})
	return f.faults, nil
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Body != nil {
			f.zeroReturns(n.Type, n.Body)
		}
	case *ast.FuncLit:
		f.zeroReturns(n.Type, n.Body)
	case *ast.IfStmt:
		f.negate(n.Cond)
		if len(n.Body.List) > 0 {
			f.replace(n.Body.Lbrace+1, n.Body.Rbrace, "", "body removed: if "+f.text(n.Cond))
		}
	case *ast.ForStmt:
		if n.Cond != nil {
			f.negate(n.Cond)
		}
	case *ast.BinaryExpr:
		if other, ok := neighbors[n.Op]; ok {
			end := n.OpPos + token.Pos(len(n.Op.String()))
			f.replace(n.OpPos, end, other.String(), fmt.Sprintf("%s for %s: %s", other, n.Op, f.text(n)))
		}
	case *ast.BasicLit:
		if n.Kind == token.INT || n.Kind == token.FLOAT {
			f.replace(n.Pos(), n.End(), "("+n.Value+"+1)", "one more than "+n.Value)
		}
	case *ast.ExprStmt, *ast.DeferStmt, *ast.BranchStmt, *ast.IncDecStmt:
		f.remove(n)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			f.remove(n)
		}
	}
}

func (f *finder) negate(condition ast.Expr) {
	text := f.text(condition)
	f.replace(condition.Pos(), condition.End(), "!("+text+")", "negated: "+text)
}

func (f *finder) remove(n ast.Node) {
	f.replace(n.Pos(), n.End(), "", "removed: "+f.text(n))
}

// zeroReturns returns the zero value in the place of each result of a func.
func (f *finder) zeroReturns(signature *ast.FuncType, body *ast.BlockStmt) {
	results := f.resultTypes(signature)
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == len(results) {
			for i, value := range r.Results {
				f.zero(value, results[i])
			}
		}
		_, nested := n.(*ast.FuncLit)
		return !nested
	})
}

func (f *finder) zero(value ast.Expr, kind string) {
	if text := f.text(value); !slices.Contains([]string{"nil", "0", "false", `""`, kind + "{}"}, text) {
		f.replace(value.Pos(), value.End(), "*new("+kind+")", "returns zero: "+text)
	}
}

func (f *finder) resultTypes(signature *ast.FuncType) (kinds []string) {
	if signature.Results == nil {
		return nil
	}
	for _, field := range signature.Results.List {
		for range max(1, len(field.Names)) {
			kinds = append(kinds, f.text(field.Type))
		}
	}
	return kinds
}

func (f *finder) replace(start, end token.Pos, text, what string) {
	from := f.files.Position(start)
	f.faults = append(f.faults, fault{
		file: f.name, line: from.Line, start: from.Offset, end: f.files.Position(end).Offset, text: text, what: firstLine(what),
	})
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.files.Position(n.Pos()).Offset:f.files.Position(n.End()).Offset])
}

func firstLine(s string) string {
	first, _, cut := strings.Cut(s, "\n")
	if cut {
		first += " …"
	}
	return first
}
