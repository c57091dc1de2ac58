package webhook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	keys := make([]*rsa.PrivateKey, 3)
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func rsaHeader(t *testing.T, key *rsa.PrivateKey, body []byte) http.Header {
	t.Helper()
	signature, err := webhook.SignRSA(key, body)
	require.NoError(t, err)
	header := http.Header{}
	header.Set("x-siqsignature", signature)
	return header
}

// The value was computed by another implementation: openssl dgst -sha256 -hmac.
func TestTheHMACIsTheOneEverybodyComputes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
		webhook.SignHMAC(salesiq.NewSecret("key"), []byte("The quick brown fox jumps over the lazy dog")))
}

func TestRSASignaturesOfEitherKeyAreGood(t *testing.T) {
	t.Parallel()
	body := ratedBody("c1")
	keys := rsaKeys()
	verifier := webhook.RSA(&keys[0].PublicKey, &keys[1].PublicKey)
	require.NoError(t, verifier.Verify(rsaHeader(t, keys[0], body), body))
	require.NoError(t, verifier.Verify(rsaHeader(t, keys[1], body), body))
	require.ErrorIs(t, verifier.Verify(rsaHeader(t, keys[2], body), body), webhook.ErrSignature)
	require.ErrorIs(t, verifier.Verify(rsaHeader(t, keys[0], body), append(body, ' ')), webhook.ErrSignature)
}

func TestOddlyWrittenRSASignaturesAreRefused(t *testing.T) {
	t.Parallel()
	body := ratedBody("c1")
	key := rsaKeys()[0]
	verifier := webhook.RSA(&key.PublicKey)
	good := rsaHeader(t, key, body).Get(webhook.HeaderRSASignature)
	for name, values := range map[string][]string{
		"missing": nil, "empty": {""}, "twice": {good, good}, "short": {good[:len(good)-4]},
		"without padding": {strings.TrimRight(good, "=")}, "in lines": {good[:76] + "\n" + good[76:]},
		"with a space": {" " + good}, "not base64": {strings.Repeat("-", len(good))},
	} {
		require.ErrorIs(t, verifier.Verify(http.Header{webhook.HeaderRSASignature: values}, body), webhook.ErrSignature, name)
	}
}

func TestAnRSAKeyIsReadInEitherForm(t *testing.T) {
	t.Parallel()
	key := &rsaKeys()[0].PublicKey
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	bare := base64.StdEncoding.EncodeToString(der)
	armored := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for name, text := range map[string]string{
		"PEM":               armored,
		"PEM and a preface": "the key:\n" + armored,
		"PEM, indented":     "  " + strings.ReplaceAll(armored, "\n", "\n  "),
		"PEM in one line":   strings.ReplaceAll(armored, "\n", ""),
		"PEM, lines marked": strings.ReplaceAll(armored, "\n", `\n`),
		"bare":              bare,
		"bare, in lines":    bare[:64] + "\r\n" + bare[64:] + "\n",
	} {
		parsed, err := webhook.ParseRSAKey(text)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(parsed), name)
	}

	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := x509.MarshalPKIXPublicKey(&elliptic.PublicKey)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"empty": "", "not base64": "?", "no key": "aGVsbG8=", "another kind": base64.StdEncoding.EncodeToString(other),
	} {
		_, err := webhook.ParseRSAKey(text)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, name)
	}
}

func TestNothingIsSignedWithoutAKey(t *testing.T) {
	t.Parallel()
	for _, key := range []*rsa.PrivateKey{nil, {}} {
		signature, err := webhook.SignRSA(key, []byte("{}"))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		assert.Empty(t, signature)
	}
}

func TestAnyOfTakesEitherSignature(t *testing.T) {
	t.Parallel()
	body := ratedBody("c1")
	key := rsaKeys()[0]
	verifier := webhook.AnyOf(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.RSA(&key.PublicKey))
	require.NoError(t, verifier.Verify(rsaHeader(t, key, body), body))
	require.NoError(t, verifier.Verify(http.Header{webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(hookSecret), body)}}, body))
	require.ErrorIs(t, verifier.Verify(http.Header{webhook.HeaderSignature: {"no"}}, body), webhook.ErrSignature)
}

func TestUnsignedTakesWhatHasNoSignature(t *testing.T) {
	t.Parallel()
	require.NoError(t, webhook.Unsigned().Verify(http.Header{}, ratedBody("c1")))
	event, err := webhook.ParseSigned(webhook.Unsigned(), http.Header{}, ratedBody("c1"))
	require.NoError(t, err)
	assert.IsType(t, &webhook.ChatRated{}, event)
	_, err = webhook.NewReceiver(webhook.Unsigned())
	require.NoError(t, err)
}

func TestAVerifierShowsNoSecret(t *testing.T) {
	t.Parallel()
	verifier := webhook.HMAC(salesiq.NewSecret(hookSecret))
	receiver := testkit.Must(webhook.NewReceiver(verifier))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, verifier), salesiq.NewSecret(hookSecret).Reveal())
		assert.NotContains(t, fmt.Sprintf(verb, receiver), salesiq.NewSecret(hookSecret).Reveal())
		assert.NotContains(t, fmt.Sprintf(verb, *receiver), salesiq.NewSecret(hookSecret).Reveal())
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(webhook.SignHMAC(salesiq.NewSecret(hookSecret), []byte("body")), []byte("body"))
	f.Add(strings.ToUpper(webhook.SignHMAC(salesiq.NewSecret(hookSecret), nil)), []byte(nil))
	f.Add("sha256=", []byte("{}"))
	key := &rsaKeys()[0].PublicKey
	verifier, both := webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.AnyOf(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.RSA(key))
	f.Fuzz(func(t *testing.T, signature string, body []byte) {
		right := webhook.SignHMAC(salesiq.NewSecret(hookSecret), body)
		header := http.Header{webhook.HeaderSignature: {signature}, webhook.HeaderRSASignature: {signature}}
		err := verifier.Verify(header, body)
		assert.Equal(t, signature == right, err == nil)
		assert.Equal(t, err == nil, both.Verify(header, body) == nil)
		if err != nil {
			require.ErrorIs(t, err, webhook.ErrSignature)
			assert.NotContains(t, err.Error(), right)
		}
	})
}

// fipsVariable tells the test binary that it was started again to enforce FIPS 140-3.
const fipsVariable = "SALESIQ_TEST_FIPS"

// S9
func TestShortSecretIsRefusedAtTheStartUnderFIPS(t *testing.T) {
	if os.Getenv(fipsVariable) == "" {
		t.Parallel()
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), fipsVariable+"=1", "GODEBUG=fips140=only")
		output, err := again.CombinedOutput()
		require.NoError(t, err, "%s", output)
		return
	}
	require.True(t, fips140.Enforced())
	body := []byte(`{"event":"chat.ended"}`)
	short, long := salesiq.NewSecret("thirteen byte"), salesiq.NewSecret("fourteen bytes")
	for _, verifier := range []webhook.Verifier{webhook.HMAC(short), webhook.HMAC(long, short)} {
		_, err := webhook.NewReceiver(verifier)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		header := http.Header{webhook.HeaderSignature: {webhook.SignHMAC(short, body)}}
		require.ErrorIs(t, verifier.Verify(header, body), webhook.ErrSignature, "nor does it panic when it is used nevertheless")
	}
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(long)))
	request := newRequest(t, http.MethodPost, body)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(long, body))
	assert.Equal(t, http.StatusOK, serve(receiver, request).Code)
}
