package container

import (
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// A change that the journal cannot take would be the end of the master.
func TestMaxBytes_OfWhatIsDurableFitsIntoTheJournal(t *testing.T) {
	t.Parallel()
	for _, typ := range Types() {
		for _, c := range []struct {
			bytes int64
			store *shared.Store
			err   error
		}{
			{maxDurableBytes, new(shared.Store), nil},
			{maxDurableBytes + 1, new(shared.Store), reeve.ErrInvalid},
			{maxDurableBytes + 1, nil, nil},
		} {
			spec := map[int]any{2: c.bytes}
			if typ.Name == "value" {
				spec[3] = []byte{0xf6}
			}
			b, err := codec.CBOR.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := typ.New(&shared.Env{Store: c.store}, b); !errors.Is(err, c.err) {
				t.Errorf("a %s of %d bytes, durable %v: %v", typ.Name, c.bytes, c.store != nil, err)
			}
		}
	}
}
