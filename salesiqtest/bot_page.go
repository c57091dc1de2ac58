package salesiqtest

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"net/http"
)

// widgetPage is what /widget/page serves: a page of a shop with the widget, to try a bot in a
// browser.
//
//go:embed bot_page.html
var widgetPage []byte

// servePage serves the page under a policy that lets it load nothing but its own. What a
// bot shows may come from anywhere.
func servePage(w http.ResponseWriter, _ *http.Request) {
	nonce := rand.Text()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'; "+
		"connect-src 'self'; img-src * data:; media-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Write(bytes.ReplaceAll(widgetPage, []byte("{nonce}"), []byte(nonce)))
}
