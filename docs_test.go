package reeve_test

import (
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
