// Package auth turns an authkey and a raw [net.Conn] into an authenticated,
// encrypted one: TLS 1.3 with a throw-away certificate, inside it the
// password-authenticated key exchange CPace bound to that TLS connection, and a
// confirmation in which the client proves itself first.
//
// It knows nothing of queues, messages or multiplexing, has no plain-text mode
// and negotiates nothing but the ALPN name. It gives identities (a key id), not
// permissions.
//
// Rules:
//   - A connection handed to Handshake belongs to it: on an error it has been
//     closed, on success only the returned connection may be used.
//   - Nothing a peer sends before the proof is parsed by anything but crypto/tls
//     and four small fixed frames; every length is checked before it is used.
//   - Secrets leave a [Key] in no form; logs and errors carry the key id only.
//   - A client that has sent its proof and gets no proof back has given one
//     guess at its key away: see [GuessGiven].
//
// docs/SECURITY.md has the handshake byte by byte.
package auth
