package salesiq_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"text/template"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/webhook"
)

const hidden = "do-not-show-this"

// everyWay prints, logs and encodes a value in every way that Go programs do.
func everyWay(t testing.TB, v any) map[string]string {
	t.Helper()
	ways := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%w", "%10s", "%p", "%T %v"} {
		ways[verb] = fmt.Sprintf(verb, v)
		ways["error "+verb] = fmt.Errorf(verb, v).Error()
	}
	ways["Sprint"] = fmt.Sprint(v, []any{v}, map[string]any{"k": v})
	ways["error"] = fmt.Errorf("wrapped: %v", v).Error()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json":    json.Marshal,
		"encoding/json v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		data, err := marshal(v)
		require.NoError(t, err, name)
		ways[name] = string(data)
	}
	var text, jsonLog bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	ways["slog text"], ways["slog JSON"] = text.String(), jsonLog.String()
	var page bytes.Buffer
	require.NoError(t, template.Must(template.New("page").Parse(`{{.}} {{printf "%v %+v %#v %s %q %x" . . . . . .}}`)).Execute(&page, v))
	ways["template"] = page.String()
	var binary bytes.Buffer
	if err := gob.NewEncoder(&binary).Encode(v); err == nil { // It refuses what has no exported fields.
		ways["gob"] = binary.String()
	}
	if data, err := xml.Marshal(v); err == nil { // It refuses maps.
		ways["xml"] = string(data)
	}
	return ways
}

// config is a struct of somebody's, with secrets in fields that package fmt
// cannot ask for their methods.
type config struct {
	secret   salesiq.Secret
	pointer  *salesiq.Secret
	list     []salesiq.Secret
	array    [1]salesiq.Secret
	byName   map[string]salesiq.Secret
	bySecret map[salesiq.Secret]int
	opt      salesiq.Opt[salesiq.Secret]
	any      any
	inner    struct{ credentials salesiq.Credentials }
	Exported struct{ Secret salesiq.Secret }
}

func newConfig(secret salesiq.Secret) config {
	c := config{
		secret: secret, pointer: &secret, list: []salesiq.Secret{secret}, array: [1]salesiq.Secret{secret},
		byName: map[string]salesiq.Secret{"k": secret}, bySecret: map[salesiq.Secret]int{secret: 1},
		opt: salesiq.Set(secret), any: secret,
	}
	c.inner.credentials = salesiq.Credentials{ClientSecret: secret, RefreshToken: secret}
	c.Exported.Secret = secret
	return c
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	secret := salesiq.NewSecret(hidden)
	for _, value := range []any{
		secret, &secret, []salesiq.Secret{secret}, map[string]salesiq.Secret{"k": secret},
		salesiq.Set(secret), new(salesiq.Set(secret)), salesiq.Set([]salesiq.Secret{secret}),
		salesiq.Webhook{Secret: secret}, &salesiq.Webhook{Secret: secret}, []salesiq.Webhook{{Secret: secret}},
		salesiq.WebhookCreate{Secret: secret}, salesiq.WebhookUpdate{Secret: salesiq.Set(secret)},
		&salesiq.WebhookUpdate{Secret: salesiq.Set(secret)},
		salesiq.Page[salesiq.Webhook]{Items: []salesiq.Webhook{{Secret: secret}}},
		salesiq.Set(salesiq.WebhookCreate{Secret: secret}),
		newConfig(secret), new(newConfig(secret)), []config{newConfig(secret)}, map[string]any{"k": newConfig(secret)},
		map[salesiq.Secret]string{secret: "v"}, [1]salesiq.Secret{secret}, []any{secret, &secret},
	} {
		for way, shown := range everyWay(t, value) {
			assert.NotContains(t, shown, hidden, "%T through %s", value, way)
			assert.NotContains(t, shown, fmt.Sprintf("%x", hidden), "%T through %s", value, way)
		}
	}
	data, err := xml.Marshal(secret)
	require.NoError(t, err)
	assert.NotContains(t, string(data), hidden)
	type element struct {
		Secret    salesiq.Secret
		Attribute salesiq.Secret `xml:"attribute,attr"`
	}
	data, err = xml.Marshal(element{secret, secret})
	require.NoError(t, err)
	assert.Equal(t, `<element attribute="[redacted]"><Secret>[redacted]</Secret></element>`, string(data))
}

func TestSecretIsReadFromAFieldOfJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Secret, Mask, None salesiq.Secret
		Opt                salesiq.Opt[salesiq.Secret]
	}
	require.NoError(t, json.Unmarshal([]byte(`{"Secret":"do-not-show-this","Mask":"[redacted]","None":"","Opt":"do-not-show-this"}`), &got))
	assert.Equal(t, hidden, got.Secret.Reveal())
	assert.True(t, got.Mask.IsZero(), "the mask is no secret")
	assert.True(t, got.None.IsZero())
	opt, _ := got.Opt.Get()
	assert.Equal(t, got.Secret, opt)
}

// S7: the mask is a public word, so whoever signs with it must not be believed, nor
// may it stand for the secret that it hides.
func TestMaskIsNoSecretAnywhere(t *testing.T) {
	t.Parallel()
	sent := &requestCounter{}
	transport := &http.Client{Transport: sent}
	mask := salesiq.NewSecret(redact.Mask)
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("token")}
	build := func(auth salesiq.Authenticator) error {
		_, err := salesiq.NewClient(auth, salesiq.WithHTTPClient(transport))
		return err
	}
	with := func(change func(*salesiq.Credentials)) salesiq.Credentials {
		changed := credentials
		change(&changed)
		return changed
	}
	oauth := salesiq.OAuth{Credentials: credentials, HTTPClient: transport}
	maskedOAuth := salesiq.OAuth{Credentials: with(func(c *salesiq.Credentials) { c.ClientSecret = mask }), HTTPClient: transport}
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithHTTPClient(transport))
	require.NoError(t, err)

	kept, err := json.Marshal(salesiq.WebhookUpdate{Secret: salesiq.Set(salesiq.NewSecret("webhook-secret"))})
	require.NoError(t, err)
	var update salesiq.WebhookUpdate
	require.NoError(t, json.Unmarshal(kept, &update))

	for name, use := range map[string]func() error{
		"StaticToken":   func() error { return build(salesiq.StaticToken(redact.Mask)) },
		"client secret": func() error { return build(salesiq.RefreshToken(maskedOAuth.Credentials, nil)) },
		"refresh token": func() error {
			return build(salesiq.RefreshToken(with(func(c *salesiq.Credentials) { c.RefreshToken = mask }), nil))
		},
		"Exchange": func() error { _, err := oauth.Exchange(t.Context(), salesiq.AuthCode{Code: mask}); return err },
		"Exchange's secret": func() error {
			_, err := maskedOAuth.Exchange(t.Context(), salesiq.AuthCode{Code: salesiq.NewSecret("c")})
			return err
		},
		"ParseCallback": func() error {
			_, err := oauth.ParseCallback(url.Values{"state": {"s"}, "code": {redact.Mask}}, "s")
			return err
		},
		"Revoke":            func() error { return oauth.Revoke(t.Context(), mask) },
		"Webhooks.Update":   func() error { _, err := client.Webhooks.Update(t.Context(), "w1", &update); return err },
		"webhook.HMAC":      func() error { _, err := webhook.NewReceiver(webhook.HMAC(mask)); return err },
		"webhook.RSA's key": func() error { _, err := webhook.ParseRSAKey(redact.Mask); return err },
		"SealTokens's key": func() error {
			return build(salesiq.RefreshToken(credentials, salesiq.FileTokenStore("f", []byte(redact.Mask))))
		},
		"TokenSource":        func() error { return masked(t, transport) },
		"an answer's secret": func() error { return answeredMask(t) },
	} {
		err := use()
		require.Error(t, err, name)
		if name != "TokenSource" && name != "an answer's secret" {
			require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
		}
	}
	assert.Zero(t, sent.requests.Load())

	body := []byte(`{"event":"chat.ended"}`)
	for _, verifier := range []webhook.Verifier{webhook.HMAC(mask), webhook.HMAC(mask, salesiq.NewSecret("a secret of its own"))} {
		header := http.Header{webhook.HeaderSignature: {signedWith(redact.Mask, body)}}
		require.ErrorIs(t, verifier.Verify(header, body), webhook.ErrSignature)
		header.Set(webhook.HeaderSignature, signedWith("", body))
		require.ErrorIs(t, verifier.Verify(header, body), webhook.ErrSignature)
	}

	_, err = client.Webhooks.Update(t.Context(), "w1", &salesiq.WebhookUpdate{Secret: salesiq.Null[salesiq.Secret]()})
	require.NoError(t, err, "which takes the secret away on purpose")
}

