//go:build race

package cmd_test

// killUsual is how many masters are killed: few, for what the race detector
// makes slow is this process, which has the clients only.
const killUsual = 10
