package webhook

import (
	"crypto"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// The headers that hold the signature of an event.
const (
	HeaderSignature    = "X-Salesiq-Signature" // HMAC, as specified.
	HeaderRSASignature = "X-Siqsignature"      // RSA, as the live service has it.
)

// ErrSignature means that the signature of an event could not be verified. The error
// that wraps it tells why, and nothing about the right signature.
var ErrSignature = errors.New("salesiq: bad signature")

var (
	errSignatureMissing   = fmt.Errorf("%w: there is none", ErrSignature)
	errSignatureDoubled   = fmt.Errorf("%w: there are several", ErrSignature)
	errSignatureMalformed = fmt.Errorf("%w: it is not written like one", ErrSignature)
	errSignatureWrong     = fmt.Errorf("%w: it does not belong to this body", ErrSignature)
	errNoKeys             = fmt.Errorf("%w: there is no key to verify it with", ErrSignature)
)

// Verifier tells whether the service has sent an event. It gets the body byte by
// byte as it arrived, and must compare in constant time. Several goroutines use it
// at once. A [Receiver] waits for it for half of the time for handlers, and then answers
// 503. [ParseSigned] waits until it returns.
type Verifier interface {
	// Verify returns nil, or an error that wraps [ErrSignature] and does not
	// hold the right signature.
	Verify(header http.Header, body []byte) error
}

// checkVerifier refuses a verifier that could accept nothing.
func checkVerifier(verifier Verifier) error {
	if err := given("verifier", verifier); err != nil {
		return err
	}
	if own, ok := verifier.(interface{ check() error }); ok {
		return own.check()
	}
	return nil
}

// isOwn reports whether a verifier is of this package, and all that it asks. Such a one needs
// no guard.
func isOwn(verifier Verifier) bool {
	switch verifier := verifier.(type) {
	case *hmacVerifier, *rsaVerifier, unsigned:
		return true
	case anyOf:
		return !slices.ContainsFunc(verifier, func(v Verifier) bool { return !isOwn(v) })
	}
	return false
}

// verify asks a verifier. A panic of one of the user's is an error, and so is the end of its
// goroutine.
func verify(verifier Verifier, header http.Header, body []byte) error {
	if isOwn(verifier) {
		return verifier.Verify(header, body)
	}
	return usercode.Call(func() error { return verifier.Verify(header, body) })
}

// oneSignature returns the only value of a header.
func oneSignature(header http.Header, name string) (string, error) {
	switch values := header[name]; len(values) {
	case 0:
		return "", errSignatureMissing
	case 1:
		return values[0], nil
	default:
		return "", errSignatureDoubled
	}
}

// HMAC returns a verifier for the signature in [HeaderSignature]: the HMAC-SHA256
// of the body in 64 lower-case hexadecimal digits, and nothing else. The secret is
// that of [salesiq.WebhookCreate]. During a rotation, give both the new secret and
// the old one.
//
// Empty secrets are left out, and so is the mask "[redacted]". [NewReceiver]
// refuses a verifier that has no other, and one with white space around a secret.
// Where FIPS 140-3 is enforced, a secret needs 14 bytes.
func HMAC(secrets ...salesiq.Secret) Verifier {
	v := &hmacVerifier{}
	for _, secret := range secrets {
		if secret.IsZero() {
			continue
		}
		if v.err = checkHMACSecret(secret); v.err != nil {
			return &hmacVerifier{err: v.err}
		}
		v.pools = append(v.pools, &sync.Pool{New: func() any { return newHMACState(secret) }})
	}
	return v
}

type hmacVerifier struct {
	pools []*sync.Pool // One for each secret, of *hmacState. What they hold is not printed.
	err   error        // Of the secrets; NewReceiver reports it, and nothing is accepted.
}

const hmacSecret = "HMAC secret" // The field of errors about secrets.

func checkHMACSecret(secret salesiq.Secret) error {
	text := secret.Reveal()
	if input.HasSpaceAround(text) {
		return inputError(hmacSecret, "must not begin or end with white space, such as the newline at the end of a file, or its byte order mark")
	}
	if fips140.Enforced() && len(text) < leastFIPSKey {
		return inputError(hmacSecret, fmt.Sprintf("must have %d bytes at least where FIPS 140-3 is enforced", leastFIPSKey))
	}
	return nil
}

// leastFIPSKey is the size of a key, in bytes, below which crypto/hmac panics where
// FIPS 140-3 is enforced.
const leastFIPSKey = 14

// hmacState is a hash that has seen the secret, and room for its result.
type hmacState struct {
	hash hash.Hash
	sum  [sha256.Size]byte
	text [2 * sha256.Size]byte
}

func newHMACState(secret salesiq.Secret) *hmacState {
	return &hmacState{hash: hmac.New(sha256.New, []byte(secret.Reveal()))}
}

// sign returns the signature of body, until the state is used again.
func (s *hmacState) sign(body []byte) []byte {
	s.hash.Reset()
	s.hash.Write(body)
	hex.Encode(s.text[:], s.hash.Sum(s.sum[:0]))
	return s.text[:]
}

func (v *hmacVerifier) check() error {
	if len(v.pools) == 0 && v.err == nil {
		return inputError(hmacSecret, "is required")
	}
	return v.err
}

// Verify implements [Verifier].
func (v *hmacVerifier) Verify(header http.Header, body []byte) error {
	if len(v.pools) == 0 {
		return errNoKeys
	}
	signature, err := oneSignature(header, HeaderSignature)
	if err != nil {
		return err
	}
	if len(signature) != 2*sha256.Size {
		return errSignatureMalformed
	}
	var given [2 * sha256.Size]byte
	copy(given[:], signature)
	for _, pool := range v.pools {
		state := pool.Get().(*hmacState) //nolint:forcetypeassert // The pool holds nothing else.
		right := subtle.ConstantTimeCompare(state.sign(body), given[:])
		pool.Put(state)
		if right == 1 {
			return nil
		}
	}
	return errSignatureWrong
}

// SignHMAC returns the value of [HeaderSignature] for a body, as the service
// computes it, for tests of what receives events.
func SignHMAC(secret salesiq.Secret, body []byte) (signature string) {
	fips140.WithoutEnforcement(func() { signature = string(newHMACState(secret).sign(body)) }) // It may be short.
	return signature
}

// RSA returns a verifier for the signature in [HeaderRSASignature], which the
// live service sends: RSA PKCS #1 v1.5 with SHA-256, in standard base64. The keys
// are those of the webhook, which has two during a rotation; see [ParseRSAKey].
//
// Nil keys are left out. [NewReceiver] refuses a verifier that has no other, or one
// below 2048 bits.
func RSA(keys ...*rsa.PublicKey) Verifier {
	v := &rsaVerifier{}
	for _, key := range keys {
		if key != nil {
			v.keys = append(v.keys, key)
		}
	}
	return v
}

type rsaVerifier struct {
	keys []*rsa.PublicKey
}

func (v *rsaVerifier) check() error {
	if len(v.keys) == 0 {
		return inputError(rsaKey, "is required")
	}
	for _, key := range v.keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	return nil
}

// rsaKey is the field of errors about keys.
const rsaKey = "RSA key"

func checkKey(key *rsa.PublicKey) error {
	if key.N == nil || key.N.BitLen() < 2048 {
		return inputError(rsaKey, "must have at least 2048 bits")
	}
	return nil
}

// Verify implements [Verifier].
func (v *rsaVerifier) Verify(header http.Header, body []byte) error {
	if len(v.keys) == 0 {
		return errNoKeys
	}
	text, err := oneSignature(header, HeaderRSASignature)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return errSignatureMalformed
	}
	sum := sha256.Sum256(body)
	for _, key := range v.keys {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil {
			return nil
		}
	}
	return errSignatureWrong
}

