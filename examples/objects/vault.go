package main

import (
	"context"
	"sync"

	"github.com/reeveq/reeve/examples/objects/bank"
)

// vault is the bank. Its methods are called by many goroutines at a time.
type vault struct {
	mu       sync.Mutex // guards the accounts and what they have
	accounts map[string]*account
	books    []int // which nobody keeps
}

// account is one of a vault's.
type account struct {
	vault    *vault
	customer string
	money    int
}

func newVault() *vault { return &vault{accounts: map[string]*account{}} }

func (v *vault) Open(_ context.Context, customer string, n int) (bank.Account, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.accounts[customer]
	if a == nil {
		a = &account{vault: v, customer: customer, money: n}
		v.accounts[customer] = a
	}
	return a, nil
}

// Move gets accounts of its own: a caller has nothing else to give.
func (v *vault) Move(_ context.Context, from, to bank.Account, n int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	giver, taker := from.(*account), to.(*account)
	if giver.money < n {
		return &bank.FundsError{Customer: giver.customer, Asked: n, Has: giver.money}
	}
	giver.money -= n
	taker.money += n
	return nil
}

func (v *vault) Total(context.Context) (total int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range v.accounts {
		total += a.money
	}
	return total, nil
}

func (v *vault) Audit(context.Context) error {
	_ = v.books[len(v.books)-1]
	return nil
}

// Rob is no method of the interface: nobody can call it from afar.
func (v *vault) Rob() { clear(v.accounts) }

func (a *account) Balance(context.Context) (int, error) {
	a.vault.mu.Lock()
	defer a.vault.mu.Unlock()
	return a.money, nil
}

func (a *account) Close(context.Context) error {
	a.vault.mu.Lock()
	defer a.vault.mu.Unlock()
	if a.money > 0 {
		return bank.ErrNotEmpty
	}
	delete(a.vault.accounts, a.customer)
	return nil
}

// counter is one teller's, and is called by one goroutine at a time, because it is
// shared so.
type counter struct{ kinds map[string]int }

func newCounter() *counter { return &counter{map[string]int{}} }

func (c *counter) Add(kind string) int {
	c.kinds[kind]++
	return c.kinds[kind]
}

func (c *counter) Counts() (kinds map[string]int, all int) {
	for _, n := range c.kinds {
		all += n
	}
	return c.kinds, all
}
