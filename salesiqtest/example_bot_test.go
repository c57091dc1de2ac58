package salesiqtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// greeter is a bot: any handler that speaks the protocol is one.
var greeter = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Handler string `json:"handler"`
		Message struct {
			Text string `json:"text"`
		} `json:"message"`
	}
	if r.Method == http.MethodHead || json.NewDecoder(r.Body).Decode(&asked) != nil {
		return
	}
	answer := map[string]any{"action": "reply", "replies": []string{"Your order is on its way, and comes on Friday."}}
	switch {
	case asked.Handler == "trigger":
		answer["replies"], answer["suggestions"] = []string{"Hello! What is it about?"}, []string{"My order", "Something else"}
	case asked.Message.Text == "Something else":
		answer = map[string]any{"action": "forward", "department": "dept790", "replies": []string{"I find somebody for you."}}
	}
	json.NewEncoder(w).Encode(answer) //nolint:errcheck,errchkjson // The visitor has gone.
})

// A test plays a visitor. It gets what was said if something else is said than expected.
func ExampleConverse() {
	test := func(t testing.TB) {
		t.Helper()
		c := salesiqtest.Converse(t, greeter)
		c.Opens()
		c.Expects("Hello! …")
		c.ExpectsCard("suggestions", "My order", "Something else")
		c.Chooses("My order")
		c.Expects("… comes on Friday.")
		c.Says("Something else")
		c.ExpectsForward("Support")
		fmt.Print(c)
	}
	t := &exampleTest{}
	defer t.end()
	test(t) // In a program, go test does this.
	// Output:
	//   visitor  (opens the chat window)
	//   Zobot    Hello! What is it about?
	//   Zobot    (suggestions) My order | Something else
	//   visitor  My order
	//   Zobot    Your order is on its way, and comes on Friday.
	//   visitor  Something else
	//   Zobot    I find somebody for you.
	//   Zobot    (forward to dept790)
}

// exampleTest is a test outside of go test.
type exampleTest struct {
	testing.TB

	cleanups []func()
}

func (*exampleTest) Helper() {}

func (t *exampleTest) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *exampleTest) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *exampleTest) end() {
	for i := range t.cleanups {
		t.cleanups[len(t.cleanups)-1-i]()
	}
}
