package blob_test

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared/blob"
)

// Whatever arguments come, a call is answered or waits, nothing panics, and the
// store adds up.
func FuzzCall(f *testing.F) {
	content := []byte("content")
	hash := refOf(content).Hash
	for _, args := range [][]any{
		{}, {hash[:], 7}, {[]byte{}, -1}, {1, 0, content}, {uint64(1), hash[:]}, {hash[:], 0, 100}, {hash[:], 3, 1 << 20}, {[]byte{}, 10}, {hash[:]},
		{nil, nil, nil}, {"text", 1.5, true}, {hash[:], int64(-1 << 63), int64(1<<63 - 1)},
	} {
		b, err := codec.CBOR.Marshal(args)
		if err != nil {
			f.Fatal(err)
		}
		for i := range blob.Methods {
			f.Add(byte(i), b)
		}
	}
	f.Add(byte(0), []byte{0x9f, 0xff})
	f.Add(byte(1), []byte{0x83, 0x01, 0x00, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, n byte, args []byte) {
		x := open(t, blob.Config{MaxBytes: 1 << 20})
		o := x.client()
		mustPut(t, o, content)
		upload, _ := begin(t, o, nil, -1)
		method := blob.Methods[int(n)%len(blob.Methods)].Name
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go func() { // a chunk that waits for those before it is given up
			time.Sleep(10 * time.Millisecond)
			cancel()
		}()
		a, err := o.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: blob.Name}, Method: method, Args: args})
		if err == nil && len(a.Value) > 0 {
			var v codec.Encoded
			if err := codec.CBOR.Unmarshal(a.Value, &v); err != nil {
				t.Fatalf("%s(%x) returned %x: %v", method, args, a.Value, err)
			}
		}
		if err := rawCall(t, o, "abort", nil, upload); err != nil {
			t.Fatal(err)
		}
		mustGet(t, o, content)
		x.close()
		x.check()
	})
}
