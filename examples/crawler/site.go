package main

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed testdata
var files embed.FS

// site is what is crawled. What is not in pages is not found.
type site struct {
	pages map[string]answer // by path and query
	// before is called before a request is answered, with the name of the
	// worker that asks and how many requests there have been, this one included.
	before func(worker string, n int)

	mu          sync.Mutex // guards the fields below
	fetches     int        // requests so far
	first, last time.Time  // when they came
}

// answer is what there is at one address.
type answer struct {
	status   int
	title    string // of a page
	body     string
	location string // of a redirect
}

// A month and a day of the site, as the templates see them.
type (
	month struct {
		Name, Path string
		Days       []*day
	}
	day struct {
		Month         *month
		File          string
		Title, Text   string
		Before, After *day // nil at the ends of the year
	}
)

// newSite makes all pages.
func newSite() (*site, error) {
	t, err := template.ParseFS(files, "testdata/*.html")
	if err != nil {
		return nil, err
	}
	s := &site{pages: map[string]answer{
		"/index.html":     {status: http.StatusMovedPermanently, location: "/"},
		"/old/tools.html": {status: http.StatusFound, location: "../tools.html?for=beginners&season=any#spade"},
		"/lost.html":      {status: http.StatusNotFound, body: "404: lost"},
	}}
	add := func(path, file, title string, data any) {
		var body strings.Builder
		err = errors.Join(err, t.ExecuteTemplate(&body, file, data))
		s.pages[path] = answer{status: http.StatusOK, title: title, body: body.String()}
	}
	year := newYear()
	add("/", "index.html", "The Gardener's Year", map[string]any{"Months": year})
	add("/about.html", "about.html", "About", nil)
	add("/tools.html?for=beginners&season=any", "tools.html", "Tools & seeds", nil)
	add("/shed/spade.html", "spade.html", "Spade", nil)
	add("/shed/rake.html", "rake.html", "Rake", nil)
	for _, m := range year {
		add("/"+m.Path, "month.html", m.Name, m)
		for _, d := range m.Days {
			add("/"+m.Path+d.File, "day.html", d.Title, d)
		}
	}
	return s, err
}

// newYear makes the days of a year that is no leap year.
func newYear() []*month {
	chores := []string{"Water the seedlings.", "Turn the compost.", "Mend the fence.", "Sharpen the spade.", "Rest.", "Count the snails.", "Watch the sky."}
	var months []*month
	var before *day
	for at := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2023; at = at.AddDate(0, 0, 1) {
		if at.Day() == 1 {
			name := at.Month().String()
			months = append(months, &month{Name: name, Path: strings.ToLower(name) + "/"})
		}
		m := months[len(months)-1]
		d := &day{
			Month: m, Before: before,
			File:  fmt.Sprintf("%02d.html", at.Day()),
			Title: fmt.Sprintf("%d %s", at.Day(), m.Name),
			Text:  chores[at.YearDay()%len(chores)],
		}
		if before != nil {
			before.After = d
		}
		m.Days = append(m.Days, d)
		before = d
	}
	return months
}

// ServeHTTP answers as a web server does.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.fetches++
	n := s.fetches
	s.last = time.Now()
	if n == 1 {
		s.first = s.last
	}
	s.mu.Unlock()
	s.before(r.UserAgent(), n)

	a, ok := s.pages[r.URL.RequestURI()]
	if !ok {
		a = answer{status: http.StatusNotFound, body: "404: never was"}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body)) // to a client that is gone
}

// served is how many requests there have been.
func (s *site) served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

// hurried reports whether the requests came at more than twice the speed that
// is allowed: less than that may be the network's doing.
func (s *site) hurried() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	least := time.Duration(s.fetches-perHost) * time.Second / perSecond
	return s.last.Sub(s.first) < least/2
}
