package canonical_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/canonical"
)

func TestURL_GivesOneForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		// Blanks, line ends.
		" \x00http://h/a\n\tb \r\n": "http://h/ab",
		"h\nttp://h/":               "http://h/",
		"http://h/a b":              "http://h/a%20b",
		// Case of scheme and host.
		"HTTP://EXAMPLE.Com/PATH": "http://example.com/PATH",
		// Names in other letters, escapes in names, dots at the end.
		"http://Bücher.example/":           "http://xn--bcher-kva.example/",
		"http://b%C3%BCcher.example/":      "http://xn--bcher-kva.example/",
		"http://xn--bcher-kva.example/":    "http://xn--bcher-kva.example/",
		"http://faß.de/":                   "http://xn--fa-hia.de/",
		"http://例え。テスト/":                   "http://xn--r8jz45g.xn--zckzah/",
		"http://%65xample%2Ecom/":          "http://example.com/",
		"http://example.com./a":            "http://example.com/a",
		"http://my_site.example/":          "http://my_site.example/",
		"http://r3---sn-4g5e6nez.example/": "http://r3---sn-4g5e6nez.example/",
		// IPv4 and IPv6.
		"http://127.0.0.1/":                  "http://127.0.0.1/",
		"http://0x7F.1/":                     "http://127.0.0.1/",
		"http://0177.0.0.01/":                "http://127.0.0.1/",
		"http://2130706433/":                 "http://127.0.0.1/",
		"http://0x/":                         "http://0.0.0.0/",
		"http://１２７.0.0.1/":                  "http://127.0.0.1/",
		"http://1.65535/":                    "http://1.0.255.255/",
		"http://[2001:DB8:0:0:0:0:0:1]/":     "http://[2001:db8::1]/",
		"http://[::ffff:7f00:1]:80/":         "http://[::ffff:127.0.0.1]/",
		"https://[::1]:8443":                 "https://[::1]:8443/",
		"http://127.0.0.1.example/":          "http://127.0.0.1.example/",
		"http://1e3.example/":                "http://1e3.example/",
		"http://user:secret@h/":              "http://h/",
		"http://h@evil.example@h.example/@x": "http://h.example/@x",
		// Ports.
		"http://h:80/":      "http://h/",
		"https://h:443/":    "https://h/",
		"http://h:443/":     "http://h:443/",
		"http://h:/":        "http://h/",
		"http://h:00080":    "http://h/",
		"http://h:08080/":   "http://h:8080/",
		"http://h:65535?":   "http://h:65535/",
		"http://h:0/":       "http://h:0/",
		"http://h:8080?a#f": "http://h:8080/?a",
		// Escapes.
		"http://h/%7euser/%2d%5f%2E%7E":   "http://h/~user/-_.~",
		"http://h/a%2fb%3f":               "http://h/a%2Fb%3F",
		"http://h/ä":                      "http://h/%C3%A4",
		"http://h/%c3%a4":                 "http://h/%C3%A4",
		"http://h/\xe4":                   "http://h/%E4",
		"http://h/100%":                   "http://h/100%25",
		"http://h/%zz%4":                  "http://h/%25zz%254",
		"http://h/%%41%2%35":              "http://h/%25A%2525",
		"http://h/a\\b|[c]^`{d}\"<e>":     "http://h/a%5Cb%7C%5Bc%5D%5E%60%7Bd%7D%22%3Ce%3E",
		"http://h/!$&'()*+,;=:@":          "http://h/!$&'()*+,;=:@",
		"http://h/%21%24%26%3D":           "http://h/%21%24%26%3D",
		"http://h/a%00\x7f\x01b":          "http://h/a%00%7F%01b",
		"http://h/?a[]=ü&b=/?:@":          "http://h/?a%5B%5D=%C3%BC&b=/?:@",
		"http://h/?q=a+b%2Bc%20d&p=%3d%7": "http://h/?p=%3D%257&q=a+b%2Bc%20d",
		// Dots.
		"http://h":                    "http://h/",
		"http://h/.":                  "http://h/",
		"http://h/..":                 "http://h/",
		"http://h/a/b/c/./../../g":    "http://h/a/g",
		"http://h/a/..":               "http://h/",
		"http://h/a/b/..":             "http://h/a/",
		"http://h/../../a":            "http://h/a",
		"http://h/a/%2e%2E/b":         "http://h/b",
		"http://h/a/.../..b/.c":       "http://h/a/.../..b/.c",
		"http://h//a//../b//":         "http://h//a/b//",
		"http://h/.//a":               "http://h//a",
		"http://h/a%2f..%2fb":         "http://h/a%2F..%2Fb",
		"http://h?a=/../b":            "http://h/?a=/../b",
		"http://h/mid/content=5/../6": "http://h/mid/6",
		// Queries.
		"http://h/?":                      "http://h/",
		"http://h/?&&":                    "http://h/",
		"http://h/?b=2&a=1&&c":            "http://h/?a=1&b=2&c",
		"http://h/?a=2&b&a=1&a":           "http://h/?a=2&a=1&a&b",
		"http://h/?a&a=":                  "http://h/?a&a=",
		"http://h/?%62=1&a":               "http://h/?a&b=1",
		"http://h/?a=1;b=2":               "http://h/?a=1;b=2",
		"http://h/?utm_source=x&gclid=1":  "http://h/?gclid=1&utm_source=x",
		"http://h/#a":                     "http://h/",
		"http://h/a#b?c":                  "http://h/a",
		"http://h/a?b#c#d":                "http://h/a?b",
		"http://h/?q=http://other/?x#frg": "http://h/?q=http://other/?x",
	} {
		if got, err := canonical.URL(raw); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestURL_RefusesWhatIsNoAddressOfAPage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", canonical.MaxLength)
	for raw, want := range map[string]string{
		"":                            "it has no scheme",
		"h/a":                         "it has no scheme",
		"//h/a":                       "it has no scheme",
		"://h":                        "it has no scheme",
		"mailto:a@b":                  `its scheme is "mailto", want http or https`,
		"javascript:alert(1)":         `its scheme is "javascript"`,
		"ftp://h/":                    `its scheme is "ftp"`,
		"http:a":                      "it has no host",
		"http:///a":                   "it has no host",
		"http://:80/":                 "it has no host",
		"http://u:p@/":                "it has no host",
		"http://./":                   "it has no host",
		"http://h:port/":              "its port is no number",
		"http://h:65536/":             "its port is no number from 0 to 65535",
		"http://h:+1/":                "its port is no number",
		"http://a:b:80/":              "its port is no number",
		"http://::1/":                 "it has no host",
		"http://[::1/":                "there is no ]",
		"http://[::1]x/":              "after the ] is no colon and port",
		"http://[1.2.3.4]/":           "want an IPv6 address",
		"http://[fe80::1%25eth0]/":    "want an IPv6 address",
		"http://[v1.x]/":              "want an IPv6 address",
		"http://a b/":                 `its host is "a b"`,
		"http://a<b/":                 "characters that no name",
		"http://a%/":                  "an escape in it is not complete",
		"http://a%FF/":                "it is not in UTF-8",
		"http://a%2Fb/":               `its host is "a%2Fb"`,
		"http://a%25b/":               "characters that no name",
		"http://a..b/":                "a part of it is empty or too long",
		"http://.a/":                  "a part of it is empty or too long",
		"http://xn--a/":               "it is no name of a host",
		"http://aℵb/":                 "it is no name of a host",
		"http://" + long[:64] + ".b/": "a part of it is empty or too long",
		"http://" + strings.Repeat("abcdefg.", 40) + "b/": "it is too long",
		"http://256.0.0.1/":                            "neither a name nor an IPv4 address",
		"http://1.2.3.4.5/":                            "neither a name nor an IPv4 address",
		"http://08.0.0.1.9/":                           "neither a name nor an IPv4 address",
		"http://a.1/":                                  "neither a name nor an IPv4 address",
		"http://4294967296/":                           "neither a name nor an IPv4 address",
		"http://h/" + long:                             "it is 8201 bytes long, want at most 8192",
		"http://h/" + long[:4096] + "ä":                "",
		"http://h/" + strings.Repeat(" x", 2044) + "ä": "",
		"http://h/" + strings.Repeat("<", 4096):        "bytes long, want at most 8192",
	} {
		got, err := canonical.URL(raw)
		if want == "" {
			if err != nil {
				t.Errorf("%.60q: %v", raw, err)
			}
			continue
		}
		if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), want) || got != "" {
			t.Errorf("%.60q: %.60q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestURL_HostsInAnyLettersKeepTheirForm(t *testing.T) {
	t.Parallel()
	forms := 0
	for r := rune(0); r <= 0xffff; r++ {
		if r == 0x3400 {
			r = 0xf900 // what lies between is Chinese and Korean throughout, or nothing
		}
		for _, raw := range []string{"http://a" + string(r) + "b/", "http://x." + string(r) + "1"} {
			got, err := canonical.URL(raw)
			if err != nil {
				continue
			}
			forms++
			if again, err := canonical.URL(got); err != nil || again != got {
				t.Errorf("%U: %q, and then %q, %v", r, got, again, err)
			}
		}
	}
	if forms < 10_000 {
		t.Errorf("%d forms only", forms)
	}
}

func TestURL_ErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"http://u:hush@/", "http://u:hush@h:x/", "http://u:hush@a b/", "ftp://u:hush@h/", "//u:hush@h/", "http://u:hush@[x]/", "http://u:hu/sh@h/", "http://u:hush?@h/", "http://u:hush@h/" + strings.Repeat("x", 9000)} {
		if _, err := canonical.URL(raw); err == nil || strings.Contains(err.Error(), "hu") {
			t.Errorf("%.40q: %v", raw, err)
		}
	}
}

