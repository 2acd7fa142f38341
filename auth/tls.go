package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	// alpn names the whole protocol: a breaking change gets a new one.
	alpn = "reeve/1"

	// RFC 9266: the exporter covers everything from ClientHello to the server's
	// Finished, so neither a relay nor a downgrade leaves it as it was.
	exporterLabel = "EXPORTER-Channel-Binding"
	sidSize       = 32
)

// newCertificate makes the certificate that TLS needs and nobody trusts. Its
// validity has no end, so that no clock matters.
func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("auth: certificate key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "reeve"},
		NotBefore:    time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("auth: certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// serverTLS is the configuration shared by all connections of a Server.
func serverTLS(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		NextProtos:                  []string{alpn},
		Certificates:                []tls.Certificate{cert},
		SessionTicketsDisabled:      true, // no resumption and no 0-RTT: every connection proves the key
		DynamicRecordSizingDisabled: true,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if g, ok := hello.Conn.(*guarded); ok {
				g.reached(phaseHello)
			}
			return nil, nil // keep the configuration
		},
	}
}

// clientTLS is the configuration of a client. It verifies no certificate: what
// makes the master the master is its proof of the key, bound to this connection.
func clientTLS() *tls.Config {
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		NextProtos:                  []string{alpn},
		InsecureSkipVerify:          true,
		DynamicRecordSizingDisabled: true,
	}
}

// sessionID is the exporter value that binds the key exchange to this
// connection. It must not be logged.
func sessionID(state *tls.ConnectionState) ([]byte, error) {
	return state.ExportKeyingMaterial(exporterLabel, nil, sidSize)
}

// isVersionAlert reports whether the peer answered with the alert of a server
// that has no protocol or no version in common with us. crypto/tls does not
// export the type of a received alert, only its text.
func isVersionAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return false
	}
	switch op.Err.Error() {
	case "tls: no application protocol", "tls: protocol version not supported":
		return true
	}
	return false
}

// isTLSError reports whether err comes from the TLS protocol, not from the
// connection below it.
func isTLSError(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op == "remote error" || op.Op == "local error"
	}
	return len(err.Error()) > 5 && err.Error()[:5] == "tls: "
}
