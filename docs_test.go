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
	methods := serviceMethods(t)
	for name, method := range methods {
		due := []string{"- Endpoint: " + strings.Replace(pattern(method), " ", " /api/v2", 1), "scope SalesIQ.", "- Errors: ", `- Source: specification, "`}
		for _, words := range due {
			assert.Contains(t, docOf(method), words, name)
		}
	}
	assert.Len(t, methods, 33+6+3, "the 33 calls, All of six lists, AllOpen, Transcripts and Export")
}

func TestTableOfCallsHasEveryEndpoint(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("docs/calls.md")
	require.NoError(t, err)
	rows := 0
	for name, method := range serviceMethods(t) {
		if pattern(method) == "" || strings.HasSuffix(name, ".All") || strings.HasSuffix(name, ".AllOpen") {
			continue
		}
		rows++
		if service, list := strings.CutSuffix(name, ".List"); list {
			name += "`, `" + service + ".All"
		}
		scope := regexp.MustCompile(`scope (SalesIQ\.\w+\.\w+)`).FindStringSubmatch(docOf(method))[1]
		assert.Contains(t, string(table), "\n| `"+name+"` | "+pattern(method)+" | `"+scope+"` |\n")
	}
	assert.Equal(t, rows, strings.Count(string(table), "\n| `"))
}

// serviceMethods returns the methods of the services, by names such as "Chats.Get".
func serviceMethods(t *testing.T) map[string]*ast.FuncDecl {
	t.Helper()
	methods := map[string]*ast.FuncDecl{}
	for _, service := range []string{"Chats", "Visitors", "Operators", "Brands", "Routing", "Webhooks", "Devices"} {
		file, err := parser.ParseFile(token.NewFileSet(), strings.ToLower(service)+".go", nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if ok && method.Recv != nil && ast.IsExported(method.Name.Name) && receiver(method) == "s" {
				methods[service+"."+method.Name.Name] = method
			}
		}
	}
	return methods
}

// docOf returns what the comment of a method says, on one line.
func docOf(method *ast.FuncDecl) string { return strings.Join(strings.Fields(method.Doc.Text()), " ") }

// What CONTRIBUTING shows of an endpoint is what the tree has, line by line.
func TestContributingShowsTheTreeAsItIs(t *testing.T) {
	t.Parallel()
	var tree strings.Builder
	for _, file := range []string{"chats.go", "wire_test.go", "salesiqtest/routes.go", "salesiqtest/domain_chats.go"} {
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

// What CONTRIBUTING names, a newcomer finds.
func TestContributingNamesFilesThatExist(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(guide), "")
	names := regexp.MustCompile("`([\\w/]+\\.(?:go|lua)|(?:internal|cmd)/[\\w/-]+)`").FindAllStringSubmatch(text, -1)
	require.Greater(t, len(names), 40)
	for _, name := range names {
		assert.True(t, exists(name[1]), name[1])
	}
}

// CONTRIBUTING has a row for each folder. What it may import of this repository, it does import,
// and nothing else.
func TestContributingTellsWhatEachFolderImports(t *testing.T) {
	t.Parallel()
	rows := tableOfFolders(t)
	for _, folder := range packageFolders(t) {
		row := folder
		for row != "." && rows[row] == "" {
			row = filepath.Dir(row) // The row of a module is for all its folders.
		}
		require.Equal(t, folder == ".", row == ".", "%s has no row", folder)
		found, err := build.ImportDir(folder, 0)
		require.NoError(t, err)
		switch may := rows[row]; may {
		case "everything":
		case "the public packages alone":
			for _, ours := range oursAmong(slices.Concat(found.Imports, found.TestImports, found.XTestImports)) {
				assert.False(t, strings.HasPrefix(ours, "internal/"), "%s imports %s", folder, ours)
			}
		default:
			checkImports(t, folder, may, found.Imports)
		}
	}
}

// checkImports compares what a folder imports with what it may.
func checkImports(t *testing.T, folder, may string, imports []string) {
	t.Helper()
	ours := oursAmong(imports)
	for _, name := range regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(may, -1) {
		name := name[1]
		if !exists(name) && name != "salesiq" {
			name = "internal/" + name
		}
		permits := func(path string) bool {
			return path == name || strings.HasSuffix(name, "/") && strings.HasPrefix(path, name)
		}
		assert.True(t, slices.ContainsFunc(ours, permits), "%s may import %s, and does not", folder, name)
		ours = slices.DeleteFunc(ours, permits)
	}
	assert.Empty(t, ours, "%s may not import this", folder)
	if may == "the standard library" {
		assert.False(t, slices.ContainsFunc(imports, func(path string) bool { return strings.Contains(path, ".") }), "%s: %s", folder, imports)
	}
}

// oursAmong returns the folders of this repository among what a package imports. The root is
// called salesiq.
func oursAmong(imports []string) (folders []string) {
	for _, path := range imports {
		if path == "github.com/salesiq-go/salesiq" {
			folders = append(folders, "salesiq")
		} else if folder, ok := strings.CutPrefix(path, "github.com/salesiq-go/salesiq/"); ok {
			folders = append(folders, folder)
		}
	}
	return folders
}

// tableOfFolders returns, for each folder that CONTRIBUTING has a row for, what it may import.
func tableOfFolders(t *testing.T) map[string]string {
	t.Helper()
	guide, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\| [^|]+ \\| ([^|]+) \\|$").FindAllStringSubmatch(string(guide), -1) {
		for _, folder := range regexp.MustCompile("`([^`]+?)(?:/\\*)?`").FindAllStringSubmatch(row[1], -1) {
			rows[folder[1]] = row[2]
		}
	}
	require.Greater(t, len(rows), 30)
	return rows
}