func signedWith(key string, body []byte) string {
	var sum []byte
	fips140.WithoutEnforcement(func() { // The key is short.
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		sum = mac.Sum(nil)
	})
	return hex.EncodeToString(sum)
}

// requestCounter answers every request, and counts them.
type requestCounter struct{ requests atomic.Int32 }

func (c *requestCounter) RoundTrip(*http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"status":"success","data":{"id":"x1"}}`)),
	}, nil
}

func masked(t *testing.T, transport *http.Client) error {
	t.Helper()
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: redact.Mask})
	client, err := salesiq.NewClient(salesiq.TokenSource(source), salesiq.WithHTTPClient(transport))
	require.NoError(t, err)
	_, err = client.Chats.Get(t.Context(), "c1")
	return err
}

// answeredMask signs in with a server that answers with the mask.
func answeredMask(t *testing.T) error {
	t.Helper()
	answer := roundTripper(func(r *http.Request) (*http.Response, error) {
		require.Contains(t, r.URL.Path, "/oauth/", "nothing else is asked")
		body := io.NopCloser(strings.NewReader(`{"access_token":"` + redact.Mask + `","expires_in":3600}`))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
	})
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("token")}
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, nil), salesiq.WithHTTPClient(&http.Client{Transport: answer}))
	require.NoError(t, err)
	_, err = client.Chats.Get(t.Context(), "c1")
	return err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSecretsAreComparedByTheirText(t *testing.T) {
	t.Parallel()
	one, same, other := salesiq.NewSecret(hidden), salesiq.NewSecret(strings.Clone(hidden)), salesiq.NewSecret("another")
	assert.Equal(t, one, same)
	assert.NotEqual(t, one, other)
	assert.Equal(t, salesiq.Secret{}, salesiq.NewSecret(""))
	if one != same {
		t.Error("== does not compare the texts")
	}
	assert.Equal(t, 2, map[salesiq.Secret]int{one: 1, other: 2}[other])
}

func TestSecretsCanBeRevealedAndSeenToBeThere(t *testing.T) {
	t.Parallel()
	assert.Equal(t, hidden, salesiq.NewSecret(hidden).Reveal())
	assert.Equal(t, redact.Mask, salesiq.NewSecret(hidden).String())
	assert.Equal(t, `"`+redact.Mask+`"`, fmt.Sprintf("%#v", salesiq.NewSecret(hidden)))
	assert.Empty(t, salesiq.Secret{}.String(), "whoever debugs sees that there is none")
}

func TestOptPrintsAsItsValue(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "away", fmt.Sprint(salesiq.Set(salesiq.OperatorAway)))
	assert.Equal(t, "007", fmt.Sprintf("%03d", salesiq.Set(7)))
	assert.Equal(t, "null", fmt.Sprint(salesiq.Null[int]()))
	assert.Equal(t, "unset", fmt.Sprint(salesiq.Opt[int]{}))
	assert.Equal(t, "{Name:Ada Email:null Phone:unset Company:unset CustomFields:unset Extra:map[]}",
		fmt.Sprintf("%+v", salesiq.VisitorUpdate{Name: salesiq.Set("Ada"), Email: salesiq.Null[string]()}))
}
