package record_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// filler sets every field of a struct, by its type: whoever adds a field and
// forgets to write or to read it is told.
type filler struct {
	*rand.Rand
	how filling
}

type filling int

const (
	all      filling = iota // no field is zero
	some                    // each field with even chance
	extreme                 // the largest or the smallest that there is
	readable                // like some, and every text is UTF-8
)

func newFiller(seed uint64, how filling) filler {
	return filler{rand.New(rand.NewPCG(seed, uint64(how))), how}
}

var timeType = reflect.TypeFor[time.Time]()

func (f filler) fill(v reflect.Value) {
	if (f.how == some || f.how == readable) && v.Kind() != reflect.Struct && f.IntN(2) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			if f.how == all || f.IntN(2) == 0 {
				v.Set(reflect.ValueOf(time.Unix(0, f.int(64))))
			}
			return
		}
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Slice:
		n := 1 + f.IntN(4)
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(f.text()))
			return
		}
		if f.how == extreme {
			n *= 2
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat([]float64{math.MaxFloat64, math.SmallestNonzeroFloat64, -1, 1.5, math.Inf(-1)}[f.IntN(4+int(f.how)%2)])
	case reflect.Int32, reflect.Int64:
		v.SetInt(f.int(v.Type().Bits()))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.uint(v.Type().Bits()))
	default:
		panic("no filling of " + v.Type().String())
	}
}

// int is not 0, of any width.
func (f filler) int(bits int) int64 {
	if f.how == extreme {
		return []int64{math.MinInt64, math.MaxInt64}[f.IntN(2)] >> (64 - bits)
	}
	v := int64(f.Uint64()) >> (64 - bits) >> f.IntN(bits)
	if v == 0 {
		return 1
	}
	return v
}

func (f filler) uint(bits int) uint64 {
	v := f.Uint64() >> (64 - bits) >> f.IntN(bits)
	if f.how == extreme {
		v = math.MaxUint64 >> (64 - bits)
	}
	return max(1, v)
}

// text is not empty. It need not be UTF-8, and may end at a byte more or less
// than what fits into a length of one or two bytes.
func (f filler) text() string {
	n := []int{1, 5, 20, 126, 127, 128, 129}[f.IntN(7)]
	if f.how == extreme {
		n = []int{16370, 16383, 16384, 16385}[f.IntN(4)]
	}
	b := make([]byte, n)
	for i := range b[:min(n, 200)] {
		b[i] = byte(f.Uint32())
		if f.how == readable {
			b[i] &= 0x7f
		}
	}
	return string(b)
}

// seeds calls f with one fixed and many new seeds, and names those that fail.
func seeds(t *testing.T, n int, f func(t *testing.T, seed uint64)) {
	t.Helper()
	for i := range n {
		seed := uint64(i)
		if i > 0 {
			seed = rand.Uint64()
		}
		if !t.Run("", func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			})
			f(t, seed)
		}) {
			return
		}
	}
}

// filled are records of every kind.
func filled(seed uint64, how filling) []decoder {
	f := newFiller(seed, how)
	var out []decoder
	for _, c := range codecs {
		r := c.fresh()
		f.fill(reflect.ValueOf(r).Elem())
		out = append(out, r)
	}
	return out
}
