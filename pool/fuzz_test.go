package pool_test

import (
	"encoding/json"
	"testing"

	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/pool"
)

// What can be read as arguments is written as what reads the same.
func FuzzArgs(f *testing.F) {
	for _, s := range []string{`[1,"a",[2]]`, `[]`, `{}`, `null`, `[1,2,3,4]`, `[null,null,null]`, "\x83\x01aa\x81\x02"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var x, y pool.Args3[int, string, []int]
		if err := codec.JSON.Unmarshal(b, &x); err == nil {
			again, err := codec.JSON.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			if err := codec.JSON.Unmarshal(again, &y); err != nil || x.A != y.A || x.B != y.B || len(x.C) != len(y.C) {
				t.Errorf("%q: %+v became %+v, %v", b, x, y, err)
			}
		}
		var list []json.RawMessage
		if codec.JSON.Unmarshal(b, &list) == nil && len(list) != 3 && codec.JSON.Unmarshal(b, &x) == nil && list != nil {
			t.Errorf("%q: %d arguments were read as 3", b, len(list))
		}
		codec.CBOR.Unmarshal(b, &x) // must not panic
	})
}
