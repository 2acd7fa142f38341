package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// checksum reads the file that arg names, on the worker's machine, and returns
// its SHA-256 and how many line ends it holds: "SHA256 LINES".
func checksum(ctx context.Context, arg []byte) ([]byte, error) {
	// A device or a pipe may have no end, and a pipe's opening may wait.
	switch info, err := os.Stat(string(arg)); {
	case err != nil:
		return nil, fmt.Errorf("checksum: %w", err)
	case !info.Mode().IsRegular():
		return nil, permanentf("checksum: %s is not a regular file", quote(string(arg)))
	}
	f, err := os.Open(string(arg))
	if err != nil {
		return nil, fmt.Errorf("checksum: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	lines := 0
	for buf := make([]byte, 64<<10); ; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		lines += bytes.Count(buf[:n], []byte("\n"))
		if errors.Is(err, io.EOF) {
			return fmt.Appendf(nil, "%s %d", hex.EncodeToString(h.Sum(nil)), lines), nil
		}
		if err != nil {
			return nil, fmt.Errorf("checksum: %w", err)
		}
	}
}
