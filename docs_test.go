package salesiq_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
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
