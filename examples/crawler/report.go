package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// report compares what was recorded with the site. The error says how much
// differs.
func report(out io.Writer, s *site, root string, recorded map[string][]Page, killed string, redelivered int) error {
	host := strings.TrimSuffix(root, "/")
	missing, twice, wrong, foreign := 0, 0, 0, 0
	for path, want := range s.pages {
		got := recorded[host+path]
		switch {
		case len(got) == 0:
			missing++
		case len(got) > 1:
			twice++
		case got[0].Status != want.status || got[0].Title != want.title:
			wrong++
		}
		if len(got) != 1 || got[0].Status != want.status || got[0].Title != want.title {
			fmt.Fprintf(out, "%s: want one with status %d and title %q, got %+v\n", path, want.status, want.title, got)
		}
	}
	for address := range recorded {
		if _, ok := s.pages[strings.TrimPrefix(address, host)]; !ok {
			foreign++
			fmt.Fprintf(out, "%s: is not on the site\n", address)
		}
	}
	fetches := s.served()
	fmt.Fprintf(out, "%d pages, %d missing, %d recorded twice, %d fetches, %s killed, %d redelivered\n",
		len(s.pages), missing, twice, fetches, killed, redelivered)
	switch {
	case missing+twice+wrong+foreign > 0:
		return fmt.Errorf("%d pages missing, %d recorded twice, %d wrong, %d not on the site", missing, twice, wrong, foreign)
	case killed == "" || redelivered == 0:
		return errors.New("no worker was killed at work")
	case fetches > len(s.pages)+redelivered:
		return fmt.Errorf("%d fetches of %d pages and %d redeliveries", fetches, len(s.pages), redelivered)
	case s.hurried():
		return fmt.Errorf("%d fetches came faster than %d a second", fetches, perSecond)
	}
	return nil
}
