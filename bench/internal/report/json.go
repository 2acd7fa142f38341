package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes run so that [ReadJSON] reads it back. It fails for figures
// that are not finite.
func WriteJSON(w io.Writer, run *Run) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(run); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// ReadJSON reads what [WriteJSON] wrote. Fields it does not know are an error:
// figures that were left out silently would be taken for all there are.
func ReadJSON(r io.Reader) (*Run, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	run := new(Run)
	if err := dec.Decode(run); err != nil {
		return nil, fmt.Errorf("report: not the JSON of a run: %w", err)
	}
	return run, nil
}
