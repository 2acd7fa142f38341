package wire_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

func TestBuilder_MergesConsecutiveCompletes(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	for i := range 5 {
		err := b.Complete(uint64(10+i), 9, "in", "out", reeve.ID(100+i), 1, &reeve.Task{Payload: []byte{byte(i)}, Type: "sum"})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Confirm(1, 1, 0)
	if err := b.Deliver(3, 0, "in", &reeve.Task{ID: 7, Attempt: 2, Payload: []byte("x"), PutAt: time.Unix(0, 5)}); err != nil {
		t.Fatal(err)
	}
	b.Confirm(2, 1, 0)
	var types []wire.Type
	for buf := b.Take(); len(buf) > 0; {
		var frame []byte
		frame, buf = wire.SplitFrame(buf)
		typ, body, err := wire.ParseType(frame[wire.HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, typ)
		switch typ {
		case wire.TypeComplete:
			var f wire.CompleteFrame
			if err := f.Decode(body); err != nil {
				t.Fatal(err)
			}
			if len(f.Entries) != 5 || f.Req != 10 || f.Low != 9 || f.Entries[4].Result.Payload[0] != 4 || f.Entries[3].Result.Type != "sum" {
				t.Fatalf("got %+v", f)
			}
		case wire.TypeConfirm:
			var f wire.ConfirmFrame
			if err := f.Decode(body); err != nil {
				t.Fatal(err)
			}
			if len(f.Ranges) != 1 || f.Ranges[0] != (wire.Range{Req: 1, Count: 2}) {
				t.Fatalf("got %+v", f)
			}
		case wire.TypeDeliver:
			var f wire.DeliverFrame
			if err := f.Decode(body); err != nil {
				t.Fatal(err)
			}
			if len(f.Tasks) != 1 || f.Tasks[0].ID != 7 || f.Consumer != 3 || f.Tasks[0].PutAt.UnixNano() != 5 {
				t.Fatalf("got %+v", f)
			}
		}
	}
	if len(types) != 3 {
		t.Fatalf("frames %v", types)
	}
}
