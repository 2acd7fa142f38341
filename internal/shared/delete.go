package shared

import (
	"fmt"
	"strings"

	"github.com/reeveq/reeve"
)

// Delete deletes an object: calls that wait at it end with
// [reeve.ErrNoSuchObject]. What this process shares it alone can delete
// ([reeve.ErrPermission]). told, which must not block nor call h, is called, unless
// there is an error, when that is durable, or never will be.
func (h *Host) Delete(by *Client, ref reeve.Ref, told func(error)) error {
	if strings.HasPrefix(ref.Name, "$") {
		return fmt.Errorf("%w: %q is the master's own", reeve.ErrInvalid, clip(ref.Name))
	}
	e, err := h.lookup(ref)
	if err != nil {
		return err
	}
	if e.own && by.id != (ClientID{}) {
		return fmt.Errorf("%w: %v is shared by the master's program, which alone can delete it", reeve.ErrPermission, e.ref)
	}
	if e.store != nil {
		// What takes its name is recorded after this: else a journal that ends between
		// the two has both.
		h.mu.Lock()
		h.outLocked(e)
		e.store.journal.Drop(e.store.no, told)
		h.mu.Unlock()
	}
	h.remove(e, fmt.Errorf("%w: %v was deleted", reeve.ErrNoSuchObject, e.ref))
	if e.store == nil {
		told(nil)
	}
	return nil
}

// remove takes an object out and closes it, once.
func (h *Host) remove(e *entry, cause error) {
	e.mu.Lock()
	before := e.gone
	e.gone = true
	e.mu.Unlock()
	if !before {
		h.drop(e, cause)
	}
}

// outLocked lets e be found by nobody any more.
func (h *Host) outLocked(e *entry) {
	delete(h.byID, e.id)
	if e.ref.Name != "" && h.byName[e.ref.Name] == e {
		delete(h.byName, e.ref.Name)
	}
}

// drop ends an object of which gone was set just now.
func (h *Host) drop(e *entry, cause error) {
	h.mu.Lock()
	h.outLocked(e)
	h.mu.Unlock()
	e.mu.Lock()
	refs := e.refs
	e.refs = nil
	e.mu.Unlock()
	for cl := range refs {
		cl.mu.Lock()
		delete(cl.refs, e)
		cl.mu.Unlock()
	}
	e.object.Close(cause)
}

// Release takes back that a client refers to an object without a name, which is
// deleted when nobody does any more. References to others mean nothing.
func (h *Host) Release(cl *Client, ref reeve.Ref) {
	if e, err := h.lookup(ref); err == nil && e.ref.Name == "" {
		cl.mu.Lock()
		delete(cl.refs, e)
		cl.mu.Unlock()
		h.unrefer(e, cl)
	}
}

func (h *Host) unrefer(e *entry, cl *Client) {
	e.mu.Lock()
	delete(e.refs, cl)
	last := len(e.refs) == 0 && !e.gone
	e.gone = e.gone || last
	e.mu.Unlock()
	if last {
		h.drop(e, fmt.Errorf("%w: %v: nobody refers to it", reeve.ErrNoSuchObject, e.ref))
	}
}