func TestOptions_ChangeWhatTheySay(t *testing.T) {
	t.Parallel()
	const raw = "http://h/?utm_Source=x&b=2&%75tm_id=1&GCLID=3&a=1&sid=7&Session_x=8&gclidx=9&utm=1#!/A b%7e"
	for want, o := range map[string]canonical.Options{
		"http://h/?GCLID=3&Session_x=8&a=1&b=2&gclidx=9&sid=7&utm=1&utm_Source=x&utm_id=1#!/A%20b~": {KeepFragment: true},
		"http://h/?utm_Source=x&b=2&utm_id=1&GCLID=3&a=1&sid=7&Session_x=8&gclidx=9&utm=1":          {KeepOrder: true},
		"http://h/?Session_x=8&a=1&b=2&gclidx=9&sid=7&utm=1":                                        {DropTracking: true},
		"http://h/?b=2&a=1&gclidx=9&utm=1":                                                          {DropTracking: true, KeepOrder: true, Drop: []string{"SID", "session_*"}},
		"http://h/":                                                                                 {Drop: []string{"*"}},
	} {
		if got, err := o.URL(raw); err != nil || got != want {
			t.Errorf("%+v: %q, %v, want %q", o, got, err, want)
		}
	}
}

func TestResolve_DoesAsTheRFCShows(t *testing.T) {
	t.Parallel()
	const base = "http://a/b/c/d;p?q"
	for ref, want := range map[string]string{ // RFC 3986, 5.4, less the fragments
		"g": "http://a/b/c/g", "./g": "http://a/b/c/g", "g/": "http://a/b/c/g/", "/g": "http://a/g", "//g": "http://g/",
		"?y": "http://a/b/c/d;p?y", "g?y": "http://a/b/c/g?y", "#s": "http://a/b/c/d;p?q", "g#s": "http://a/b/c/g",
		"g?y#s": "http://a/b/c/g?y", ";x": "http://a/b/c/;x", "g;x": "http://a/b/c/g;x", "g;x?y#s": "http://a/b/c/g;x?y",
		"": "http://a/b/c/d;p?q", ".": "http://a/b/c/", "./": "http://a/b/c/", "..": "http://a/b/", "../": "http://a/b/",
		"../g": "http://a/b/g", "../..": "http://a/", "../../": "http://a/", "../../g": "http://a/g",
		"../../../g": "http://a/g", "../../../../g": "http://a/g", "/./g": "http://a/g", "/../g": "http://a/g",
		"g.": "http://a/b/c/g.", ".g": "http://a/b/c/.g", "g..": "http://a/b/c/g..", "..g": "http://a/b/c/..g",
		"./../g": "http://a/b/g", "./g/.": "http://a/b/c/g/", "g/./h": "http://a/b/c/g/h", "g/../h": "http://a/b/c/h",
		"g;x=1/./y": "http://a/b/c/g;x=1/y", "g;x=1/../y": "http://a/b/c/y", "g?y/./x": "http://a/b/c/g?y/./x",
		"HTTPS://B:443/x": "https://b/x", " g\n": "http://a/b/c/g", "?": "http://a/b/c/d;p",
		"g:h": "", "mailto:a@b": "", "//": "", "http:g": "",
	} {
		got, err := canonical.Resolve(base, ref)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%q: %q, %v, want %q", ref, got, err, want)
		}
	}
	for _, base := range []string{"a/b", "", "ftp://h/", "http://h:x/"} {
		if got, err := canonical.Resolve(base, "g"); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("from %q: %q, %v", base, got, err)
		}
	}
	if got, err := canonical.Resolve("http://h/a/b/%2E.", "g"); err != nil || got != "http://h/a/g" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := canonical.Resolve("http://h", "g"); err != nil || got != "http://h/g" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := (canonical.Options{KeepFragment: true}).Resolve(base, "g#s"); err != nil || got != "http://a/b/c/g#s" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestKey_FitsAndTellsAddressesApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, n := range []int{0, 1, reeve.MaxKey - 1, reeve.MaxKey, reeve.MaxKey + 1, canonical.MaxLength} {
		for _, end := range []string{"x", "y"} {
			address := strings.Repeat("a", n) + end
			key := canonical.Key(address)
			if other, ok := seen[key]; ok {
				t.Errorf("%.20q and %.20q have the same key", address, other)
			}
			seen[key] = address
			if len(key) > reeve.MaxKey || len(address) <= reeve.MaxKey && key != address {
				t.Errorf("of %d bytes: %d bytes, %.20q", len(address), len(key), key)
			}
		}
	}
}

