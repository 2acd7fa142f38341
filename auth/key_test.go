package auth

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestParseKey_RefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	_, text, err := GenerateKey("worker-7")
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"empty":           "",
		"NUL":             "sec\x00ret",
		"too long":        strings.Repeat("x", 1025),
		"prefix only":     "rvk1.",
		"cut off":         text[:len(text)-1],
		"trailing blank":  text + " ",
		"a digit wrong":   text[:len(text)-2] + string(text[len(text)-2]^1) + text[len(text)-1:],
		"another id":      strings.Replace(text, "worker-7", "worker-8", 1),
		"bad id":          strings.Replace(text, "worker-7", "Worker-7", 1),
		"not base64url":   text[:len(text)-1] + "+",
		"a line break in": text[:len(text)-2] + "\n" + text[len(text)-1:],
	} {
		_, err := ParseKey([]byte(in))
		if !errors.Is(err, reeve.ErrKey) || ExitCode(err) != ExitKey {
			t.Errorf("%s: %v", name, err)
		} else if len(in) > 20 && strings.Contains(err.Error(), in[14:20]) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestGenerateKey_TextComesBackAsTheSameKey(t *testing.T) {
	t.Parallel()
	for _, kid := range []string{"a", "worker-7", "eu.west_1", strings.Repeat("x", 32)} {
		key, text, err := GenerateKey(kid)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseKey([]byte(text))
		if err != nil || back.ID() != kid || !back.Generated() || back.Weak() || !bytes.Equal(back.prsBytes(), key.prsBytes()) {
			t.Errorf("%s: %v %v", kid, back, err)
		}
	}
	for _, kid := range []string{"", "A", "a b", "a/b", "é", strings.Repeat("x", 33)} {
		if _, _, err := GenerateKey(kid); !errors.Is(err, reeve.ErrKey) {
			t.Errorf("id %q: %v", kid, err)
		}
	}
}

func TestVector_GeneratedKey(t *testing.T) {
	t.Parallel()
	if got := formatGenerated("worker-7", count(0)); got != generatedText {
		t.Errorf("text is %s", got)
	}
	if got := hex.EncodeToString(mustKey(t, generatedText).prsBytes()); got != generatedPRS {
		t.Errorf("PRS is %s", got)
	}
}

func TestKey_NoFormOfItShowsTheSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-and-more"
	key := mustKey(t, secret)
	key.prsBytes()
	type config struct {
		Key    Key
		hidden Key
	}
	holder := config{key, key}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08b"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n"+verb+"\n", key, holder, &holder)
	}
	for _, level := range []slog.Handler{
		slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}),
	} {
		slog.New(level).Debug("x", "key", key, "holder", holder)
	}
	for _, v := range []any{key, holder, &holder, map[string]Key{"a": key}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	fmt.Fprintln(&out, holder.hidden, ClientConfig{Key: key}, &ClientConfig{Key: key})
	func() {
		defer func() { fmt.Fprintln(&out, recover()) }()
		panic(fmt.Errorf("bad: %v", holder))
	}()
	for _, leak := range []string{secret, "hunter2", hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"104 117 110", hex.EncodeToString(key.prsBytes())} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("output holds %q:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing says that a key was redacted")
	}
}

func TestKey_ZeroKeyIsHarmless(t *testing.T) {
	t.Parallel()
	var k Key
	if !k.IsZero() || k.ID() != "" || k.Weak() || k.Generated() || k.NonASCII() || fmt.Sprint(k) != "[no authkey]" {
		t.Errorf("zero key: %v", k)
	}
}

func TestKeys_RefusesNothingAndTwice(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]Key{{}, {{}}, {mustKey(t, "a"), mustKey(t, "b")}} {
		if _, err := Keys(keys...); !errors.Is(err, reeve.ErrKey) {
			t.Errorf("%v: %v", keys, err)
		}
	}
}

func TestWeak_ShortKnownAndRepeatedPasswordsAre(t *testing.T) {
	t.Parallel()
	for password, weak := range map[string]bool{
		"secret":                       true,
		"elevenchars":                  true,
		"correcthorsebatterystaple":    true,
		"CorrectHorseBatteryStaple":    true,
		"aaaaaaaaaaaaaaaaaaaa":         true,
		"foo1foo1foo1foo":              true,
		"abcdefghijklmnop":             true,
		"ponmlkjihgfedcba":             true,
		"kelp-orbit-9-saucer":          false,
		"a quiet road to nowhere":      false,
		"Tr0ub4dor&3-but-longer":       false,
		"changeme-not-but-this-is-odd": false,
	} {
		if got := mustKey(t, password).Weak(); got != weak {
			t.Errorf("Weak(%q) = %v", password, got)
		}
	}
}

func TestWeakList_HoldsOnlyWhatTheLengthDoesNotCatch(t *testing.T) {
	t.Parallel()
	if len(weakList()) < 100 {
		t.Fatalf("the list has %d passwords", len(weakList()))
	}
	for p := range weakList() {
		if len(p) < minPassword || p != strings.ToLower(p) {
			t.Errorf("%q", p)
		}
	}
}

func TestWeakKeyWarning_EndsWithAUsableKey(t *testing.T) {
	t.Parallel()
	text, err := WeakKeyWarning()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 3 {
		t.Errorf("%d lines", len(lines))
	}
	if k := mustKey(t, lines[len(lines)-1]); !k.Generated() {
		t.Errorf("%v", k)
	}
}

func FuzzParseKey(f *testing.F) {
	_, text, err := GenerateKey("worker-7")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "secret", text, text[:40], "rvk1..", "rvk1.a.AAAA"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKey(b)
		switch {
		case err != nil && !errors.Is(err, reeve.ErrKey):
			t.Fatal(err)
		case err == nil && k.Generated() && formatGenerated(k.ID(), k.m().secret) != string(b):
			t.Fatalf("%q has a second text form", b)
		case err == nil && !k.Generated() && (k.ID() != DefaultKeyID || !bytes.Equal(k.m().secret, b)):
			t.Fatalf("%q is another password", b)
		}
	})
}
