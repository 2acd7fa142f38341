// Package codec has the payload codecs: CBOR (the default everywhere), JSON
// and raw bytes. It is not about Reeve's own messages, to which every payload
// is an opaque byte string.
package codec

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"github.com/fxamacker/cbor/v2"
	"github.com/reeveq/reeve"
)

// The codecs. Each is stateless and safe for concurrent use.
var (
	// CBOR writes RFC 8949 CBOR: compact, typed, with byte strings and times
	// to the nanosecond. Struct fields take `cbor` or `json` tags.
	CBOR reeve.Codec = newCBOR()
	// JSON writes what encoding/json writes.
	JSON reeve.Codec = jsonCodec{}
	// Deterministic is CBOR in its one form for each value (RFC 8949, 4.2.1): equal
	// values are equal bytes. It reads what CBOR reads.
	Deterministic reeve.Codec = newDeterministic()
	// Raw carries []byte and string as they are and refuses all other types.
	Raw reeve.Codec = rawCodec{}
)

// Encoded is a value that is CBOR already: it is written as it is, and read
// without a look at it.
type Encoded = cbor.RawMessage

// refTag marks a [reeve.Ref], wherever in a value it is. It is not registered.
const refTag = 29285

type cborCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCBOR() cborCodec { return newCodec(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC}) }

func newDeterministic() cborCodec {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339NanoUTC
	return newCodec(o)
}

func newCodec(o cbor.EncOptions) cborCodec {
	tags := cbor.NewTagSet()
	must(tags.Add(cbor.TagOptions{EncTag: cbor.EncTagRequired, DecTag: cbor.DecTagRequired}, reflect.TypeFor[reeve.Ref](), refTag))
	enc, err := o.EncModeWithTags(tags)
	must(err)
	// A payload comes from another process: maps become map[string]any, as
	// JSON's do, and a duplicate key is an error instead of either value.
	// How many elements there may be is bounded by how long a payload may be: what
	// can be written can be read.
	dec, err := cbor.DecOptions{
		DefaultMapType: reflect.TypeFor[map[string]any](), DupMapKey: cbor.DupMapKeyEnforcedAPF,
		MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32,
	}.DecModeWithTags(tags)
	must(err)
	return cborCodec{enc: enc, dec: dec}
}

// must is for what is constant.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (cborCodec) Name() string                         { return "cbor" }
func (c cborCodec) Marshal(v any) ([]byte, error)      { return c.enc.Marshal(v) }
func (c cborCodec) Unmarshal(data []byte, v any) error { return c.dec.Unmarshal(data, v) }

type jsonCodec struct{}

func (jsonCodec) Name() string                       { return "json" }
func (jsonCodec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (jsonCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return nil, fmt.Errorf("codec: raw carries []byte and string, not %T", v)
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	switch v := v.(type) {
	case *[]byte:
		*v = append([]byte(nil), data...)
	case *string:
		*v = string(data)
	default:
		return fmt.Errorf("codec: raw carries *[]byte and *string, not %T", v)
	}
	return nil
}
