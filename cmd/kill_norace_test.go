//go:build !race

package cmd_test

// killUsual is how many masters are killed.
const killUsual = 50
