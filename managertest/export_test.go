package managertest

import "github.com/reeveq/reeve/journal"

// KillOwner is what Kill does to a journal made by Reopen.
func KillOwner(j journal.Journal) { j.(*reopened).kill() }
