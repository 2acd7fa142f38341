package main

import (
	"io"
	"net/url"
	"strings"

	"github.com/reeveq/reeve/canonical"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxLinks bounds the links taken from one page.
const maxLinks = 1000

// read parses the HTML page at the address at and returns its title and the
// addresses on the same host that it links to, each once, without fragments.
func read(body io.Reader, at *url.URL) (title string, links []string, err error) {
	doc, err := html.Parse(body)
	if err != nil {
		return "", nil, err
	}
	base, based := at, false
	var hrefs []string
	for n := range doc.Descendants() {
		switch n.DataAtom {
		case atom.Title:
			if title == "" && n.FirstChild != nil {
				title = strings.Join(strings.Fields(n.FirstChild.Data), " ")
			}
		case atom.Base:
			if u, err := at.Parse(attr(n, "href")); err == nil && !based { // the first one counts
				base, based = u, true
			}
		case atom.A, atom.Area:
			if href := strings.TrimSpace(attr(n, "href")); href != "" {
				hrefs = append(hrefs, href)
			}
		}
	}
	seen := map[string]bool{}
	for _, href := range hrefs {
		link, ok := resolve(base, href, at.Host)
		if ok && !seen[link] && len(links) < maxLinks {
			seen[link] = true
			links = append(links, link)
		}
	}
	return title, links, nil
}

// resolve is the one form of the address that href means, so that it can be
// compared with others. It is false for what is not on host.
func resolve(base *url.URL, href, host string) (string, bool) {
	address, err := canonical.Resolve(base.String(), href)
	if err != nil {
		return "", false
	}
	u, err := url.Parse(address)
	return address, err == nil && u.Scheme == "http" && u.Host == host
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
