package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachKindOfStatementHasItsFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		signature, body string
		want            []string // The body with one fault.
	}{
		{"f(a bool)", "if a { g() }", []string{"if !(a) { g() }", "if a {}", "if a {  }"}},
		{"f(a bool)", "for a { continue }", []string{"for !(a) { continue }", "for a {  }"}},
		{"f(a int) bool", "return a < b", []string{"return *new(bool)", "return a <= b"}},
		{"f(a bool) bool", "return a && b", []string{"return *new(bool)", "return a || b"}},
		{"f() (n, m int, err error)", "return 7, 0, nil", []string{"return *new(int), 0, nil", "return (7+1), 0, nil", "return 7, (0+1), nil"}},
		{"f() (T, bool)", "return T{}, false", nil},
		{"f()", "defer g()", []string{""}},
		{"f()", "a.b = c", []string{""}},
		{"f()", "n++", []string{""}},
		{"f()", "a := b", nil},
		{"f()", "h(func() bool { return true })", []string{"", "h(func() bool { return *new(bool) })"}},
	} {
		head := "package p\n\nfunc " + tt.signature + " { "
		source := []byte(head + tt.body + " }\n")
		faults, err := findFaults("p.go", source)
		require.NoError(t, err)
		var got []string
		for _, f := range faults {
			assert.Equal(t, 3, f.line)
			faulty := bytes.TrimPrefix(f.apply(source), []byte(head))
			got = append(got, string(bytes.TrimSuffix(faulty, []byte(" }\n"))))
		}
		assert.ElementsMatch(t, tt.want, got, tt.body)
	}
}

func TestFaultsAreNoticedOrNotAndTheTreeStaysAsItIs(t *testing.T) {
	folder := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"p.go":   "package p\n\nfunc tested(n int) bool { return n < 3 }\n\nfunc untested() { use(tested) }\n\nfunc use(any) {}\n",
		"p_test.go": "package p\n\nimport \"testing\"\n\n" +
			"func Test(t *testing.T) {\n\tif !tested(2) || tested(3) {\n\t\tt.Fail()\n\t}\n}\n",
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	t.Chdir(folder)
	var out bytes.Buffer
	tr := trial{out: &out, count: 10, parallel: 2, limit: time.Minute}
	require.NoError(t, tr.run(t.Context(), "./"))
	for _, line := range []string{
		"p.go:3: <= for <: n < 3: noticed\n",
		"p.go:3: one more than 3: noticed\n",
		"p.go:3: returns zero: n < 3: noticed\n",
		"p.go:5: removed: use(tested): NOT NOTICED\n",
		"./: 3 of 4 faults noticed\n",
	} {
		assert.Contains(t, out.String(), line)
	}
	for name, text := range files {
		left, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.Equal(t, text, string(left))
	}
	for place, count := range map[string]int{"p.go": 4, "p.go:5": 1, "p.go:4": 0, "q.go": 0} {
		tr.at = place
		faults, err := tr.draw("./")
		require.NoError(t, err)
		assert.Len(t, faults, count, place)
	}
}

func TestFaultsThatDoNotCompileAreNotCounted(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module example.com/m\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "p.go"), []byte("package p\n\nimport \"os\"\n\nfunc f() { os.Exit(0) }\n"), 0o600))
	t.Chdir(folder)
	var out bytes.Buffer
	tr := trial{out: &out, count: 10, limit: time.Minute}
	require.NoError(t, tr.run(t.Context(), "./"))
	assert.Contains(t, out.String(), "./: 0 of 1 faults noticed\n", "without its call, os is imported and not used")
}

func TestTestsThatFailByThemselvesNoticeNothing(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module example.com/m\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "p.go"), []byte("package p\n\nfunc f() int { return 7 }\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "p_test.go"), []byte("package p\n\nimport \"testing\"\n\nfunc Test(t *testing.T) { t.Fatal(f()) }\n"), 0o600))
	t.Chdir(folder)
	tr := trial{out: io.Discard, count: 10, limit: time.Minute}
	require.ErrorContains(t, tr.run(t.Context(), "./"), "without a fault")
}
