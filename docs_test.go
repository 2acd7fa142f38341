package reeve_test

import (
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r", "")
}

// section is what stands below a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("there is no %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

func TestOperations_HasEveryOptionOfAQueueInAFormThatIsRead(t *testing.T) {
	t.Parallel()
	table := section(t, read(t, "docs/OPERATIONS.md"), "## Queue options")
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		name, _, _ := strings.Cut(m[1], "=")
		seen[name] = true
		if _, err := cmdline.ParseQueueSpec("q," + m[1]); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
	for _, name := range strings.Split(cmdline.QueueOptions(), ", ") {
		if !seen[name] {
			t.Errorf("option %s is missing", name)
		}
	}
}

// words are the values of info.go's constants of a string type.
func words(t *testing.T, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "info.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ {
			for _, v := range spec.Values {
				s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, s)
			}
		}
		return true
	})
	if len(all) == 0 {
		t.Fatalf("info.go has no constants of type %s", typ)
	}
	return all
}

func TestSemantics_HasEveryReasonAndEvent(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/SEMANTICS.md")
	reasons := section(t, text, "## Why a task does not run")
	for _, w := range words(t, "ReasonCode") {
		if !strings.Contains(reasons, "\n| `"+w+"` |") {
			t.Errorf("reason %s is missing", w)
		}
	}
	events := section(t, text, "## Events")
	for _, w := range words(t, "EventKind") {
		if !strings.Contains(events, "`"+w+"`") {
			t.Errorf("event %s is missing", w)
		}
	}
}

// example is the bytes of a block of hexadecimal with comments.
func example(t *testing.T, text, name string) []byte {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n```hex "+name+"\n")
	if !ok {
		t.Fatalf("there is no example %s", name)
	}
	rest, _, _ = strings.Cut(rest, "\n```")
	var digits strings.Builder
	for line := range strings.Lines(rest) {
		code, _, _ := strings.Cut(line, "#")
		for word := range strings.FieldsSeq(code) {
			digits.WriteString(word)
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

func TestJournal_ItsExampleIsAJournal(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/JOURNAL.md")
	seg := make([]byte, 1<<10)
	copy(seg, example(t, text, "segment"))
	copy(seg[512:], example(t, text, "frame"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "0000000000000001.seg"), seg, 0o600); err != nil {
		t.Fatal(err)
	}
	var queue record.Queue
	var put record.Put
	report, err := file.Scan(t.Context(), dir, func(_ journal.Pos, frame []byte) error {
		_, rest, err := record.ParseHead(frame)
		for err == nil && len(rest) > 0 {
			var kind record.Kind
			var body []byte
			if kind, body, rest, err = record.Next(rest); err != nil {
				break
			}
			switch kind {
			case record.KindQueue:
				err = queue.Decode(body)
			case record.KindPut:
				err = put.Decode(body)
			default:
				t.Errorf("a %v", kind)
			}
		}
		return err
	})
	if err != nil || report.Frames != 1 || report.Torn != nil {
		t.Fatalf("%+v, %v", report, err)
	}
	if queue.No != 1 || queue.Name != "tasks" || string(queue.Config) != "{}" {
		t.Errorf("%+v", queue)
	}
	b := put.Body
	if put.Queue != 1 || put.ID != 0x6a48c9a1f4f00001 || b.Type != "mail" || b.Priority != -1 || string(b.Payload) != "hello" {
		t.Errorf("%+v", put)
	}
}

// TestJournal_HasEveryKindOfRecord looks for the number and the name.
func TestJournal_HasEveryKindOfRecord(t *testing.T) {
	t.Parallel()
	records := section(t, read(t, "docs/JOURNAL.md"), "## Records")
	n := record.Kind(0)
	for k := record.Kind(1); k < 255; k++ {
		if !k.Known() {
			continue
		}
		n++
		if !strings.Contains(records, "\n| "+strconv.Itoa(int(k))+" | "+k.String()) {
			t.Errorf("kind %d, %v, is missing", k, k)
		}
	}
	if n == 0 {
		t.Error("there are no kinds")
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ (.*)$")
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocs_LinksLeadSomewhere looks at files and headings; it visits nothing.
func TestDocs_LinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "README.md", "CHANGELOG.md", "CONTRIBUTING.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			to, anchor, _ := strings.Cut(m[1], "#")
			path := file
			if to != "" {
				path = filepath.Join(filepath.Dir(file), filepath.FromSlash(to))
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			found := anchor == ""
			if !found {
				for _, h := range heading.FindAllStringSubmatch(read(t, path), -1) {
					name := dropped.ReplaceAllString(strings.ToLower(h[1]), "")
					found = found || strings.ReplaceAll(name, " ", "-") == anchor
				}
			}
			if !found {
				t.Errorf("%s: there is no heading for %s", file, m[1])
			}
		}
	}
}
