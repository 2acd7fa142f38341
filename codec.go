package reeve

// Codec turns values into payloads and back. Package codec has those for CBOR,
// JSON and raw bytes. Its methods must be safe for concurrent use.
type Codec interface {
	// Name is the codec's name for error texts: "cbor", "json", "raw".
	Name() string
	Marshal(v any) ([]byte, error)
	// Unmarshal must not keep data.
	Unmarshal(data []byte, v any) error
}
