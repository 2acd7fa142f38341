package blob

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// Name is that of the service.
const Name = "$blobs"

// Methods are what the service can do. Hashes are byte strings of 32 bytes; where
// one is not known it is empty, and a size that is not known is -1.
var Methods = []reeve.MethodInfo{
	{Name: "begin", Signature: "begin(hash, size) (have, upload, offset, size)"},
	{Name: "chunk", Signature: "chunk(upload, offset, bytes) offset"},
	{Name: "commit", Signature: "commit(upload, hash) size"},
	{Name: "abort", Signature: "abort(upload)"},
	{Name: "read", Signature: "read(hash, offset, max) bytes", Reads: true},
	{Name: "hold", Signature: "hold(hash) size"},
	{Name: "release", Signature: "release(hash)"},
	{Name: "stat", Signature: "stat(hash) info", Reads: true},
	{Name: "list", Signature: "list(after, max) (infos, next)", Reads: true},
}

// Call carries out one of [Methods].
func (s *Store) Call(c *shared.Call) {
	var err error
	switch c.Method {
	case "begin":
		err = s.callBegin(c)
	case "chunk":
		err = s.callChunk(c)
	case "commit":
		err = s.callCommit(c)
	case "abort":
		err = s.callAbort(c)
	case "read":
		err = s.callRead(c)
	case "hold", "release", "stat":
		err = s.callHash(c)
	case "list":
		err = s.callList(c)
	default:
		err = fmt.Errorf("%w: %s", reeve.ErrNotExposed, c.Method)
	}
	if err != nil {
		c.Fail(err)
	}
}

// Describe is for operators.
func (s *Store) Describe() string {
	n := s.Stats()
	return fmt.Sprintf("%d blobs, %d bytes", n.Blobs, n.Bytes)
}

// optionalHash reads a hash, which may be empty.
func optionalHash(b []byte) (hash reeve.BlobHash, given bool, err error) {
	if len(b) == 0 {
		return hash, false, nil
	}
	err = hash.UnmarshalBinary(b)
	return hash, err == nil, err
}

// begun is what begin returns.
type begun struct {
	_      struct{} `cbor:",toarray"`
	Have   bool
	Upload uint64
	Offset int64
	Size   int64
}

func (s *Store) callBegin(c *shared.Call) error {
	var a struct {
		_    struct{} `cbor:",toarray"`
		Hash []byte
		Size int64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	hash, named, err := optionalHash(a.Hash)
	if err != nil {
		return err
	}
	if a.Size < -1 {
		return fmt.Errorf("%w: blob of %d bytes", reeve.ErrInvalid, a.Size)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return reeve.ErrClosed
	}
	if b := s.blobs[hash]; named && b != nil && b.there {
		c.Park(func(error) {})
		s.wholeLocked(b, func(err error) { s.begun(c, b, a.Size, err) })
		return nil
	}
	return s.beginUploadLocked(c, named, hash, a.Size)
}

// begun answers a begin of a blob that was there.
func (s *Store) begun(c *shared.Call, b *blob, size int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		err = reeve.ErrClosed
	case err == nil && b.there:
		s.holdLocked(c.Client, b)
		if !shared.ReturnValue(c, begun{Have: true, Size: b.size, Offset: b.size}) {
			s.releaseLocked(c.Client, b)
		}
		return
	default: // it is damaged: this heals it
		err = s.beginUploadLocked(c, true, b.hash, size)
	}
	if err != nil {
		c.Fail(err)
	}
}

func (s *Store) beginUploadLocked(c *shared.Call, named bool, hash reeve.BlobHash, size int64) error {
	u, err := s.beginLocked(c.Client, named, hash, size)
	if err == nil && !shared.ReturnValue(c, begun{Upload: u.id, Offset: u.offset, Size: u.size}) && u.offset == 0 && len(u.chunks) == 0 && !u.named {
		s.endUploadLocked(u, reeve.ErrClosed)
	}
	return err
}

func (s *Store) callChunk(c *shared.Call) error {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Upload uint64
		Offset int64
		Data   []byte
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.findUploadLocked(c.Client, a.Upload)
	if err != nil {
		return err
	}
	return s.addLocked(u, &chunk{call: c, off: a.Offset, data: a.Data})
}

func (s *Store) callCommit(c *shared.Call) error {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Upload uint64
		Hash   reeve.BlobHash
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.findUploadLocked(c.Client, a.Upload)
	if err == nil {
		s.endLocked(u, &ending{call: c, hash: a.Hash})
		return nil
	}
	if b := s.blobs[a.Hash]; b != nil && b.there && b.whole { // its answer was lost
		s.returnHeldLocked(&ending{call: c}, b)
		return nil
	}
	return err
}

