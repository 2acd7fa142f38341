package manager

import "github.com/reeveq/reeve/internal/wire"

// Spy has f called before each request of a client is carried out, as part of
// it: what f panics with, the request panics with.
func (m *Master) Spy(f func(wire.Type)) { m.spy.Store(&f) }

// FrameSource is what backups are made of.
type FrameSource = frameSource

// BackupFrom has backups made of from instead of the engine's journal.
func (m *Master) BackupFrom(from FrameSource) { m.backupFrom.Store(&from) }

// AskShutdown is a client's wish that the master ends.
func (m *Master) AskShutdown(by string, drain bool) (begin func(), err error) {
	return m.askShutdown(by, drain)
}
