//go:build race

package manager_test

// storm is how many clients come back at once: fewer, for the race detector
// makes each handshake cost ten times as much.
const storm = 200
