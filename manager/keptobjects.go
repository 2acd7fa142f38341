package manager

import (
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/shared"
)

// How the journal of the queues keeps shared objects, too.

// restoreObjects makes the objects that the journal has.
func (m *Master) restoreObjects() error {
	kept := m.engine.Objects()
	if kept == nil {
		return nil
	}
	objects, answers := kept.TakeRestored()
	restored := make([]shared.Restored, len(objects))
	for i := range objects {
		o := &objects[i]
		restored[i] = shared.Restored{No: o.No, Type: o.Type, Name: o.Name, Config: o.Config, Entries: make([]shared.Entry, len(o.Entries))}
		for j, e := range o.Entries {
			restored[i].Entries[j] = shared.Entry(e)
		}
		o.Entries = nil
	}
	if err := m.host.Restore(journalOfObjects{kept}, restored); err != nil {
		return err
	}
	for _, a := range answers {
		m.host.Recall(sharedCall(a.Call), a.Value)
	}
	kept.SetRecall(func(c queue.ObjectCall) bool { return m.host.Recalls(sharedCall(c)) })
	return nil
}

func sharedCall(c queue.ObjectCall) shared.CallID {
	return shared.CallID{Client: shared.ClientID(c.Client), Waits: c.Waits, Req: c.Req}
}

// journalOfObjects is the engine's as the objects see it.
type journalOfObjects struct{ *queue.Objects }

func (j journalOfObjects) Change(no uint32, entries []shared.Entry, by *shared.CallID, answer []byte, told func(error)) {
	changes := make([]queue.ObjectEntry, len(entries))
	for i, e := range entries {
		changes[i] = queue.ObjectEntry(e)
	}
	var call *queue.ObjectCall
	if by != nil {
		call = &queue.ObjectCall{Client: queue.ClientID(by.Client), Waits: by.Waits, Req: by.Req}
	}
	j.Objects.Change(no, changes, call, answer, told)
}

var _ shared.Journal = journalOfObjects{}
