package simulate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"time"
)

// identity is what the hosts of the service prove who they are with, and what programs
// know them by.
type identity struct {
	server, client *tls.Config
}

// newIdentity makes a certificate. Signatures of its kind have one length, so that what is
// cut off at some byte is the same in each run.
func newIdentity(hosts ...string) (*identity, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(100, 0, 0),
	}
	signed, err := x509.CreateCertificate(rand.Reader, certificate, certificate, public, private)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(signed)
	if err != nil {
		return nil, err
	}
	known := x509.NewCertPool()
	known.AddCert(parsed)
	curves := []tls.CurveID{tls.X25519} // What is used otherwise takes the time of a whole call.
	return &identity{
		server: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{signed}, PrivateKey: private}}, CurvePreferences: curves},
		client: &tls.Config{RootCAs: known, CurvePreferences: curves},
	}, nil
}
