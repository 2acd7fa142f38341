// Package codec has the payload codecs: CBOR (the default everywhere), JSON
// and raw bytes. It is not about Reeve's own messages, to which every payload
// is an opaque byte string.
package codec

import (
	"encoding/json"
	"fmt"
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
	// Raw carries []byte and string as they are and refuses all other types.
	Raw reeve.Codec = rawCodec{}
)

type cborCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCBOR() cborCodec {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC}.EncMode()
	if err != nil {
		panic(err) // constant options
	}
	// A payload comes from another process: maps become map[string]any, as
	// JSON's do, and a duplicate key is an error instead of either value.
	dec, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode()
	if err != nil {
		panic(err)
	}
	return cborCodec{enc: enc, dec: dec}
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