func ExampleURL() {
	for _, raw := range []string{"HTTP://Example.com:80/%7euser/./a/../?b=2&a=1#top", "http://example.com/~user/?a=1&b=2"} {
		u, err := canonical.URL(raw)
		fmt.Println(u, err)
	}
	// Output:
	// http://example.com/~user/?a=1&b=2 <nil>
	// http://example.com/~user/?a=1&b=2 <nil>
}

func ExampleOptions() {
	o := canonical.Options{DropTracking: true, Drop: []string{"session"}}
	u, err := o.Resolve("https://example.com/news/", "today?utm_source=mail&session=7&page=2")
	fmt.Println(u, err)
	// Output: https://example.com/news/today?page=2 <nil>
}

// check is what holds for every address that has a form.
func check(t *testing.T, o canonical.Options, raw string) {
	t.Helper()
	got, err := o.URL(raw)
	if err != nil {
		if !errors.Is(err, reeve.ErrInvalid) || got != "" {
			t.Fatalf("%q: %q, %v", raw, got, err)
		}
		return
	}
	if again, err := o.URL(got); err != nil || again != got {
		t.Fatalf("%q: %q, and then %q, %v", raw, got, again, err)
	}
	if from, err := o.Resolve("https://other.example/a/b?c", got); err != nil || from != got {
		t.Fatalf("%q: %q, as a reference %q, %v", raw, got, from, err)
	}
	for i := range len(got) {
		if got[i] <= ' ' || got[i] > '~' {
			t.Fatalf("%q: %q", raw, got)
		}
	}
	u, err := url.Parse(got)
	if err != nil || u.User != nil || u.Path == "" || u.ForceQuery || !o.KeepFragment && u.Fragment != "" || u.Host == "" || len(got) > canonical.MaxLength {
		t.Fatalf("%q: %q is %+v, %v", raw, got, u, err)
	}
	// Another writing of the same address.
	same := strings.ToUpper(u.Scheme) + "://nobody@" + strings.ToUpper(u.Host) + "/x/%2e/.." + strings.TrimPrefix(got, u.Scheme+"://"+u.Host)
	if len(same) <= canonical.MaxLength {
		if alike, err := o.URL(same); err != nil || alike != got {
			t.Fatalf("%q: %q, and %q: %q, %v", raw, got, same, alike, err)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"http://h/a?b=c#d", "HTTPS://u:p@Bücher.example:443/%7e/../%2e%2E//?b&a=%zz&&utm_x=1#x", "http://[::ffff:1.2.3.4]:1/", "http://0x7f.1",
		"http://xn--bcher-kva.example./ä\xff%", "http://１２７。0.0.1/\\", "http://a_b.--c/%%41%2%35", "http://ſ.example/", "http://\u200d.a/",
	} {
		for o := range byte(16) {
			f.Add(s, o, "sid")
		}
	}
	f.Fuzz(func(t *testing.T, raw string, o byte, drop string) {
		check(t, canonical.Options{KeepFragment: o&1 != 0, KeepOrder: o&2 != 0, DropTracking: o&4 != 0, Drop: map[bool][]string{true: {drop, "a*"}}[o&8 != 0]}, raw)
	})
}

func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"", "g", "../g?x#y", "//h:80/..", "HTTP:g", "?", "#", "a:b", "\n/ä"} {
		f.Add("http://a/b/c/d;p?q", ref)
	}
	f.Fuzz(func(t *testing.T, base, ref string) {
		got, err := canonical.Resolve(base, ref)
		if err != nil {
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		check(t, canonical.Options{}, got)
		one, err := canonical.URL(base)
		if err != nil {
			return // the reference is absolute, or gives another host
		}
		if len(one) < 2000 && len(ref) < 2000 {
			if again, err := canonical.Resolve(one, ref); err != nil || again != got {
				t.Fatalf("%q from %q is %q, from %q %q, %v", ref, base, got, one, again, err)
			}
		}
	})
}

func BenchmarkURL(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := canonical.URL("http://www.Example.com:80/news/2024/../%7euser/a.html?page=2&lang=en#top"); err != nil {
			b.Fatal(err)
		}
	}
}
