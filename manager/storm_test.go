//go:build !race

package manager_test

// storm is how many clients come back at once.
const storm = 2000
