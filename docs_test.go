package salesiq_test

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of each method, go doc answers which endpoint it calls, which scope that takes,
// which errors to expect, and where all that comes from.
func TestEveryMethodTellsItsEndpoint(t *testing.T) {
	t.Parallel()
	methods := 0
	for _, name := range []string{"chats", "visitors", "operators", "brands", "routing", "webhooks", "devices"} {
		file, err := parser.ParseFile(token.NewFileSet(), name+".go", nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || !ast.IsExported(method.Name.Name) || receiver(method) != "s" {
				continue
			}
			methods++
			doc := strings.Join(strings.Fields(method.Doc.Text()), " ")
			why := name + ": " + method.Name.Name
			for _, due := range []string{"- Endpoint: " + endpoint(method), "scope SalesIQ.", "- Errors: ", `- Source: specification, "`} {
				assert.Contains(t, doc, due, why)
			}
		}
	}
	assert.Equal(t, 33+6+1, methods, "the 33 calls, All of six lists, and Transcripts")
}

// What CONTRIBUTING shows of an endpoint is what the tree has, line by line.
func TestContributingShowsTheTreeAsItIs(t *testing.T) {
	t.Parallel()
	var tree strings.Builder
	for _, file := range []string{"chats.go", "wire_test.go", "salesiqtest/routes.go", "salesiqtest/chats.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		tree.WriteString(unindented(string(source)))
	}
	guide, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	require.Len(t, snippets, 5)
	for _, snippet := range snippets {
		for line := range strings.SplitSeq(unindented(snippet[1]), "\n") {
			assert.True(t, line == "…" || strings.Contains(tree.String(), line), line)
		}
	}
}

// A link in a comment, such as [Client.Do], names something that there is. If it
// does not, readers see its brackets.
func TestLinksInCommentsNameSomething(t *testing.T) {
	t.Parallel()
	packages := map[string]*doc.Package{}
	names := func(link *comment.DocLink) bool {
		folder, ok := folderOf(link.ImportPath)
		if !ok || link.Name == "" {
			return true // The parser has looked, or it is a package.
		}
		if packages[folder] == nil {
			packages[folder], _ = documented(t, folder)
		}
		return packages[folder].Parser().LookupSym(link.Recv, link.Name)
	}
	unresolved := regexp.MustCompile(`\B\[\*?([\w/.-]+\.)?[A-Z]\w+\]`)
	for _, folder := range packageFolders(t) {
		pkg, comments := documented(t, folder)
		for _, text := range comments {
			printer := comment.Printer{DocLinkURL: func(link *comment.DocLink) string {
				assert.True(t, names(link), "%s: %s.%s is not there: %s", folder, link.ImportPath, link.Name, text)
				return ""
			}}
			parsed := pkg.Parser().Parse(text)
			parsed.Content = slices.DeleteFunc(parsed.Content, func(block comment.Block) bool { _, code := block.(*comment.Code); return code })
			assert.Empty(t, unresolved.FindAllString(string(printer.HTML(parsed)), -1), "%s: %s", folder, text)
		}
	}
}

// folderOf returns the folder of a package of the standard library or of this
// repository.
func folderOf(importPath string) (folder string, ok bool) {
	if rest, ours := strings.CutPrefix(importPath, "github.com/salesiq-go/salesiq"); ours {
		return "." + rest, true
	}
	return filepath.Join(build.Default.GOROOT, "src", importPath), importPath != "" && !strings.Contains(importPath, ".")
}

// packageFolders returns the folders of this repository that hold Go code.
func packageFolders(t *testing.T) (folders []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		if folder := filepath.Dir(path); strings.HasSuffix(path, ".go") && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		return err
	}))
	return folders
}

// documented returns the documentation of the package in a folder, and the text
// of all its comments.
func documented(t *testing.T, folder string) (pkg *doc.Package, comments []string) {
	t.Helper()
	found, err := build.ImportDir(folder, 0)
	require.NoError(t, err)
	fileSet := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Concat(found.GoFiles, found.CgoFiles) {
		file, err := parser.ParseFile(fileSet, filepath.Join(folder, name), nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
		for _, group := range file.Comments {
			comments = append(comments, group.Text())
		}
	}
	pkg, err = doc.NewFromFiles(fileSet, files, folder, doc.AllDecls|doc.PreserveAST)
	require.NoError(t, err)
	return pkg, comments
}

// receiver is what a method calls what it belongs to. A service is s.
func receiver(method *ast.FuncDecl) string {
	if names := method.Recv.List[0].Names; len(names) > 0 {
		return names[0].Name
	}
	return ""
}

// endpoint is the method and path that a method makes its call from, if it makes
// one itself.
func endpoint(method *ast.FuncDecl) (pattern string) {
	ast.Inspect(method, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if function, ok := call.Fun.(*ast.Ident); ok && function.Name == "newCall" {
			text, _ := strconv.Unquote(call.Args[1].(*ast.BasicLit).Value)
			pattern = strings.Replace(text, " ", " /api/v2", 1)
		}
		return true
	})
	return pattern
}
