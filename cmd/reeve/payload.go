package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reeveq/reeve/codec"
)

// payloadJSON is a payload as -json shows it: as text if it is one, otherwise
// in base64, and in words too if it is CBOR.
type payloadJSON struct {
	Payload *string         `json:"payload,omitempty"`
	Base64  *string         `json:"payload_base64,omitempty"`
	CBOR    json.RawMessage `json:"payload_cbor,omitempty"`
}

func newPayloadJSON(b []byte) payloadJSON {
	if utf8.Valid(b) {
		s := string(b)
		return payloadJSON{Payload: &s}
	}
	s := base64.StdEncoding.EncodeToString(b)
	cbor, _ := cborAsJSON(b)
	return payloadJSON{Base64: &s, CBOR: cbor}
}

// cborAsJSON is a payload that is CBOR in the words of JSON, as far as it can
// be said in them.
func cborAsJSON(b []byte) (json.RawMessage, bool) {
	var v any
	if len(b) == 0 || codec.CBOR.Unmarshal(b, &v) != nil {
		return nil, false
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(finite(v))
	return bytes.TrimSpace(text.Bytes()), err == nil
}

// finite puts names in the place of the numbers that JSON does not have.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = finite(v[k])
		}
	}
	return v
}

// isText tells whether a terminal shows b as it is.
func isText(b []byte) bool {
	return utf8.Valid(b) && strings.IndexFunc(string(b), func(r rune) bool {
		return !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r'
	}) < 0
}

// previewWidth is how many characters of a payload stand in a table.
const previewWidth = 60

// preview is the beginning of a payload in a line; b is what is there of its
// size bytes.
func preview(b []byte, size int) string {
	switch {
	case size == 0:
		return "(empty)"
	case len(b) == 0:
		return "(" + plural(size, "byte") + ")"
	}
	whole, text := len(b) >= size, b
	for cut := 0; !whole && cut < utf8.UTFMax-1 && len(text) > 1 && !utf8.Valid(text); cut++ {
		text = text[:len(text)-1] // in the middle of a character
	}
	if isText(text) {
		if whole {
			return clipped(string(text), previewWidth)
		}
		return clipped(string(text), previewWidth-1) + "…"
	}
	if cbor, ok := cborAsJSON(b); ok && whole {
		return clipped(string(cbor), previewWidth)
	}
	const most = previewWidth/2 - 2
	if !whole || len(b) > most {
		return "0x" + hex.EncodeToString(b[:min(len(b), most)]) + "…"
	}
	return "0x" + hex.EncodeToString(b)
}

// shownBytes is how much of a payload is written out.
const shownBytes = 64 << 10

// describePayload is what kind of payload b is, and its content in lines.
func describePayload(b []byte) (kind string, content []string) {
	switch cbor, isCBOR := cborAsJSON(b); {
	case len(b) == 0:
		return "empty", nil
	case isText(b):
		content = beginning(string(b))
		if isCBOR && b[0]>>5 == 3 { // a text of CBOR by chance, or a text by chance
			content = append(content, "or, read as CBOR: "+clipped(string(cbor), previewWidth))
		}
		return plural(len(b), "byte") + " of text", content
	case isCBOR:
		var pretty bytes.Buffer
		_ = json.Indent(&pretty, cbor, "", "  ") // it is JSON
		return plural(len(b), "byte") + " of CBOR", beginning(pretty.String())
	default:
		return plural(len(b), "byte"), beginning(hex.Dump(b[:min(len(b), shownBytes)]))
	}
}

// beginning is the first lines of a text; -raw has all.
func beginning(s string) []string {
	if len(s) <= shownBytes {
		return printableLines(s)
	}
	return append(printableLines(strings.ToValidUTF8(s[:shownBytes], "")), "… (-raw writes all of it)")
}
