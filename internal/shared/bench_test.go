package shared

import (
	"testing"

	"github.com/reeveq/reeve"
)

// nothing is a service whose methods return at once.
type nothing struct{}

func (nothing) Call(c *Call)     { c.Return([]byte{0}) }
func (nothing) Lost(*Client)     {}
func (nothing) Gone(*Client)     {}
func (nothing) Close(error)      {}
func (nothing) Describe() string { return "" }

// dropped takes answers and forgets them.
type dropped struct{}

func (dropped) Return(uint64, []byte) {}
func (dropped) Fail(uint64, error)    {}

// BenchmarkCall is what the Host alone takes for a call, besides what the object
// and the connection do: with an answer that is remembered until the caller has it,
// and with one that is not.
func BenchmarkCall(b *testing.B) {
	for name, r := range map[string]Request{"once": {}, "reads": {Reads: true}} {
		b.Run(name, func(b *testing.B) {
			h := New(Config{})
			b.Cleanup(h.Close)
			h.Serve("$nothing", nothing{}, []reeve.MethodInfo{{Name: "do"}})
			l, _ := h.Attach(ClientID{}, Who{}, dropped{})
			r.Ref, r.Method, r.Args = reeve.Ref{Name: "$nothing"}, "do", []byte{0x80}
			b.ReportAllocs()
			for b.Loop() {
				r.Req++
				r.Low = r.Req
				l.Call(&r)
			}
		})
	}
}
