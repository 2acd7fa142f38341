package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/examples/internal/exampletest"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

func TestCrawler_RecordsEveryPageOnceWithAWorkerKilled(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "crawler")
	stdout, stderr, code := u.Run("crawler")
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	m := regexp.MustCompile(`\nrequest 100 is from (worker-\d), which is killed\n(\d+) pages, 0 missing, 0 recorded twice, (\d+) fetches, (worker-\d) killed, (\d+) redelivered\n$`).FindStringSubmatch(stdout)
	if m == nil {
		t.Fatalf("got:\n%s", stdout)
	}
	pages, _ := strconv.Atoi(m[2])
	fetches, _ := strconv.Atoi(m[3])
	redelivered, _ := strconv.Atoi(m[5])
	if m[1] != m[4] || pages != 365+12+5+3 || redelivered < 1 || fetches < pages || fetches > pages+redelivered {
		t.Errorf("got:\n%s", stdout)
	}
}

func TestRead_FindsTheLinksOfAPage(t *testing.T) {
	t.Parallel()
	at, err := url.Parse("http://host:1/dir/page.html?q=1")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`<title> One  &amp;
 two </title>`: "One & two:",
		`<a href="other.html">`:                                  ": /dir/other.html",
		`<A HREF=../up.html><area href='/abs'>`:                  ": /up.html /abs",
		`<a href="x#1"><a href="x#2"><a href="x"><a href=" x ">`: ": /dir/x",
		`<a href="#only">`:                                       ": /dir/page.html?q=1",
		`<a href="?">`:                                           ": /dir/page.html",
		`<a href="?a=1&amp;b=2">`:                                ": /dir/page.html?a=1&b=2",
		`<a href="%7Euser/r%61ke">`:                              ": /dir/~user/rake",
		`<a href="//host:1"><a href="http://host:1/">`:           ": /",
		`<a href="//host:2/"><a href="https://host:1/"><a href="mailto:a@host:1"><a href="javascript:x()"><a href="http://[x"><a name=x><a href="">`: ":",
		`<base href="/base/"><base href="/second/"><a href="x">`:                                                                                     ": /base/x",
		`<a href="x"><base href="/base/">`:                                      ": /base/x",
		`<!-- <a href="x"> --><script>'<a href="x">'</script>`:                  ":",
		"\x00\xff<a href=x":                                                     ":",
		"<svg><title>no</title></svg><a href=x>" + strings.Repeat("<div>", 100): "no: /dir/x",
		strings.Repeat(`<a href="x">`, 2*maxLinks):                              ": /dir/x",
	} {
		title, links, err := read(strings.NewReader(body), at)
		got := strings.ReplaceAll(strings.Join(append([]string{title + ":"}, links...), " "), "http://host:1", "")
		if err != nil || got != want {
			t.Errorf("%.80q: %q, %v, want %q", body, got, err, want)
		}
	}
}

func TestRead_RefusesWhatIsNestedTooDeep(t *testing.T) {
	t.Parallel()
	if _, _, err := read(strings.NewReader(strings.Repeat("<div>", 100_000)), &url.URL{Scheme: "http", Host: "h"}); err == nil {
		t.Error("no error")
	}
}

func TestWorker_RecordsAlsoWhatCannotBeFetched(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	m := managertest.Start(t)
	m.Declare(t, "fetch", reeve.QueueConfig{})
	m.Declare(t, "pages", reeve.QueueConfig{})
	c := m.Dial(t)
	fetch, pages := proxy.QueueOf[string](c, "fetch"), proxy.QueueOf[Page](c, "pages")
	for _, address := range []string{closed.URL + "/", "http://[broken"} {
		if _, err := fetch.Put(t.Context(), address); err != nil {
			t.Fatal(err)
		}
	}
	managertest.RunUntilIdle(t, fetch.Raw(), newWorker(c, "w").Run)
	var got []string
	for range 2 {
		page, err := pages.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p := page.Value; p.Error == "" || p.Status != 0 {
			t.Errorf("%+v", p)
		}
		got = append(got, page.Value.URL)
	}
	if want := []string{closed.URL + "/", "http://[broken"}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("got %q", got)
	}
}

func TestAdd_PutsAnAddressOnceWhateverBecomesOfIt(t *testing.T) {
	t.Parallel()
	m := managertest.Start(t)
	m.Declare(t, "fetch", frontier)
	fetch := proxy.QueueOf[string](m.Dial(t), "fetch")
	long := "http://h/" + strings.Repeat("x", 2*reeve.MaxKey)
	for range 2 {
		if err := add(t.Context(), fetch, []string{"http://h/a", "http://h/b", "http://h/a", long, long + "y"}); err != nil {
			t.Fatal(err)
		}
		items, err := fetch.GetMany(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := items[0].Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(t.Context(), fetch, nil); err != nil {
		t.Fatal(err)
	}
	stats, err := fetch.Stats(t.Context())
	if err != nil || stats.Put != 4 || stats.Duplicates != 6 || stats.Done != 2 || stats.Keys != 1 {
		t.Errorf("%v, %d put, %d found there, %d done, %d keys", err, stats.Put, stats.Duplicates, stats.Done, stats.Keys)
	}
}

func TestReport_FailsForEveryDifference(t *testing.T) {
	t.Parallel()
	s, err := newSite()
	if err != nil {
		t.Fatal(err)
	}
	s.fetches = len(s.pages) + 1
	s.last = s.first.Add(time.Hour)
	const host = "http://h"
	good := map[string][]Page{}
	for path, a := range s.pages {
		good[host+path] = []Page{{URL: host + path, Status: a.status, Title: a.title}}
	}
	if err := report(io.Discard, s, host+"/", good, "worker-1", 1); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(map[string][]Page){
		"missing": func(r map[string][]Page) { delete(r, host+"/") },
		"twice":   func(r map[string][]Page) { r[host+"/"] = append(slices.Clone(r[host+"/"]), r[host+"/"]...) },
		"wrong":   func(r map[string][]Page) { r[host+"/"] = []Page{{Status: 500}} },
		"foreign": func(r map[string][]Page) { r[host+"/never.html"] = []Page{{Status: 404}} },
	} {
		bad := maps.Clone(good)
		spoil(bad)
		if err := report(io.Discard, s, host+"/", bad, "worker-1", 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := report(io.Discard, s, host+"/", good, "", 1); err == nil {
		t.Error("nobody killed: no error")
	}
	s.last = s.first.Add(time.Second / 2)
	if err := report(io.Discard, s, host+"/", good, "worker-1", 1); err == nil {
		t.Error("in a hurry: no error")
	}
	s.last = s.first.Add(time.Hour)
	s.fetches++
	if err := report(io.Discard, s, host+"/", good, "worker-1", 1); err == nil {
		t.Error("too many fetches: no error")
	}
}
