package live_test

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
)

func unescape(text string) (string, error) { return url.QueryUnescape(text) }

// The calls that the vendor publishes, one per line.
//
//go:embed calls.tsv
var callsTable string

// published is a row of the table.
type published struct {
	family, operation, method, path, scope, page, source, status, goMethod string
}

func publishedCalls(t *testing.T) []published {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(callsTable))
	reader.Comma = '\t'
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"family", "operation", "method", "path", "scope", "page", "method_source", "status", "go"}, rows[0])
	calls := make([]published, 0, len(rows))
	for _, r := range rows[1:] {
		calls = append(calls, published{r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]})
	}
	return calls
}

func TestTheTableHasAllCallsThatAreKnown(t *testing.T) {
	t.Parallel()
	known := map[string]int{}
	operations := map[string]bool{}
	for _, call := range publishedCalls(t) {
		known[call.status]++
		assert.False(t, operations[call.operation], call.operation)
		operations[call.operation] = true
		switch call.status {
		case "F":
			assert.NotEqual(t, "-", call.goMethod, "%s is fully specified, and has no method", call.operation)
		case "N":
			assert.Equal(t, "-", call.goMethod, "%s is known by name alone", call.operation)
		}
	}
	assert.Equal(t, map[string]int{"F": 92, "P": 85, "N": 25}, known)
}

var words = regexp.MustCompile(`[A-Za-z0-9]+(?:/v\d)?`)

// Who has a path of the vendor's pages finds in the package's comment the service
// that makes the call: both stand on one line, or on the one after a comma.
func TestThePackageDocLeadsFromAPathToItsService(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	lines := strings.Split(strings.ReplaceAll(file.Doc.Text(), ",\n", ", "), "\n")
	for _, call := range publishedCalls(t) {
		if call.goMethod == "-" {
			continue
		}
		service, _, _ := strings.Cut(call.goMethod, ".")
		path := regexp.MustCompile(`^/(?:api/v\d/|api/)?`).ReplaceAllString(call.path, "")
		literal := words.FindAllString(braces.ReplaceAllString(path, ""), -1)
		assert.True(t, slices.ContainsFunc(lines, func(line string) bool {
			all := words.FindAllString(line, -1)
			return strings.HasPrefix(line, "\t") && slices.Contains(all, service) &&
				slices.ContainsFunc(literal, func(word string) bool { return slices.Contains(all, word) })
		}), "%s has no line that leads from %v to %s", call.operation, literal, service)
	}
}

// The documents tell how many calls there are, and how many of them have methods.
func TestTheDocumentsCountTheCallsOfTheTable(t *testing.T) {
	t.Parallel()
	known, typed, families := map[string]int{}, map[string]int{}, []string{}
	for _, call := range publishedCalls(t) {
		if !slices.Contains(families, call.family) {
			families = append(families, call.family)
		}
		for _, name := range []string{"", call.status, call.family} {
			known[name]++
			if call.goMethod != "-" {
				typed[name]++
			}
		}
	}
	table := "| | calls | methods |\n| --- | --- | --- |\n"
	for _, row := range []struct{ title, status string }{
		{"fully specified", "F"}, {"an answer, a scope or the like is not shown", "P"}, {"a name alone", "N"}, {"**in all**", ""},
	} {
		table += fmt.Sprintf("| %s | %d | %d |\n", row.title, known[row.status], typed[row.status])
	}
	list := []string{}
	for _, family := range families {
		if typed[family] == known[family] {
			list = append(list, fmt.Sprintf("%s %d", family, known[family]))
		} else {
			list = append(list, fmt.Sprintf("%s %d of %d", family, typed[family], known[family]))
		}
	}
	for path, want := range map[string]string{
		"../docs/live.md": table + "\nBy family: " + strings.Join(list, ", ") + ".",
		"../README.md":    fmt.Sprintf("has %d of its %d calls as methods: all %d that are fully specified, and %d of the %d others", typed[""], known[""], known["F"], typed["P"], known["P"]+known["N"]),
		"doc.go":          fmt.Sprintf("Of the %d calls that the pages name, %d are methods here", known[""], typed[""]),
	} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		text := strings.Join(strings.Fields(strings.ReplaceAll(string(data), "\n// ", " ")), " ")
		assert.Contains(t, text, strings.Join(strings.Fields(want), " "), path)
	}
}