// returnHeldLocked answers with the size of b, which its client has open then.
func (s *Store) returnHeldLocked(e *ending, b *blob) {
	s.holdLocked(e.call.Client, b)
	if !returnInt(e.call, b.size) {
		s.releaseLocked(e.call.Client, b)
	}
}

func returnInt(c *shared.Call, v int64) bool { return shared.ReturnValue(c, v) }

func (s *Store) callAbort(c *shared.Call) error {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Upload uint64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, err := s.findUploadLocked(c.Client, a.Upload); err == nil {
		s.endUploadLocked(u, noSuchUpload(u.id, "it was given up"))
	}
	c.Return(nil)
	return nil
}

func (s *Store) callRead(c *shared.Call) error {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Hash   reeve.BlobHash
		Offset int64
		Max    int64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.findLocked(a.Hash)
	switch {
	case err != nil:
		return err
	case s.closed:
		return reeve.ErrClosed
	case a.Max < 1 || a.Max > MaxChunk:
		return fmt.Errorf("%w: %d bytes at a time, want 1 to %d", reeve.ErrInvalid, a.Max, MaxChunk)
	case a.Offset < 0 || a.Offset > b.size:
		return fmt.Errorf("%w: offset %d of a blob of %d bytes", reeve.ErrOutOfRange, a.Offset, b.size)
	}
	n, p := min(a.Max, b.size-a.Offset), s.partyLocked(c.Client)
	if err := p.pendingError(n); err != nil {
		s.leaveLocked(p)
		return err
	}
	p.reading += pendingCost(n)
	c.Park(func(error) {})
	s.wholeLocked(b, func(err error) {
		s.read(c, b, a.Offset, n, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		p.reading -= pendingCost(n)
		s.leaveLocked(p)
	})
	return nil
}

func (s *Store) callHash(c *shared.Call) error {
	var a struct {
		_    struct{} `cbor:",toarray"`
		Hash reeve.BlobHash
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Method == "release" {
		if b := s.blobs[a.Hash]; b != nil {
			s.releaseLocked(c.Client, b)
		}
		c.Return(nil)
		return nil
	}
	b, err := s.findLocked(a.Hash)
	if err != nil {
		return err
	}
	switch {
	case c.Method == "hold" && b.whole:
		s.returnHeldLocked(&ending{call: c}, b)
		return nil
	case c.Method == "hold" && s.closed:
		return reeve.ErrClosed
	case c.Method == "hold": // what is damaged may have another size
		c.Park(func(error) {})
		s.wholeLocked(b, func(err error) { s.holdWhole(c, b, err) })
		return nil
	}
	s.touchLocked(b)
	shared.ReturnValue(c, s.infoLocked(b))
	return nil
}

// holdWhole answers a hold of a blob that was looked at for it.
func (s *Store) holdWhole(c *shared.Call, b *blob, err error) {
	if err != nil {
		c.Fail(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returnHeldLocked(&ending{call: c}, b)
}

func (s *Store) callList(c *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		After []byte
		Max   uint64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	after, given, err := optionalHash(a.After)
	if err != nil {
		return err
	}
	if a.Max < 1 || a.Max > maxPage {
		return fmt.Errorf("%w: a page of %d, want 1 to %d", reeve.ErrInvalid, a.Max, maxPage)
	}
	var page struct {
		_     struct{} `cbor:",toarray"`
		Items []reeve.BlobInfo
		Next  []byte
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.nextLocked(after, given, int(a.Max)+1) {
		if len(page.Items) == int(a.Max) {
			page.Next = page.Items[a.Max-1].Ref.Hash[:]
			break
		}
		page.Items = append(page.Items, s.infoLocked(b))
	}
	shared.ReturnValue(c, page)
	return nil
}

// nextLocked is the first most blobs, in the order of their hashes, behind the one
// that is given. Queues wait meanwhile, so that it does not sort them all.
func (s *Store) nextLocked(after reeve.BlobHash, given bool, most int) []*blob {
	var list []*blob
	for _, b := range s.blobs {
		if !b.there || given && compare(b.hash, after) <= 0 || len(list) == most && compare(b.hash, list[most-1].hash) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(list, b.hash, func(b *blob, h reeve.BlobHash) int { return compare(b.hash, h) })
		list = slices.Insert(list, i, b)
		list = list[:min(len(list), most)]
	}
	return list
}

func compare(a, b reeve.BlobHash) int { return bytes.Compare(a[:], b[:]) }

var _ shared.Object = (*Store)(nil)
