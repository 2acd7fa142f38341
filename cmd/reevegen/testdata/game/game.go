// Package game has interfaces for the tests of reevegen.
package game

import (
	"context"
	"io/fs"
	"math/big"
	"time"

	"github.com/reeveq/reeve"
	other "github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/shared"
)

// Scores are the points of players.
//
// They are kept in memory.
type Scores interface {
	// Add adds points to those of a player, and returns how many there are.
	//
	// It is an error if n is negative.
	Add(name string, n int) (int, error)
	// Get returns the points of a player.
	//
	//reeve:reads
	Get(name string) int
	Best(names ...string) (best string, points int)
	Reset()
	Set(ctx context.Context, points map[string]int) error
}

// Bank has accounts.
type Bank interface {
	// Open opens an account, which is an object.
	Open(ctx context.Context, name string) (Account, error)
	// Move moves money from one account to another.
	Move(ctx context.Context, from, to Account, amount *big.Int) error
	Pair(ctx context.Context, first, second string) (a Account, since time.Time, b Account, err error)
	Two(ctx context.Context) (Account, Account, error)
	Close(ctx context.Context, accounts ...Account) error
}

// Account is one account of a [Bank].
type Account interface {
	//reeve:reads
	Balance(ctx context.Context) (*big.Int, error)
	Bank(ctx context.Context) (Bank, error)
}

// Odd has what is seldom.
type Odd interface {
	Names(o int, ctx string, err bool, reeve []byte, string2 string, _ float64, args ...any) error
	Unnamed(int, string) (int, string)
	Codec(other.Encoded, []Point, struct{ A, B int }) (map[Point]bool, fs.FileMode)
	Refs(r reeve.Ref) *shared.Object
	Foreign(f fs.File, a Account) (fs.File, Account, error)
	Embedded
	Shadow(small int) (small, error)
	hidden()
}

// Embedded is part of [Odd].
type Embedded interface {
	// Inner is a method that was embedded.
	Inner(shared2 *Point) (result1 *Point, err error)
}

// Point is a value.
type Point struct{ X, Y int }

// small is a type that an argument may be called like.
type small struct{ N int }