// services returns the names of the methods of package live that make calls.
func services() map[string]bool {
	methods := map[string]bool{}
	all := reflect.TypeFor[live.Service]()
	for service := range all.Fields() {
		for method := range service.Type.Methods() {
			methods[service.Name+"."+method.Name] = true
		}
	}
	return methods
}

// alsoMethods are methods that go through the pages of another method's list, or send
// a file where another sends a text.
var alsoMethods = []string{
	"Conversations.All", "Threads.All", "Messages.All", "Feedback.All", "Calls.All", "Operators.All", "Departments.All",
	"Articles.All", "CannedResponses.All", "Visitors.Before", "Visitors.VisitsBefore", "Visitors.EventsBefore", "VisitorSide.SendFile",
}

func TestTableMethodsAndWireRowsAgree(t *testing.T) {
	t.Parallel()
	methods := services()
	rows := map[string]wireRow{}
	for _, row := range wireRows {
		rows[row.call] = row
	}
	inTable := map[string]bool{}
	for _, call := range publishedCalls(t) {
		if call.goMethod == "-" {
			continue
		}
		inTable[call.goMethod] = true
		assert.True(t, methods[call.goMethod], "no method %s for %s", call.goMethod, call.operation)
		row, ok := rows[call.goMethod]
		if !assert.True(t, ok, "%s has no row in wireRows", call.goMethod) {
			continue
		}
		method, path, _ := strings.Cut(row.want, " ")
		assert.Equal(t, call.method, method, call.goMethod)
		assert.Regexp(t, pattern(call.path), path, call.goMethod)
	}
	for name := range methods {
		assert.True(t, inTable[name] || slices.Contains(alsoMethods, name), "%s is not in calls.tsv", name)
		assert.NotEmpty(t, rows[name].call, "%s has no row in wireRows", name)
	}
	assert.GreaterOrEqual(t, len(inTable), 160)
}

var braces = regexp.MustCompile(`\{[a-z_]+\}`)

// pattern matches a path with values in place of its names in braces.
func pattern(path string) string { return "^" + braces.ReplaceAllString(path, "[^/]+") + "$" }

func TestEachMethodSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	docs := methodDocs(t)
	for _, call := range publishedCalls(t) {
		if call.goMethod == "-" {
			continue
		}
		doc := strings.Join(strings.Fields(docs[call.goMethod]), " ")
		path := strings.ReplaceAll(call.path, "{portal}", "{screen_name}")
		assert.Contains(t, doc, "Endpoint: "+call.method+" "+path+" ["+call.source+"]", call.goMethod)
		if call.scope != "-" {
			assert.Contains(t, doc, "SalesIQ."+call.scope, call.goMethod)
		}
		if call.page != "-" {
			assert.Contains(t, doc, call.page+".html", call.goMethod)
		}
	}
}

// methodDocs returns the comments of all methods of services, by the name of the
// service and the method.
func methodDocs(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }, parser.ParseComments) //nolint:staticcheck // One package, no build tags.
	require.NoError(t, err)
	docs := map[string]string{}
	for _, file := range packages["live"].Files {
		for _, decl := range file.Decls {
			method, ok := decl.(*ast.FuncDecl)
			if !ok || method.Recv == nil {
				continue
			}
			pointer, _ := method.Recv.List[0].Type.(*ast.StarExpr)
			if pointer == nil {
				continue
			}
			if receiver, ok := pointer.X.(*ast.Ident); ok {
				docs[strings.TrimSuffix(receiver.Name, "Service")+"."+method.Name.Name] = method.Doc.Text()
			}
		}
	}
	return docs
}

func TestScopesAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, name := range scopeConstants(t) {
		known[strings.ToLower(name)] = true
	}
	for _, call := range publishedCalls(t) {
		if call.scope == "-" || strings.HasPrefix(call.scope, "{module}") {
			continue
		}
		assert.True(t, known[strings.ToLower("SalesIQ."+call.scope)], "%s has no constant", call.scope)
	}
}

// scopeConstants returns the values of the constants in scopes.go.
func scopeConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "scopes.go", nil, 0)
	require.NoError(t, err)
	var values []string
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok {
			values = append(values, strings.Trim(literal.Value, `"`))
		}
		return true
	})
	return values
}
