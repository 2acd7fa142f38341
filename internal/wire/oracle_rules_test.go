package wire_test

import "github.com/reeveq/reeve"

// rules reads the rules of a task as the specification says; nil: none.
func (o *oracle) rules(extras map[uint64]raw, key uint64) *reeve.Rules {
	b, ok := extras[key]
	if !ok || o.err != nil {
		return nil
	}
	m := o.fields(b)
	r := &reeve.Rules{
		At:         unix(pick[int64](o, m, 1, 0, 1)),
		Expiry:     duration(pick[int64](o, m, 2, 0, 1)),
		ExpireAt:   unix(pick[int64](o, m, 3, 0, 1)),
		Attempts:   pick[int](o, m, 4, 0, 1),
		Key:        pick[string](o, m, 6, 3),
		Unique:     pick[string](o, m, 7, 3),
		UniqueMode: reeve.UniqueMode(pick[uint8](o, m, 8, 0)),
		UniqueFor:  duration(pick[int64](o, m, 9, 0, 1)),
		KeepResult: duration(pick[int64](o, m, 11, 0, 1)),
	}
	o.refuse(len(r.Key) > 1024 || len(r.Unique) > 1024)
	if _, ok := m[5]; ok {
		a := pick[[]raw](o, m, 5, 4)
		if o.refuse(len(a) < 4); o.err == nil {
			r.Backoff = reeve.Backoff{
				Base: duration(item[int64](o, a, 0, 0, 1)), Factor: o.float(a[1]),
				Max: duration(item[int64](o, a, 2, 0, 1)), Jitter: o.float(a[3]),
			}
		}
	}
	labels := pick[[]raw](o, m, 10, 4)
	o.refuse(len(labels) > 16)
	for i := 0; i < len(labels) && o.err == nil; i++ {
		l := item[string](o, labels, i, 3)
		o.refuse(len(l) > 255)
		r.Labels = append(r.Labels, l)
	}
	blobs := pick[[]raw](o, m, 12, 4)
	o.refuse(len(blobs) > 32 || len(blobs)%2 != 0)
	for i := 0; i+1 < len(blobs) && o.err == nil; i += 2 {
		hash := item[[]byte](o, blobs, i, 2)
		if o.refuse(len(hash) != 32); o.err == nil {
			r.Blobs = append(r.Blobs, reeve.BlobRef{Hash: reeve.BlobHash(hash), Size: item[int64](o, blobs, i+1, 0, 1)})
		}
	}
	return r
}

// float reads a number. The library would take null and undefined for one.
func (o *oracle) float(b raw) float64 {
	o.refuse(b[0]>>5 == 7 && b[0]&31 < 25)
	return item[float64](o, []raw{b}, 0, 0, 1, 7)
}
