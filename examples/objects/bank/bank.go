// Package bank is what the master and its clients agree on: interfaces, and the
// errors that keep their identity on the way. The handles are written from it.
package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
)

//go:generate go run github.com/reeveq/reeve/cmd/reevegen -type Bank,Account,Counter

// Bank has accounts.
type Bank interface {
	// Open returns the account of a customer, who has n to begin with: the same
	// one for the same name.
	Open(ctx context.Context, customer string, n int) (Account, error)
	// Move moves n from one account to another. [*FundsError] says that there is
	// not so much.
	Move(ctx context.Context, from, to Account, n int) error
	// Total is what all accounts have together.
	//
	//reeve:reads
	Total(ctx context.Context) (int, error)
	// Audit has never worked.
	Audit(ctx context.Context) error
}

// Account is one of a [Bank]'s.
type Account interface {
	//reeve:reads
	Balance(ctx context.Context) (int, error)
	// Close closes the account, which must be empty: [ErrNotEmpty].
	Close(ctx context.Context) error
}

// Counter counts what one teller does. Its methods need no ctx and no error of
// their own; those of the handle have both.
type Counter interface {
	Add(kind string) int
	Counts() (kinds map[string]int, all int)
}

// ErrNotEmpty says that an account cannot be closed.
var ErrNotEmpty = errors.New("the account is not empty")

// FundsError says that an account has not what is asked for.
type FundsError struct {
	Customer   string
	Asked, Has int
}

func (e *FundsError) Error() string {
	return fmt.Sprintf("%s has %d, not %d", e.Customer, e.Has, e.Asked)
}

func init() {
	reeve.RegisterError("bank.not-empty", ErrNotEmpty)
	reeve.RegisterErrorType[*FundsError]("bank.funds")
}
