package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// Mail is one letter to one address.
type Mail struct {
	To, Subject string
}

// What is written, and to whom.
const (
	newsletter = "Newsletter 7"
	password   = "Your new password"
	reminder   = "Tomorrow at ten"
)

var (
	customers = addresses("example.org", 20)
	// Some subscribers are customers. One mailbox is busy at first, one server
	// wants to be asked again, one mailbox does not exist, and a domain is down.
	subscribers = slices.Concat(addresses("example.org", 8), addresses("example.net", 3),
		[]string{"busy@example.com", "later@example.com", "nobody@example.com"})
	forgetful = addresses("example.edu", 3)
)

func addresses(domain string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("user%d@%s", i+1, domain)
	}
	return list
}

// Priorities: of the mails that may go now, those with the highest go first.
const (
	urgent = 10
	bulk   = -10
)

// writeNewsletter puts a letter for each address that has not been written to
// within a day, and returns the ids of their tasks and how many there were not.
func writeNewsletter(ctx context.Context, mails *reeve.TypedQueue[Mail], list []string) (ids []reeve.ID, known int, err error) {
	for _, to := range list {
		id, err := mails.Put(ctx, Mail{to, newsletter},
			reeve.WithPriority(bulk), reeve.UniqueFor(newsletter+" "+to, 24*time.Hour))
		switch {
		case errors.Is(err, reeve.ErrDuplicate): // id is the earlier letter's
			known++
		case err != nil:
			return nil, 0, err
		default:
			ids = append(ids, id)
		}
	}
	return ids, known, nil
}

// writeRest puts the letters that are to go before the newsletter, and the
// reminder, which is to go at its time.
func writeRest(ctx context.Context, mails *reeve.TypedQueue[Mail], remindAt time.Time) (ids []reeve.ID, err error) {
	for _, to := range forgetful {
		id, err := mails.Put(ctx, Mail{to, password}, reeve.WithPriority(urgent), reeve.WithExpiry(time.Hour))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	id, err := mails.Put(ctx, Mail{customers[0], reminder}, reeve.WithPriority(urgent), reeve.At(remindAt))
	return append(ids, id), err
}
