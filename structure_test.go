package reeve_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// Who may import whom. These rules keep requests travelling one way (proxy →
// session → manager → engine) and each third-party protocol behind one package;
// docs/ARCHITECTURE.md tells why.

const module = "github.com/reeveq/reeve"

// pkg is what `go list` tells of a package, as far as it is used here.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// ours lists the packages of the module, without their tests.
func ours(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Doc,GoFiles,Imports,Deps", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list found %d packages only", len(pkgs))
	}
	return pkgs
}

// rel is the package's path in the module; "" is the root package.
func rel(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, module), "/") }

func isOurs(p string) bool { return p == module || strings.HasPrefix(p, module+"/") }

// isForTests tells packages that exist for tests.
func isForTests(p string) bool {
	return strings.HasSuffix(path.Base(p), "test")
}

// mayImport[package]: what of the module it may import directly. A package that
// is not listed may not exist: whoever adds one decides here where it stands.
var mayImport = map[string][]string{
	"":                             {},
	"canonical":                    {""},
	"codec":                        {""},
	"auth":                         {"", "auth/cpace"},
	"auth/cpace":                   {},
	"internal/session":             {""},
	"internal/session/memnet":      {},
	"internal/session/sessiontest": {},
	"internal/wire":                {""},
	"journal":                      {},
	"journal/backup":               {"journal"},
	"journal/file":                 {"", "journal"},
	"journal/journaltest":          {"", "journal"},
	"internal/record":              {""},
	"internal/dump":                {"journal", "internal/record"},
	"internal/commit":              {"", "journal"},
	"internal/queue":               {"", "journal", "internal/commit", "internal/record"},
	"internal/shared":              {"", "codec"},
	"internal/shared/blob":         {"", "codec", "internal/shared"},
	"internal/shared/container":    {"", "codec", "internal/shared"},
	"internal/shared/expose":       {"", "codec", "internal/shared"},
	"internal/shared/locking":      {"", "codec", "internal/shared"},
	"shared":                       {"", "codec"},
	"process":                      {"", "auth"},
	"transport":                    {"", "auth", "codec", "internal/address", "internal/session/memnet"},
	"manager":                      {"", "auth", "codec", "journal", "journal/backup", "internal/address", "internal/memory", "internal/session", "internal/wire", "internal/queue", "internal/shared", "internal/shared/blob", "internal/shared/container", "internal/shared/expose", "internal/shared/locking"},
	"proxy":                        {"", "auth", "codec", "journal", "journal/backup", "internal/address", "internal/session", "internal/wire"},
	"worker":                       {"", "codec"},
	"pool":                         {"", "codec"},
	"managertest":                  {"", "auth", "journal", "manager", "proxy", "internal/session/memnet", "internal/session/sessiontest"},
	"internal/address":             {},
	"internal/batch":               {""},
	"internal/cmdline":             {"", "auth"},
	"internal/command":             {"", "worker"},
	"internal/demo":                {"", "worker"},
	"internal/memory":              {},
	"internal/program":             {"", "auth", "internal/address", "internal/cmdline"},
}

// public are the packages that a user of the library may import.
var public = []string{"", "auth", "canonical", "codec", "journal", "journal/backup", "journal/file", "journal/journaltest", "manager", "proxy", "shared", "worker", "pool", "managertest", "process", "transport"}

func TestImports_FollowTheRules(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		name := rel(p.ImportPath)
		allowed, listed := mayImport[name]
		switch {
		case strings.HasPrefix(name, "cmd/"), len(p.GoFiles) == 0:
			continue // wires everything together, or has tests only
		case strings.HasPrefix(name, "examples/"):
			allowed = append(public[:len(public):len(public)], "examples/internal/process")
		case !listed:
			t.Errorf("package %s has no rule in mayImport", name)
			continue
		}
		for _, imp := range p.Imports {
			if isOurs(imp) && !slices.Contains(allowed, rel(imp)) && !strings.HasPrefix(imp, p.ImportPath+"/") {
				t.Errorf("%s imports %s, which it must not know", name, rel(imp))
			}
		}
	}
}

func TestLinks_StayApart(t *testing.T) {
	t.Parallel()
	never := map[string][]string{
		"proxy":            {"manager", "internal/queue"},
		"worker":           {"proxy", "manager", "internal/queue", "internal/session", "internal/wire"},
		"pool":             {"worker", "proxy", "manager", "internal/queue", "internal/session", "internal/wire"},
		"internal/queue":   {"internal/session", "internal/wire", "auth", "journal/file"},
		"manager":          {"journal/file"},
		"journal/file":     {"internal/queue", "internal/record", "internal/commit"},
		"internal/session": {"auth", "internal/wire"},
		"cmd/worker":       {"manager", "internal/queue"},
		"cmd/reeve":        {"manager", "internal/queue"},
	}
	for _, p := range ours(t) {
		for _, far := range never[rel(p.ImportPath)] {
			if slices.Contains(p.Deps, module+"/"+far) {
				t.Errorf("%s links %s", rel(p.ImportPath), far)
			}
		}
	}
}

func TestThirdParties_StayBehindOnePackage(t *testing.T) {
	t.Parallel()
	behind := map[string][]string{
		"github.com/hashicorp/yamux":        nil, // a peer in tests
		"github.com/fxamacker/cbor/v2":      {"internal/wire", "codec"},
		"filippo.io/edwards25519":           {"auth/cpace"},
		"golang.org/x/crypto":               {"auth"},
		"golang.org/x/net/idna":             {"canonical"},
		"github.com/urfave/cli/v3":          {"internal/cmdline", "internal/program", "cmd/master", "cmd/worker", "cmd/reeve", "cmd/reevegen"},
		"golang.org/x/tools":                {"cmd/reevegen"},
		"github.com/gdamore/tcell/v3":       {"cmd/reeve"},
		"github.com/schollz/progressbar/v3": {"cmd/master", "examples/quickstart"},
		"testing":                           nil,
	}
	for _, p := range ours(t) {
		for _, imp := range p.Imports {
			for prefix, allowed := range behind {
				if imp != prefix && !strings.HasPrefix(imp, prefix+"/") {
					continue
				}
				if prefix == "testing" && isForTests(p.ImportPath) {
					continue
				}
				if !slices.Contains(allowed, rel(p.ImportPath)) {
					t.Errorf("%s imports %s", rel(p.ImportPath), imp)
				}
			}
		}
	}
}

func TestVocabulary_NeedsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		if p.ImportPath != module {
			continue
		}
		for _, dep := range p.Deps {
			if strings.Contains(strings.SplitN(dep, "/", 2)[0], ".") {
				t.Errorf("the vocabulary links %s", dep)
			}
		}
	}
}

func TestPackages_SayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment is %q, want it to begin with %q", rel(p.ImportPath), p.Doc, want)
		}
	}
}