// Unsigned returns a verifier that takes every event. It is for webhooks of the live
// service that are not secured, whose events have no signature: whoever knows the URL
// can send one. Put a secret into the path that the receiver is registered for, and
// act on an event only after reading its object from the service.
func Unsigned() Verifier { return unsigned{} }

type unsigned struct{}

// Verify implements [Verifier].
func (unsigned) Verify(http.Header, []byte) error { return nil }

// ParseRSAKey reads a public key as the service gives it: as PEM, also on one line,
// as in a variable of the environment, or as the bare base64 from the middle of it.
//
// Errors: an [salesiq.InputError] for anything else, and for keys below 2048 bits.
func ParseRSAKey(text string) (*rsa.PublicKey, error) {
	der, err := keyBytes(text)
	if err != nil {
		return nil, inputError(rsaKey, "must be PEM or base64")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, inputError(rsaKey, "must be a public key (SubjectPublicKeyInfo)")
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, inputError(rsaKey, fmt.Sprintf("must be one of RSA, not a %T", parsed))
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return key, nil
}

func keyBytes(text string) ([]byte, error) {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, nil
	}
	bare := strings.NewReplacer("-----BEGIN PUBLIC KEY-----", "", "-----END PUBLIC KEY-----", "", `\n`, "").Replace(text)
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(bare), ""))
}

// SignRSA returns the value of [HeaderRSASignature] for a body, as the live
// service computes it, for tests of what receives events.
//
// Errors: an [salesiq.InputError] for no key; that of [crypto/rsa] for one that
// cannot sign.
func SignRSA(key *rsa.PrivateKey, body []byte) (string, error) {
	if key == nil || key.N == nil {
		return "", inputError(rsaKey, "is required")
	}
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

// AnyOf returns a verifier that accepts what one of verifiers accepts. It is for a
// receiver of webhooks that are signed in different ways. Nil verifiers are left
// out. [NewReceiver] refuses AnyOf without verifiers, or with one that has no key.
func AnyOf(verifiers ...Verifier) Verifier {
	return anyOf(slices.DeleteFunc(slices.Clone(verifiers), func(v Verifier) bool { return usercode.IsNil(v) }))
}

type anyOf []Verifier

func (v anyOf) check() error {
	if len(v) == 0 {
		return inputError("verifier", "must not be empty")
	}
	for _, verifier := range v {
		if err := checkVerifier(verifier); err != nil {
			return err
		}
	}
	return nil
}

// Verify implements [Verifier]. Its error is that of the last one.
func (v anyOf) Verify(header http.Header, body []byte) error {
	err := errNoKeys
	for _, verifier := range v {
		if err = verify(verifier, header, body); err == nil {
			return nil
		}
	}
	return err
}
