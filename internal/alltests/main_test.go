package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReportNamesWhatWasSkippedAndWhatFailed(t *testing.T) {
	t.Parallel()
	const events = `
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"noise\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestBrowser","Output":"=== RUN   TestBrowser\n"}
{"Action":"output","Package":"a","Test":"TestBrowser","Output":"    browser_test.go:12: chromium is not installed\n"}
{"Action":"output","Package":"a","Test":"TestBrowser","Output":"--- SKIP: TestBrowser (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestBrowser"}
{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}
{"Action":"pass","Package":"a"}
{"Action":"output","Package":"b","Test":"TestBad","Output":"    bad_test.go:3: one is not two\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
`
	var out strings.Builder
	r := newReport(&out)
	r.read(strings.NewReader(strings.TrimSpace(events)))
	r.close()
	assert.Equal(t, `ok  	a	0.1s
    bad_test.go:3: one is not two
skipped TestBrowser: chromium is not installed
1 passed, 1 failed, 1 skipped
`, out.String())
}