// A link from one document to another leads to a file, and to a heading in it.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	links := regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]+))?\)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", ".github/*.md"} {
		documents, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, document := range documents {
			text, err := os.ReadFile(document)
			require.NoError(t, err)
			for _, link := range links.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
				target := filepath.Join(filepath.Dir(document), link[1])
				if link[1] == "" {
					target = document
				}
				if !assert.True(t, exists(target), "%s: %s", document, link[0]) || link[2] == "" {
					continue
				}
				assert.Contains(t, anchors(t, target), link[2], "%s: %s", document, link[0])
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// anchors returns the names under which the headings of a document, or of the
// README of a folder, can be linked to.
func anchors(t *testing.T, path string) (names []string) {
	t.Helper()
	if filepath.Ext(path) != ".md" {
		path = filepath.Join(path, "README.md")
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		words := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		names = append(names, strings.ReplaceAll(words, " ", "-"))
	}
	return names
}

// A link in a comment, such as [Client.Do], names something that there is. If it
// does not, readers see its brackets.
func TestLinksInCommentsNameSomething(t *testing.T) {
	t.Parallel()
	packages := map[string]*doc.Package{}
	names := func(link *comment.DocLink) bool {
		folder, ok := folderOf(link.ImportPath)
		if !ok {
			return true // The parser has found it, or it is not here.
		}
		if packages[folder] == nil {
			packages[folder], _ = documented(t, folder)
		}
		return link.Name == "" || packages[folder].Parser().LookupSym(link.Recv, link.Name)
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

// receiver returns the name of a method's receiver, which is s for a service.
func receiver(method *ast.FuncDecl) string {
	if names := method.Recv.List[0].Names; len(names) > 0 {
		return names[0].Name
	}
	return ""
}

// pattern returns the pattern that a method makes its call from, such as
// "GET /chats/{chat_id}". It is empty if the method makes no call itself.
func pattern(method *ast.FuncDecl) (pattern string) {
	ast.Inspect(method, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if function, ok := call.Fun.(*ast.Ident); ok && function.Name == "newCall" {
			pattern, _ = strconv.Unquote(call.Args[1].(*ast.BasicLit).Value)
		}
		return true
	})
	return pattern
}
